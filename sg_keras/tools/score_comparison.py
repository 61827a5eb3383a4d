"""Scores beside each other, or the reason why they cannot be compared."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.errors import file_errors_explained

if TYPE_CHECKING:
    from sg_keras.metrics.record import Score


def check_comparable(option: str, one: Sequence[Score], other: Sequence[Score]) -> None:
    """Refuse scores of one name that cannot be compared.

    Raises:
        ValueError: one line, which begins with the option and says what differs.
    """
    from sg_keras.metrics.record import what_differs

    before = {score.name: score for score in other}
    for score in one:
        reasons = what_differs(before[score.name], score) if score.name in before else []
        if reasons:
            raise ValueError(f"{option}: {score.name} cannot be compared: {'; '.join(reasons)}")


def earlier_scores(path: str) -> list[Score]:
    """Scores of a file that keeps what --json printed; its last line counts.

    Raises:
        ValueError: it is another file, or one of several networks; one line.
        OSError: it cannot be read; one line.
    """
    from sg_keras.metrics.record import Score

    with file_errors_explained(path):
        lines = pathlib.Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    try:
        found: dict[str, Any] = json.loads(lines[-1])
        return [
            Score(name, one["value"], one["low"], one["high"], dict(one["fingerprint"])) for name, one in found.items()
        ]
    except (IndexError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path}: found no scores in its last line, expected those of one network by --json"
        ) from error


def changes(one: Sequence[Score], other: Sequence[Score]) -> Iterator[str]:
    """Lines that tell how scores differ from earlier ones of their names."""
    before = {score.name: score for score in other}
    for score in one:
        earlier = before.get(score.name)
        if earlier is not None:
            apart = score.low > earlier.high or score.high < earlier.low
            yield (
                f"  {score.full_name:<28}{earlier.value:>12.5g} before, now {score.value:.5g} "
                f"({'the intervals are apart' if apart else 'within the intervals'})"
            )
