"""Scores as they are kept: with all that they depend on, so that what cannot be compared is not."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from typing import Any

#: What two scores must have in common to be compared: not who made the fakes, nor which packages computed.
COMPARED = (
    *("metric", "extractor", "extractor_sha256", "resize", "real", "num_real", "num_fake", "copies", "divisor"),
    *("truncation", "noise_mode", "precision"),
)
_PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "scipy", "pillow")


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """A score.

    Attributes:
        name: as it was asked for, such as fd5k.
        value: of it.
        low, high: ends of its 95% interval.
        fingerprint: what it depends on, as JSON has it.
    """

    name: str
    value: float
    low: float
    high: float
    fingerprint: Mapping[str, Any]

    @property
    def full_name(self) -> str:
        """With the network that saw the images where its name does not say that: fd5k_effnetlite0."""
        return self.name if self.fingerprint.get("published") else f"{self.name}_{self.fingerprint['extractor']}"

    def as_json(self) -> dict[str, Any]:
        """The value, its interval and the fingerprint."""
        return {"value": self.value, "low": self.low, "high": self.high, "fingerprint": dict(self.fingerprint)}


_FEW_AUTHENTIC = 20.0  # percent


def few_authentic(scores: Iterable[Score]) -> str:
    """A line of warning where an AuthPct says that a network copies its training images; empty where none does."""
    copied = [score for score in scores if score.name.startswith("authpct") and score.value < _FEW_AUTHENTIC]
    if not copied:
        return ""
    return f"authpct {copied[0].value:.0f}: most fakes lie nearer to a real than other reals do, as copies would"


def what_differs(one: Score, other: Score) -> list[str]:
    """Why two scores cannot be compared, a line for each reason; none where they can.

    Example:
        >>> few = Score("fd1k", 3.0, 2.0, 4.0, {"metric": "fd1k", "num_fake": 1000})
        >>> many = Score("fd5k", 3.0, 2.0, 4.0, {"metric": "fd5k", "num_fake": 5000})
        >>> what_differs(few, many)
        ["metric: found 'fd1k' and 'fd5k'", 'num_fake: found 1000 and 5000']
    """
    pairs = ((key, one.fingerprint.get(key), other.fingerprint.get(key)) for key in COMPARED)
    return [f"{key}: found {a!r} and {b!r}" for key, a, b in pairs if a != b]


def versions() -> dict[str, str]:
    """Of Python and the packages that compute."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
