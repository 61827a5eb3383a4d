"""When something is due that happens every so often."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Every:
    """A cadence: once per so many units of a counter (iterations, ticks) or of a clock (seconds).

    Attributes:
        interval: above 0; None = never.

    Example:
        >>> every = Every(4)
        >>> [count for count in range(10) if every.is_at(count)]
        [0, 4, 8]
        >>> every.is_reached(before=3, now=5), every.is_reached(before=4, now=7)
        (True, False)
        >>> Every(None).is_at(0)
        False
    """

    interval: float | None

    def __post_init__(self) -> None:
        if self.interval is not None and not self.interval > 0:
            raise ValueError(f"interval: found {self.interval}, expected a number above 0, or None for never")

    def is_at(self, count: int) -> bool:
        """Whether a counter that goes up by one stands at a multiple of the interval, 0 included."""
        return self.interval is not None and count % self.interval == 0

    def is_reached(self, before: float, now: float) -> bool:
        """Whether a multiple of the interval lies above `before` and not above `now`."""
        return self.interval is not None and now // self.interval > before // self.interval

    def has_passed(self, last: float, now: float) -> bool:
        """Whether the interval has passed since it happened last."""
        return self.interval is not None and now - last >= self.interval
