"""What a run shows while it makes scores: a bar of its own on a terminal, or else a line now and then."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import rich.progress

from sg_keras.config.cadence import Every
from sg_keras.metrics.evaluation import OnProgress
from sg_keras.training.callbacks.status import duration_text
from sg_keras.training.run_log import RunLog

_EVERY_LINE = Every(60.0)  # seconds, where there is no terminal


class ScoreWindow:
    """Shows how far scores are, with images/s and the time that is left.

    Args:
        log: of the run; nothing of the bar goes into log.txt.
    """

    def __init__(self, log: RunLog) -> None:
        self._log = log

    @contextlib.contextmanager
    def opened(self) -> Iterator[OnProgress]:
        """Within, what it gives is told of the progress."""
        columns = (
            rich.progress.TextColumn("scores: {task.description}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("{task.fields[pace]}"),
        )
        console = self._log.console
        with rich.progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            yield _Shown(bar, self._log).tell


class _Shown:
    """One window: a task of the bar for each stage."""

    def __init__(self, bar: rich.progress.Progress, log: RunLog) -> None:
        self._bar, self._log = bar, log
        self._stage: str | None = None
        self._task: Any = None

    def tell(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._line, self._first = stage, now, now, done
            self._task = self._bar.add_task(stage, total=total, pace="")
        per_sec = (done - self._first) / max(now - self._began, 1e-9)
        left = duration_text((total - done) / per_sec) if per_sec > 0 else "unknown"
        self._bar.update(self._task, completed=done, pace=f"{per_sec:.0f} images/s  eta {left}")
        if not self._log.console.is_terminal and _EVERY_LINE.has_passed(self._line, now):
            self._line = now
            self._log.line(f"scores: {done} of {total} {stage}  {per_sec:.0f} images/s  eta {left}")
