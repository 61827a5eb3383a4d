"""Kernel distance of features (KID, arXiv:1801.01401): the squared maximum mean discrepancy under (x.y/d + 1)^3.

It is unbiased: near 0 for equal distributions whatever N, and sometimes below it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sg_keras.metrics.checked import check_features

_BLOCK = 1024  # rows of a block of kernels
_ENOUGH = 8192  # rows whose spread is that of all to 1%


class DrawsIndices(Protocol):
    """NumPy's Generator, or the older RandomState that the published code draws with."""

    def choice(self, a: int, size: int, replace: bool) -> np.ndarray: ...


def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(x.y/d + 1)^3 of rows [N,D] and [M,D]: [N,M] in their type."""
    base = x @ y.T
    base /= x.shape[1]
    base += 1
    return base * base * base  # a power takes ten times as long


def kernel_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """Unbiased estimate over all pairs of [N,D] and [M,D], in float64; memory grows with M*M.

    Raises:
        ValueError: fewer than two rows, NaN or Inf, or other numbers of columns.

    Example:
        >>> draw = np.random.default_rng(0).standard_normal
        >>> abs(sg_keras.metrics.kernel_distance(draw([200, 8]), draw([200, 8]))) < 0.1
        True
    """
    check_features(real, fake, least=2)
    return KernelSums(real, fake).distance()


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
        found[number] = KernelSums(reals, fakes).distance()
    return found


def first_order_error(real: np.ndarray, fake: np.ndarray) -> float:
    """Standard error of the distance over draws of fakes [M,D], reals [N,D] as they are: what single fakes move it by.

    In float32, in blocks, and of the first rows of many, so that any number will do. Where distributions are equal it
    vanishes, and what pairs of fakes move is left.
    """
    real, fake = real.astype(np.float32), fake.astype(np.float32)
    moved = [
        kernel(rows, fake).mean(axis=1, dtype=np.float64) - kernel(rows, real).mean(axis=1, dtype=np.float64)
        for rows in _blocks(fake[:_ENOUGH])
    ]
    return 2 * float(np.std(np.concatenate(moved), ddof=1)) / np.sqrt(len(fake))


class KernelSums:
    """Sums of kernels from which estimates with other weights of the fakes are cheap. The reals stay as they are.

    Args:
        real, fake: [N,D] and [M,D]; memory grows with M*M, and with N in blocks.
    """

    def __init__(self, real: np.ndarray, fake: np.ndarray) -> None:
        real, fake = real.astype(np.float64), fake.astype(np.float64)
        total = sum(float(kernel(rows, real).sum()) for rows in _blocks(real))
        own = float((((real**2).sum(axis=1) / real.shape[1] + 1) ** 3).sum())
        self._within_real = (total - own) / (len(real) * (len(real) - 1))
        self._fake = kernel(fake, fake)
        self._to_real = np.concatenate([kernel(rows, real).mean(axis=1) for rows in _blocks(fake)])

    def distance(self, weights: np.ndarray | None = None) -> float:
        """The unbiased estimate where fake i counts so many times, [M]; a row and itself are never a pair."""
        weights = np.ones(len(self._fake)) if weights is None else weights
        return float(self._within_real + _within(self._fake, weights) - 2 * weights @ self._to_real / weights.sum())

    def standard_error(self, *, repeats: int = 200, seed: int = 0) -> float:
        """Of the distance, by bootstrap over the fakes."""
        random, count = np.random.default_rng(seed), len(self._fake)
        draws = random.multinomial(count, np.full([count], 1 / count), size=repeats).astype(np.float64)
        draws = draws[np.count_nonzero(draws, axis=1) > 1]  # of one fake alone there is no pair
        return float(np.std([self.distance(weights) for weights in draws], ddof=1))


def _blocks(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]


def _within(kernels: np.ndarray, weights: np.ndarray) -> float:
    """Mean over ordered pairs of different rows."""
    diagonal = float(weights**2 @ np.diagonal(kernels))
    return (float(weights @ kernels @ weights) - diagonal) / float(weights.sum() ** 2 - (weights**2).sum())
