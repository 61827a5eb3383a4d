"""Ticks: the moments at which a run is looked at. A pure function of the images seen.

Boundary j is the first end of an iteration with nimg >= batch + j * tick_kimg * 1000, so boundary 0 comes after the
first iteration. Where a tick is shorter than an iteration, an iteration's end is its highest boundary.
"""

from __future__ import annotations

import dataclasses

from sg_keras.config.cadence import Every


@dataclasses.dataclass(frozen=True)
class TickClock:
    """Which iterations end at a tick boundary, and which tick an iteration belongs to.

    Args:
        batch: real images per iteration.
        tick_kimg: thousands of images per tick.
    """

    batch: int
    tick_kimg: float

    def boundaries_reached(self, nimg: int) -> int:
        """How many boundaries lie at or before nimg images."""
        if nimg < self.batch:
            return 0
        tick_nimg = max(round(self.tick_kimg * 1000), 1)
        return 1 + (nimg - self.batch) // tick_nimg

    def is_boundary(self, nimg: int) -> bool:
        """Whether the iteration that ended at nimg images reached a boundary."""
        return self.boundaries_reached(nimg) > self.boundaries_reached(nimg - self.batch)

    def tick(self, nimg: int) -> int:
        """Number of the boundary just reached, or, within a tick, of the one that comes next."""
        return self.boundaries_reached(nimg) - (1 if self.is_boundary(nimg) else 0)

    def is_due(self, nimg: int, *cadences: Every) -> bool:
        """Whether a tick of one of these cadences, above 0, was reached in the iteration that ended at nimg images."""
        before = max(self.boundaries_reached(nimg - self.batch) - 1, 0)
        return self.is_boundary(nimg) and any(every.is_reached(before, self.tick(nimg)) for every in cadences)
