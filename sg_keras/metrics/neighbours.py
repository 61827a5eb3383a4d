"""Nearest neighbours by brute force, in blocks: a block of distances is the most that is held.

With 50,000 rows against 50,000 of 1280 columns the features take 512 MB, and blocks less than 0.5 GB more.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

#: Distances held at once: 2^25 of float32 are 134 MB.
BLOCK = 1 << 25
# Of the squared lengths: what rounding leaves of the distance between equal rows, or rows as good as equal.
_ROUNDING = 4e-6


def k_nearest(
    queries: np.ndarray, references: np.ndarray, k: int, *, same: bool = False, half: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest references of each query.

    Args:
        queries, references: float32 [Q,D] and [R,D].
        same: the two are the same array, and a row is no neighbour of itself.
        half: features and distances are rounded to float16, as the published precision and recall do.

    Returns:
        Euclidean distances, ascending, float32 [Q,k]; their indices [Q,k].

    Raises:
        ValueError: there are fewer than k references.

    Example:
        >>> distances, indices = sg_keras.metrics.k_nearest(np.zeros([1, 1]), np.array([[3.0], [1.0], [-2.0]]), 2)
        >>> distances.tolist(), indices.tolist()
        ([[1.0, 2.0]], [[1, 2]])
    """
    if len(references) < k + same:
        raise ValueError(f"references: found {len(references)} rows, expected {k + same} at least")
    distances = np.empty([len(queries), k], np.float32)
    indices = np.empty([len(queries), k], np.intp)
    for rows, block in distance_blocks(queries, references, half=half):
        if same:
            block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = np.inf
        nearest = np.argpartition(block, k - 1, axis=1)[:, :k]
        found = np.take_along_axis(block, nearest, axis=1)
        order = np.argsort(found, axis=1, kind="stable")
        distances[rows] = np.take_along_axis(found, order, axis=1)
        indices[rows] = np.take_along_axis(nearest, order, axis=1)
    return distances, indices


def count_within(queries: np.ndarray, references: np.ndarray, radii: np.ndarray, *, half: bool = False) -> np.ndarray:
    """How many references have each query within their radius.

    Args:
        queries, references: float32 [Q,D] and [R,D].
        radii: [R], each reference's own.
        half: as in k_nearest.

    Returns:
        int64 [Q].
    """
    counts = np.empty([len(queries)], np.int64)
    for rows, block in distance_blocks(queries, references, half=half):
        counts[rows] = np.count_nonzero(block <= radii, axis=1)
    return counts


def distance_blocks(
    queries: np.ndarray, references: np.ndarray, *, half: bool = False
) -> Iterator[tuple[slice, np.ndarray]]:
    """Distances float32 [q,R] of some queries after others, with which they are. The caller may write to them."""
    if half:
        queries, references = (rows.astype(np.float16).astype(np.float32) for rows in (queries, references))
    centre = references.mean(axis=0, dtype=np.float64).astype(np.float32)  # small numbers cancel less
    references = references.astype(np.float32) - centre
    reference_lengths = np.einsum("rd,rd->r", references, references)
    step = max(1, BLOCK // max(1, len(references)))
    for start in range(0, len(queries), step):
        rows = slice(start, min(start + step, len(queries)))
        some = queries[rows].astype(np.float32) - centre
        lengths = np.einsum("qd,qd->q", some, some)[:, np.newaxis] + reference_lengths
        squares = some @ references.T
        squares *= -2
        squares += lengths
        lengths *= _ROUNDING
        squares[squares < lengths] = 0
        distances = np.sqrt(squares, out=squares)
        yield rows, distances.astype(np.float16).astype(np.float32) if half else distances
