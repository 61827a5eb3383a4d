"""Keeps TensorFlow's start-up chatter away from people who expect one line."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

_CHATTER = (b"before absl::InitializeLog()", b"port.cc:")


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Within, import TensorFlow: of what it writes to stderr by itself only what is no chatter is shown, afterwards.

    TF_CPP_MIN_LOG_LEVEL alone does not help: TensorFlow 2.21 writes some lines before it reads that.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            captured.seek(0)
            lines = [line for line in captured if not any(chatter in line for chatter in _CHATTER)]
            os.write(2, b"".join(lines))
