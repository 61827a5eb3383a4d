"""Keeps TensorFlow's start-up chatter away from people who expect one line."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from sg_keras.files.garbage import nothing_collected
from sg_keras.tools.interrupts import leaving_at_once

#: What Keras looks for while it is imported, for wrappers and plots that no tool of ours uses: a second of start time.
_OF_KERAS_ALONE = ("IPython", "matplotlib", "sklearn")
_CHATTER = (b"before absl::InitializeLog()", b"port.cc:")


def load_quietly(*modules: str) -> None:
    """Import modules that load TensorFlow, as in quiet_start, without the optional packages that Keras would import."""
    with quiet_start(), _seeming_missing(*_OF_KERAS_ALONE):
        for module in modules:
            importlib.import_module(module)


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Within, import TensorFlow and nothing else: without chatter, and an interrupt ends the process at once."""
    # Loading TensorFlow makes next to no garbage, and looking for it takes a quarter of the time.
    with without_chatter() as stderr, leaving_at_once(stderr), nothing_collected():
        yield


@contextlib.contextmanager
def _seeming_missing(*names: str) -> Iterator[None]:
    """Within, packages that are not imported yet cannot be; afterwards they can."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # what Python takes for missing
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def without_chatter() -> Iterator[int]:
    """Within, of what TensorFlow writes to stderr by itself only what is no chatter is shown, afterwards.

    Gives the file descriptor of the true stderr.

    TF_CPP_MIN_LOG_LEVEL alone does not help: TensorFlow 2.21 writes some lines before it reads that.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    with _temporary_file() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield stderr
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            captured.seek(0)
            lines = [line for line in captured if not any(chatter in line for chatter in _CHATTER)]
            with contextlib.suppress(OSError):  # nobody reads stderr
                os.write(2, b"".join(lines))


def _temporary_file() -> BinaryIO:
    """In memory where the system can: there may be no folder for temporary files, or no space in it."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stderr"), "w+b")
    return tempfile.TemporaryFile()
