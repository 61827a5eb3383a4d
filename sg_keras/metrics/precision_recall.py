"""Improved precision and recall (arXiv:1904.06991), density and coverage (arXiv:2002.09797): fakes among reals.

Each is a mean over images of what holds for one, so that the spread of the mean follows from it (`interval_of_mean`).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from sg_keras.metrics.checked import check_features
from sg_keras.metrics.neighbours import count_within, k_nearest


@dataclasses.dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """What holds for single images; the scores are the means.

    Attributes:
        precision: bool [fakes]: it lies in the ball of a real.
        recall: bool [reals]: it lies in the ball of a fake.
    """

    precision: np.ndarray
    recall: np.ndarray


@dataclasses.dataclass(frozen=True, slots=True)
class DensityCoverage:
    """What holds for single images; the scores are the means.

    Attributes:
        density: float64 [fakes]: balls of reals in which it lies, divided by k. The mean may exceed 1.
        coverage: bool [reals]: a fake lies in its ball.
    """

    density: np.ndarray
    coverage: np.ndarray


def precision_recall(real: np.ndarray, fake: np.ndarray, *, k: int = 3, half: bool = False) -> PrecisionRecall:
    """Which fakes look real, and which reals could have been made.

    Args:
        real, fake: float32 [N,D] and [M,D].
        k: a ball reaches to the k-th nearest of the same kind, itself not counted.
        half: features and distances rounded to float16, as published for pr50k3.

    Raises:
        ValueError: fewer than k + 1 rows, NaN or Inf, or other numbers of columns.

    Example:
        >>> reals = np.random.default_rng(0).standard_normal([50, 4])
        >>> found = sg_keras.metrics.precision_recall(reals, reals + 100)
        >>> found.precision.mean().item(), found.recall.mean().item()
        (0.0, 0.0)
    """
    check_features(real, fake, least=k + 1)
    real_radii, fake_radii = (k_nearest(rows, rows, k, same=True, half=half)[0][:, -1] for rows in (real, fake))
    return PrecisionRecall(
        precision=count_within(fake, real, real_radii, half=half) > 0,
        recall=count_within(real, fake, fake_radii, half=half) > 0,
    )


def density_coverage(real: np.ndarray, fake: np.ndarray, *, k: int = 5) -> DensityCoverage:
    """How densely fakes lie among reals, and which reals have a fake nearby; outliers among fakes harm neither.

    Args:
        real, fake: float32 [N,D] and [M,D].
        k: a real's ball reaches to its k-th nearest real, itself not counted.

    Raises:
        ValueError: fewer than k + 1 rows, NaN or Inf, or other numbers of columns.
    """
    check_features(real, fake, least=k + 1)
    radii = k_nearest(real, real, k, same=True)[0][:, -1]
    nearest_fake = k_nearest(real, fake, 1)[0][:, 0]
    return DensityCoverage(density=count_within(fake, real, radii) / k, coverage=nearest_fake <= radii)
