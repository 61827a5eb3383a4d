"""Ctrl-C from a command's first moment to its last: no traceback, exit status 130.

Until a command's own work begins, and while libraries are loaded, an interrupt ends the process at once. Nothing is
written yet then, and the initialisation of extension modules would turn a KeyboardInterrupt into errors of its own.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

_OUR_PROGRAMS = ("run_training.py", "sg-keras-")


def started_as_command() -> bool:
    """Whether this process is about to run one of our commands: `python -m`, a console script or run_training.py."""
    program = sys.argv[0] if sys.argv else ""
    # Python puts -m there for as long as it looks for the module to run, and imports the packages above it.
    return program == "-m" or pathlib.PurePath(program).name.startswith(_OUR_PROGRAMS)


def leave_at_once() -> None:
    """From now on an interrupt ends the process at once, unless it is ignored or somebody else's."""
    if _is_main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


@contextlib.contextmanager
def leaving_at_once(stderr: int = 2) -> Iterator[None]:
    """Within, an interrupt ends the process at once: for loading libraries, which writes nothing.

    Args:
        stderr: file descriptor that people read.
    """
    with _handler_set(lambda number, frame: _leave(number, frame, stderr)):
        yield


class RaisedInterrupts:
    """Context in which the first interrupt is a KeyboardInterrupt, so that what is half-written is removed.

    A second one ends the process at once. SIGTERM counts as one where the process runs one of our commands.

    Attributes:
        received: number of the first signal, None before; also where a library made another error of it.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._of_command = signal.getsignal(signal.SIGINT) is _leave
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> RaisedInterrupts:
        self._stack.enter_context(_handler_set(self._on_signal))
        if self._of_command:
            self._stack.enter_context(_handler_set(self._on_signal, signal.SIGTERM))
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def end(self) -> int:
        """Say that the work was interrupted. Returns the exit status, or ends the process if it runs a command of ours.

        Libraries may hang, or speak, on their way out; and a KeyboardInterrupt that went through `exec` would make
        Python end by the signal, whatever status we return.
        """
        number = self.received or signal.SIGINT
        print("Terminated" if number == signal.SIGTERM else "Interrupted", file=sys.stderr)
        if self._of_command:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
            sys.stderr.flush()
            os._exit(128 + number)
        return 128 + number

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            _leave(number, frame)
        self.received = number
        raise KeyboardInterrupt


@contextlib.contextmanager
def _handler_set(handler: object, number: int = signal.SIGINT) -> Iterator[None]:
    """Within, this handler in place of Python's or ours; an ignored signal (nohup, `&`) stays ignored."""
    before = signal.getsignal(number) if _is_main_thread() else None
    replaceable = (signal.default_int_handler, signal.SIG_DFL, _leave)
    if before not in replaceable and not isinstance(getattr(before, "__self__", None), RaisedInterrupts):
        yield
        return
    signal.signal(number, handler)  # type: ignore[arg-type]
    try:
        yield
    finally:
        signal.signal(number, before)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()  # Python delivers signals there alone


def _leave(number: int, frame: FrameType | None, stderr: int = 2) -> None:
    with contextlib.suppress(OSError):
        os.write(stderr, b"Interrupted\n")
    os._exit(128 + number)
