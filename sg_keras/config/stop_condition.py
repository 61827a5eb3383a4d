"""The small language of --stop_when: a run ends where a score has got no better for a while."""

from __future__ import annotations

import re
from typing import NamedTuple

_CONDITION = re.compile(r"\s*([a-z0-9_]+)\s+(?:has\s+)?not\s+improved\s+for\s+([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*kimg\s*")


class StopCondition(NamedTuple):
    """Training ends where a metric has not improved for so many thousand images."""

    metric: str
    kimg: float

    def __str__(self) -> str:
        return f"{self.metric} has not improved for {self.kimg:g}kimg"


def parse_stop_condition(text: str) -> StopCondition:
    """A condition as people write it.

    Raises:
        ValueError: it is something else; "found ..., expected ...".

    Example:
        >>> parse_stop_condition("kd5k has not improved for 2000kimg")
        StopCondition(metric='kd5k', kimg=2000.0)
    """
    match = _CONDITION.fullmatch(text)
    if match is None or float(match.group(2)) <= 0:
        raise ValueError(f"found {text!r}, expected a condition such as 'kd5k has not improved for 2000kimg'")
    return StopCondition(match.group(1), float(match.group(2)))
