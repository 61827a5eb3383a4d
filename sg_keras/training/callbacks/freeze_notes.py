"""Says what is frozen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


class FreezeNotes(keras.callbacks.Callback):
    """Says what is frozen at the start, and when something is unfrozen, or frozen.

    Args:
        write_line: of the log.
    """

    def __init__(self, write_line: Callable[[str], None]) -> None:
        super().__init__()
        self._write_line = write_line

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        for line in self.model.freezing.lines(int(self.model.cur_nimg.numpy())):
            self._write_line(line)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.model.freezing.rules:
            nimg = int(self.model.cur_nimg.numpy())
            for line in self.model.freezing.changes(nimg - self.model.batch, nimg):
                self._write_line(line)
