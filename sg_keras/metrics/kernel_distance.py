"""Kernel distance of features (KID, arXiv:1801.01401): the squared maximum mean discrepancy under (x.y/d + 1)^3.

It is unbiased: near 0 for equal distributions whatever N, and sometimes below it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sg_keras.metrics.checked import check_features


class DrawsIndices(Protocol):
    """NumPy's Generator, or the older RandomState that the published code draws with."""

    def choice(self, a: int, size: int, replace: bool) -> np.ndarray: ...


def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(x.y/d + 1)^3 of rows [N,D] and [M,D]: [N,M] in their type."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def kernel_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """Unbiased estimate over all pairs of [N,D] and [M,D], in float64; memory grows with N*M.

    Raises:
        ValueError: fewer than two rows, NaN or Inf, or other numbers of columns.

    Example:
        >>> draw = np.random.default_rng(0).standard_normal
        >>> abs(sg_keras.metrics.kernel_distance(draw([200, 8]), draw([200, 8]))) < 0.1
        True
    """
    check_features(real, fake, least=2)
    return KernelMatrices(real, fake).distance(np.ones(len(real)), np.ones(len(fake)))


def subset_kernel_distances(
    real: np.ndarray, fake: np.ndarray, *, subsets: int = 100, size: int = 1000, random: DrawsIndices
) -> np.ndarray:
    """As published: unbiased estimates on subsets without repetition, whose mean is the score.

    Args:
        real, fake: [N,D] and [M,D].
        size: rows of a subset at most; fewer where there are fewer reals or fakes.
        random: draws the indices of fakes, then those of reals, subset after subset.

    Returns:
        float64 [subsets].

    Raises:
        ValueError: fewer than two rows, NaN or Inf, or other numbers of columns.
    """
    check_features(real, fake, least=2)
    size = min(len(real), len(fake), size)
    found = np.empty([subsets])
    for number in range(subsets):
        fakes = fake[random.choice(len(fake), size, replace=False)]
        reals = real[random.choice(len(real), size, replace=False)]
        found[number] = KernelMatrices(reals, fakes).distance(np.ones(size), np.ones(size))
    return found


class KernelMatrices:
    """Kernels of all pairs, from which weighted estimates are cheap.

    Args:
        real, fake: [N,D] and [M,D].
    """

    def __init__(self, real: np.ndarray, fake: np.ndarray) -> None:
        real, fake = real.astype(np.float64), fake.astype(np.float64)
        self._real, self._fake, self._between = kernel(real, real), kernel(fake, fake), kernel(fake, real)

    def distance(self, real_weights: np.ndarray, fake_weights: np.ndarray) -> float:
        """The unbiased estimate where row i counts so many times, [N] and [M]; a row and itself are never a pair."""
        between = fake_weights @ self._between @ real_weights / (fake_weights.sum() * real_weights.sum())
        return float(_within(self._real, real_weights) + _within(self._fake, fake_weights) - 2 * between)

    def standard_error(self, *, repeats: int = 200, seed: int = 0) -> float:
        """Of the distance, by bootstrap over rows."""
        random = np.random.default_rng(seed)
        found = [
            self.distance(_counts(random, len(self._real)), _counts(random, len(self._fake))) for _ in range(repeats)
        ]
        return float(np.std(found, ddof=1))


def _within(kernels: np.ndarray, weights: np.ndarray) -> float:
    """Mean over ordered pairs of different rows."""
    diagonal = float(weights**2 @ np.diagonal(kernels))
    return (float(weights @ kernels @ weights) - diagonal) / float(weights.sum() ** 2 - (weights**2).sum())


def _counts(random: np.random.Generator, count: int) -> np.ndarray:
    """How often each of `count` rows is drawn, of as many draws."""
    return random.multinomial(count, np.full([count], 1 / count)).astype(np.float64)
