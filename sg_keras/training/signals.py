"""SIGINT and SIGTERM ask a run to stop after the iteration; a second signal ends the process at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Context in which the first signal is only remembered.

    Attributes:
        received: name of the signal, such as "SIGTERM", or None.
    """

    def __init__(self) -> None:
        self.received: str | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():  # Python delivers signals there alone
            self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # Nothing is printed here: the signal may have come in the midst of printing.
        if self.received is not None:
            os.write(2, b"\nSecond signal: leaving at once, without another checkpoint\n")
            os._exit(128 + number)
        self.received = signal.Signals(number).name
