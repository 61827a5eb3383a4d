"""How far a score might have been other had other images been drawn: 95% intervals."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

#: Standard errors on either side of 95% of a normal distribution.
STANDARD_ERRORS = 1.96


def interval(value: float, standard_error: float) -> tuple[float, float]:
    """95% around a value."""
    return value - STANDARD_ERRORS * standard_error, value + STANDARD_ERRORS * standard_error


def interval_of_mean(values: np.ndarray, *, scale: float = 1.0) -> tuple[float, float]:
    """95% around the mean of what holds for single images [N], times scale.

    What a bootstrap over the images converges to. Balls of neighbours count as given: a bootstrap of whole features
    would draw rows twice, whose neighbours are themselves.
    """
    return interval(scale * float(np.mean(values)), scale * float(np.std(values)) / math.sqrt(len(values)))


def bootstrap_interval(
    statistic: Callable[[np.ndarray], float], fake: np.ndarray, *, value: float, repeats: int = 10, seed: int = 0
) -> tuple[float, float]:
    """95% around a value by drawing fakes anew.

    Distances of drawn rows are biased upwards, since rows repeat; so only their spread is used, around the value.

    Args:
        statistic: of [M,D] to the score.
        fake: [M,D].
        value: of the statistic on all rows.
    """
    random = np.random.default_rng(seed)
    found = [statistic(fake[random.integers(len(fake), size=len(fake))]) for _ in range(repeats)]
    return interval(value, float(np.std(found, ddof=1)))
