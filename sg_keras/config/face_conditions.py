"""The small language of curate's --faces: conditions that a face must meet, such as "eye_height<0.10; count=1"."""

from __future__ import annotations

import re
from typing import NamedTuple

#: What can be asked of faces, and the largest number that makes sense.
FACE_MEASURES = {"eye_height": 10.0, "centre": 1.0, "count": 1000.0, "size": 10.0, "confidence": 1.0}
_CONDITION = re.compile(r"\s*([a-z_]+)\s*(<=|>=|<|>|=)\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*")
_EXPECTED = f"conditions such as 'eye_height<0.10; centre<0.90' on {', '.join(FACE_MEASURES)}, by <, <=, >, >= or ="


class FaceCondition(NamedTuple):
    """What is asked of one measure: images of which it is true stay."""

    measure: str
    operator: str
    limit: float

    def __str__(self) -> str:
        return f"{self.measure}{self.operator}{self.limit:g}"

    def holds(self, value: float) -> bool:
        """Whether a value meets it."""
        return {
            "<": value < self.limit,
            "<=": value <= self.limit,
            ">": value > self.limit,
            ">=": value >= self.limit,
            "=": value == self.limit,
        }[self.operator]


def parse_face_conditions(text: str) -> tuple[FaceCondition, ...]:
    """Conditions that are separated by semicolons.

    Raises:
        ValueError: it is something else; "found ..., expected ...".
    """
    found = []
    for part in text.split(";"):
        match = _CONDITION.fullmatch(part)
        if match is None or match.group(1) not in FACE_MEASURES:
            raise ValueError(f"found {part.strip()!r}, expected {_EXPECTED}")
        condition = FaceCondition(match.group(1), match.group(2), float(match.group(3)))
        if condition.limit > FACE_MEASURES[condition.measure]:
            raise ValueError(f"found {part.strip()!r}, expected a limit from 0 to {FACE_MEASURES[condition.measure]:g}")
        if condition.operator == "=" and condition.measure != "count":
            raise ValueError(f"found {part.strip()!r}, expected = with count alone: others are no whole numbers")
        found.append(condition)
    return tuple(found)
