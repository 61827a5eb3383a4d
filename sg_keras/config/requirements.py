"""What fields of a configuration have to be: refused with a ValueError of one line otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sg_keras.config.named_errors import errors_named
from sg_keras.config.schedule import Schedule, whole_steps


def require(condition: bool, name: str, found: Any, expected: str) -> None:
    """Raise a ValueError of one line unless the condition holds."""
    if not condition:
        raise ValueError(f"{name}: found {found!r}, expected {expected}")


def require_scheduled(
    part: Any, field: str, option: str, holds: Callable[[float], bool], expected: str, positive: bool = False
) -> None:
    """Refuse a field whose schedule has a value that cannot be used, and spell the schedule as we do.

    Args:
        part: a frozen part of the configuration; a field that is None is left alone.
        field: number or text of a schedule.
        option: that sets it.
        holds: what has to hold for each of its values.
        expected: that in words.
        positive: whether one value at least has to be above 0.

    Raises:
        ValueError: one line that begins with the option.
    """
    value = getattr(part, field)
    if value is None:
        return
    with errors_named(option):
        schedule = Schedule.of(value)
    for number in schedule.values:
        require(holds(number), option, value, expected)
    require(not positive or max(schedule.values) > 0, option, value, expected)
    object.__setattr__(part, field, schedule.plain)


def require_steps(part: Any, field: str, option: str) -> None:
    """Refuse a field whose schedule has other values than whole numbers from 0 on, or moves between two of them.

    Args, Raises: as of `require_scheduled`.
    """
    require_scheduled(part, field, option, lambda value: value >= 0, "0 or more")
    value = getattr(part, field)
    with errors_named(option):
        object.__setattr__(part, field, whole_steps(value))
