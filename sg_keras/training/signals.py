"""SIGINT and SIGTERM ask a run to stop after the iteration; a second signal ends the process at once.

SIGHUP, the end of the terminal, is no reason to stop.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def hangups_ignored() -> Iterator[None]:
    """Within, a terminal or connection that is closed does not end the process; its output then goes nowhere."""
    # A caller's own handler stays, and so does what `nohup` has set. Python sets handlers in the main thread alone.
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGHUP) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


class StopSignals:
    """Context in which the first signal is only remembered.

    Attributes:
        received: name of the signal, such as "SIGTERM", or what else asked to stop; None so far.
    """

    def __init__(self) -> None:
        self.received: str | None = None
        self._had_signal = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():  # Python delivers signals there alone
            self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def request(self, source: str) -> None:
        """Ask to stop as a signal does, unless something has before."""
        self.received = self.received or source

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # Nothing is printed here: the signal may have come in the midst of printing.
        if self._had_signal:
            os.write(2, b"\nSecond signal: leaving at once, without another checkpoint\n")
            os._exit(128 + number)
        self._had_signal = True
        self.request(signal.Signals(number).name)
