"""How far a long piece of work on images is, and how long the rest will take."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. `stage` says what is done, such as "looking"; numbers are of images and seconds."""

    stage: str
    done: int
    total: int
    per_sec: float
    seconds_left: float


def clock(stage: str, total: int, start: int, on_progress: Callable[[Progress], None]) -> Callable[[int], None]:
    """A function that is told how many images are done, and tells the rest of it.

    Args:
        stage: what is done.
        total: images.
        start: how many of these were done before.
        on_progress: is told.
    """
    began = time.monotonic()

    def tick(done: int) -> None:
        per_sec = (done - start) / max(time.monotonic() - began, 1e-9)
        on_progress(Progress(stage, done, total, per_sec, (total - done) / max(per_sec, 1e-9)))

    return tick
