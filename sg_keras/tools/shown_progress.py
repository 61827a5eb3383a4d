"""How far a long piece of work on images is, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import rich.progress

    from sg_keras.curation.progress import Progress

_LINE_SECONDS = 30.0  # between lines where there is no terminal


class ShownProgress:
    """Shows progress on stderr: a bar on a terminal, or else a line now and then.

    Args:
        unit: what is counted.
    """

    def __init__(self, unit: str = "images") -> None:
        import rich.console
        import rich.progress

        columns = (
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("{task.fields[rate]}"),
        )
        console = rich.console.Console(stderr=True)
        self._is_bar = sys.stderr.isatty()
        self._bar = rich.progress.Progress(*columns, console=console, transient=True, disable=not self._is_bar)
        self._task: rich.progress.TaskID | None = None
        self._unit, self._stage, self._next_line = unit, "", 0.0

    def __enter__(self) -> Callable[[Progress], None]:
        self._bar.start()
        return self._show

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def _show(self, progress: Progress) -> None:
        rate = f"{_rounded(progress.per_sec)} {self._unit}/s, {_duration(progress.seconds_left)} left"
        if progress.stage != self._stage:
            self._stage, self._next_line = progress.stage, time.monotonic() + _LINE_SECONDS
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(progress.stage, total=progress.total, rate="")
        if self._task is not None:
            self._bar.update(self._task, completed=progress.done, rate=rate)
        if not self._is_bar and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _LINE_SECONDS
            print(f"{progress.stage}: {progress.done} of {progress.total} {self._unit}, {rate}", file=sys.stderr)


def stages(on_progress: Callable[[Progress], None]) -> Callable[[str, int, int], None]:
    """A function that is told a stage, how many images of it are done, and of how many, and tells how long it takes."""
    from sg_keras.curation.progress import clock

    clocks: dict[str, Callable[[int], None]] = {}

    def tell(stage: str, done: int, total: int) -> None:
        if stage not in clocks:
            clocks[stage] = clock(stage, total, 0, on_progress)
        clocks[stage](done)

    return tell


def _rounded(per_sec: float) -> str:
    return f"{per_sec:.0f}" if per_sec >= 10 else f"{per_sec:.2g}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"
