"""The small language of values that change over a run: "2e-3; 2e-4 from 10000" or "cosine 2e-4..5e-5 over 5000".

    schedule = segment { ";" segment }                     the first one holds from the start of the run
    segment  = (value | shape value ".." value "over" kimg) [ "from" kimg ]
    shape    = "linear" | "cosine"

A segment holds until the next one begins; a ramp that ends before that keeps its last value. Times are thousands of
real images (kimg). The configuration keeps a value that stays the same as a number, and any other as this text.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import math
import re
from collections.abc import Callable
from typing import TypeAlias

#: A number, or the text of a schedule as `Schedule.__str__` spells it.
Scheduled: TypeAlias = float | str
#: The same of whole numbers, between which nothing lies.
ScheduledCount: TypeAlias = int | str

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_SEGMENT = re.compile(
    rf"(?:(?P<shape>linear|cosine)\s+(?P<first>{_NUMBER})\s*\.\.\s*(?P<last>{_NUMBER})\s+over\s+"
    rf"(?P<over>{_NUMBER})\s*(?:kimg)?|(?P<value>{_NUMBER}))(?:\s+from\s+(?P<start>{_NUMBER})\s*(?:kimg)?)?",
    re.IGNORECASE,
)
_EXPECTED = "a number, or a schedule such as '2e-3; 2e-4 from 10000' or 'cosine 2e-4..5e-5 over 5000' (times in kimg)"


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """A part of a schedule.

    Attributes:
        start_kimg: where it begins, in thousands of real images.
        first, last: its values at the beginning, and from over_kimg later on.
        over_kimg: how long it takes from one to the other; 0 = it has one value.
        shape: of the way between: "linear" or "cosine".
    """

    start_kimg: float
    first: float
    last: float
    over_kimg: float = 0.0
    shape: str = "linear"

    def at(self, cur_nimg: int) -> float:
        """The value after `cur_nimg` real images, no fewer than those of its beginning."""
        passed = cur_nimg - self.start_kimg * 1000
        if passed >= self.over_kimg * 1000:
            return self.last
        part = passed / (self.over_kimg * 1000)
        if self.shape == "cosine":
            part = (1 - math.cos(math.pi * part)) / 2
        return self.first + (self.last - self.first) * part

    def __str__(self) -> str:
        start = f" from {_text(self.start_kimg)}" if self.start_kimg else ""
        if not self.over_kimg:
            return f"{_text(self.last)}{start}"
        return f"{self.shape} {_text(self.first)}..{_text(self.last)} over {_text(self.over_kimg)}{start}"


@dataclasses.dataclass(frozen=True, slots=True)
class Schedule:
    """A value over a run, a pure function of the real images seen: see the head of this module.

    Attributes:
        segments: in the order of their beginnings, the first at 0.

    Example:
        >>> schedule = Schedule.of("2e-3; linear 2e-3..0 over 10 from 5")
        >>> schedule.at(0), schedule.at(10_000), schedule.at(1_000_000)
        (0.002, 0.001, 0.0)
        >>> str(schedule)
        '0.002; linear 0.002..0 over 10 from 5'
    """

    segments: tuple[Segment, ...]

    @classmethod
    def of(cls, value: Scheduled) -> Schedule:
        """The schedule of a number or a text.

        Raises:
            ValueError: the text is none; "found ..., expected ...".
        """
        if not isinstance(value, str):
            return cls((Segment(0.0, float(value), float(value)),))
        segments = tuple(_segment(part.strip(), value) for part in value.split(";"))
        starts = [segment.start_kimg for segment in segments]
        if starts[0] != 0:
            raise ValueError(f"found {value!r}, expected the first value without 'from': it holds at once")
        if any(later <= earlier for earlier, later in itertools.pairwise(starts)):
            raise ValueError(f"found {value!r}, expected each 'from' to be later than the one before")
        return cls(segments)

    @property
    def is_constant(self) -> bool:
        """Whether it is one number all along."""
        return len(self.segments) == 1 and not self.segments[0].over_kimg

    @property
    def plain(self) -> Scheduled:
        """What the configuration keeps: the number where there is but one, or else the text."""
        return self.segments[0].last if self.is_constant else str(self)

    @property
    def values(self) -> tuple[float, ...]:
        """All values between which it moves."""
        return tuple(value for segment in self.segments for value in (segment.first, segment.last))

    @property
    def changes_kimg(self) -> tuple[float, ...]:
        """Where something begins or ends, in thousands of images; empty for a value that stays the same."""
        starts = [segment.start_kimg for segment in self.segments]
        ends = [segment.start_kimg + segment.over_kimg for segment in self.segments]
        return tuple(sorted({*starts, *ends} - {0.0}))

    def at(self, cur_nimg: int) -> float:
        """The value in the iteration that starts after `cur_nimg` real images."""
        number = bisect.bisect_right([segment.start_kimg * 1000 for segment in self.segments], cur_nimg)
        return self.segments[max(number - 1, 0)].at(cur_nimg)

    def scaled(self, factor: float) -> Schedule:
        """The same with all times multiplied by a factor."""
        scaled = (
            dataclasses.replace(one, start_kimg=one.start_kimg * factor, over_kimg=one.over_kimg * factor)
            for one in self.segments
        )
        return Schedule(tuple(scaled))

    def __str__(self) -> str:
        return "; ".join(map(str, self.segments))


def scheduled(value: Scheduled, check: Callable[[float], object] = lambda value: None) -> Scheduled:
    """A number or a schedule as the configuration keeps it, always spelled the same way.

    Args:
        value: number or text.
        check: raises ValueError for a number that cannot be used.

    Raises:
        ValueError: it is neither, or one of its values cannot be used.
    """
    schedule = Schedule.of(value)
    for number in schedule.values:
        check(number)
    return schedule.plain


def whole_steps(value: Scheduled) -> ScheduledCount:
    """A whole number, or a schedule that goes from one to the next in steps, as the configuration keeps it.

    Raises:
        ValueError: the text is no schedule, one of its values is not whole, or it moves between two of them.

    Example:
        >>> whole_steps("0; 4 from 5000.0")
        '0; 4 from 5000'
    """
    schedule = Schedule.of(value)
    if any(segment.over_kimg for segment in schedule.segments) or not all(n.is_integer() for n in schedule.values):
        raise ValueError(f"found {value!r}, expected a whole number, or steps such as '0; 4 from 5000' (times in kimg)")
    plain = schedule.plain
    return plain if isinstance(plain, str) else int(plain)


def scheduled_text(value: Scheduled) -> str:
    """A number or a schedule for people."""
    return value if isinstance(value, str) else f"{value:g}"


def _text(value: float) -> str:
    """The shortest text of exactly this number."""
    return repr(value).removesuffix(".0")


def _segment(text: str, whole: str) -> Segment:
    match = _SEGMENT.fullmatch(text)
    if match is None:
        raise ValueError(f"found {whole!r}, expected {_EXPECTED}")
    start = float(match["start"] or 0)
    if match["value"] is not None:
        return Segment(start, float(match["value"]), float(match["value"]))
    over = float(match["over"])
    if over <= 0 or start < 0 or not math.isfinite(over):
        raise ValueError(f"found {whole!r}, expected a ramp over more than 0 kimg")
    return Segment(start, float(match["first"]), float(match["last"]), over, match["shape"].lower())
