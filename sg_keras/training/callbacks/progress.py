"""A live progress display, where the console is a terminal."""

from __future__ import annotations

import time
from typing import Any

import keras
import rich.console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sg_keras.config.cadence import Every

_EVERY_PACE = Every(5.0)  # seconds over which images/s is averaged


class LiveProgress(keras.callbacks.Callback):
    """Shows kimg, images/s and the time that the rest will take below the printed lines.

    Also a context manager, so that the display is gone before anything else is printed, whatever ends the run.

    Args:
        console: nothing is shown where it is no terminal.
        total_nimg: images after which the run is complete.
        start_nimg: images seen at the start of this session.
    """

    def __init__(self, console: rich.console.Console, total_nimg: float, start_nimg: int) -> None:
        super().__init__()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.1f}/{task.total:g} kimg"),
            TextColumn("{task.fields[pace]}"),
            TimeElapsedColumn(),
            TextColumn("eta"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            refresh_per_second=2,
            transient=True,
            speed_estimate_period=120,
        )
        self._task = self._progress.add_task("compiling", total=total_nimg / 1000, pace="")
        self._progress.update(self._task, completed=start_nimg / 1000)

    def __enter__(self) -> LiveProgress:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._pace_from: tuple[float, int] | None = None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now, nimg = time.perf_counter(), int(self.model.cur_nimg.numpy())
        if self._pace_from is None:  # the first iteration compiles
            self._pace_from = (now, nimg)
            self._progress.update(self._task, description="training", completed=nimg / 1000)
            return
        self._progress.update(self._task, completed=nimg / 1000)
        seconds, images = now - self._pace_from[0], nimg - self._pace_from[1]
        if _EVERY_PACE.has_passed(self._pace_from[0], now):
            self._progress.update(self._task, pace=f"{images / seconds:.1f} img/s")
            self._pace_from = (now, nimg)
