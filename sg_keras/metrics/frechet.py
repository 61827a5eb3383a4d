"""Frechet distance of features, taken as Gaussian (FID, arXiv:1706.08500), by the published divisor N."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.linalg

_BLOCK = 4096  # rows that are held in float64 at a time


class FeatureMoments:
    """Mean and covariance of features that come batch by batch, summed in float64.

    Args:
        dimension: D, columns of the features.

    Example:
        >>> moments = sg_keras.metrics.FeatureMoments(2)
        >>> moments.add(np.array([[0.0, 1.0], [2.0, 1.0]]))
        >>> moments.mean.tolist(), moments.covariance.tolist()
        ([1.0, 1.0], [[1.0, 0.0], [0.0, 0.0]])
    """

    def __init__(self, dimension: int) -> None:
        self.count = 0
        self._sum = np.zeros([dimension])
        self._products = np.zeros([dimension, dimension])

    @classmethod
    def of(cls, features: np.ndarray) -> FeatureMoments:
        """The moments of [N,D]."""
        moments = cls(features.shape[1])
        moments.add(features)
        return moments

    def add(self, features: np.ndarray) -> None:
        """Add rows of [N,D].

        Raises:
            ValueError: they have another width, or hold NaN or Inf.
        """
        if features.ndim != 2 or features.shape[1] != len(self._sum):
            raise ValueError(f"features: found the shape {list(features.shape)}, expected [N,{len(self._sum)}]")
        if not np.isfinite(features).all():
            raise ValueError("features: found NaN or Inf, expected finite numbers")
        self.count += len(features)
        for start in range(0, len(features), _BLOCK):
            rows = features[start : start + _BLOCK].astype(np.float64)
            self._sum += rows.sum(axis=0)
            self._products += rows.T @ rows

    @property
    def mean(self) -> np.ndarray:
        """float64 [D]."""
        return self._sum / self.count

    @property
    def covariance(self) -> np.ndarray:
        """float64 [D,D], divided by N as published, not by N - 1."""
        return self._products / self.count - np.outer(self.mean, self.mean)

    @property
    def is_singular(self) -> bool:
        """Whether there are too few rows for a covariance of full rank: distances then depend on N more than usual."""
        return self.count <= len(self._sum)


def frechet_distance(
    real: FeatureMoments, fake: FeatureMoments, *, method: Literal["eigenvalues", "sqrtm"] = "eigenvalues"
) -> float:
    """|m_fake - m_real|^2 + trace(S_fake + S_real - 2 sqrt(S_fake S_real)), the root's real part, no epsilon.

    Args:
        method: how the root's trace is found. "eigenvalues" takes the roots of those of the symmetric product
            S_real^(1/2) S_fake S_real^(1/2), which are those of S_fake S_real: quick, and exact where covariances are
            singular. "sqrtm" is SciPy's root of the matrix, as published.

    Raises:
        ValueError: there are no rows, or other numbers of columns.

    Example:
        >>> moments = sg_keras.metrics.FeatureMoments.of(np.array([[0.0], [2.0]]))
        >>> shifted = sg_keras.metrics.FeatureMoments.of(np.array([[3.0], [5.0]]))
        >>> sg_keras.metrics.frechet_distance(moments, shifted)
        9.0
    """
    if not (real.count and fake.count):
        raise ValueError("features: found no rows, expected some of reals and of fakes")
    difference = fake.mean - real.mean
    covariance_real, covariance_fake = real.covariance, fake.covariance
    if method == "sqrtm":
        root_trace = float(np.trace(scipy.linalg.sqrtm(covariance_fake @ covariance_real).real))
    else:
        root_trace = product_root_trace(square_root(covariance_real), covariance_fake)
    traces = np.trace(covariance_fake) + np.trace(covariance_real)
    return float(difference @ difference + traces - 2 * root_trace)


def standard_error(real: FeatureMoments, fake: np.ndarray, *, repeats: int = 10, seed: int = 0) -> float:
    """Of the distance of fakes [M,D] from reals, by bootstrap over the fakes.

    Rows that are drawn twice make covariances narrower and distances larger, so that only the spread means something.
    """
    root, seen = square_root(real.covariance), np.empty_like(fake)
    lengths = np.empty([len(fake)])
    for start in range(0, len(fake), _BLOCK):
        rows = fake[start : start + _BLOCK] - real.mean
        lengths[start : start + _BLOCK] = np.square(rows).sum(axis=1)
        seen[start : start + _BLOCK] = rows @ root
    random, found = np.random.default_rng(seed), []
    for _ in range(repeats):
        weights = np.bincount(random.integers(len(fake), size=len(fake)), minlength=len(fake)) / len(fake)
        products = _product(seen, weights)
        roots = np.sqrt(np.maximum(np.linalg.eigvalsh(products), 0)).sum()
        # |mean|^2 of the distance and the trace of the covariance, lengths without |mean|^2, add up to all lengths.
        found.append(weights @ lengths - 2 * roots)
    return float(np.std(found, ddof=1))


def _product(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """A matrix with the eigenvalues, but for zeros, of the covariance of rows [M,D] that count so much, [M]."""
    mean = weights @ rows
    if len(rows) < rows.shape[1]:
        centred = (rows - mean) * np.sqrt(weights)[:, np.newaxis]
        return np.asarray(centred @ centred.T)
    product = np.zeros([rows.shape[1], rows.shape[1]])
    for start in range(0, len(rows), _BLOCK):
        some = rows[start : start + _BLOCK] - mean
        product += (some * weights[start : start + _BLOCK, np.newaxis]).T @ some
    return product


def square_root(covariance: np.ndarray) -> np.ndarray:
    """Symmetric root of a positive semi-definite matrix [D,D]; eigenvalues that rounding made negative count as 0."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def product_root_trace(root: np.ndarray, covariance: np.ndarray) -> float:
    """Trace of the root of (root root) covariance, all [D,D]."""
    values = np.linalg.eigvalsh(root @ covariance @ root)
    return float(np.sqrt(np.maximum(values, 0)).sum())
