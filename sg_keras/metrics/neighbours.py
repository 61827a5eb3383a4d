"""Nearest neighbours by brute force, in blocks: a block of distances is the most that is held.

With 50,000 rows against 50,000 of 1280 columns the features take 512 MB, their copies as much, and blocks 0.1 GB.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

#: Distances held at once, where that is not fewer than those of LEAST_ROWS queries: 8 MB, which caches can hold.
BLOCK, LEAST_ROWS = 1 << 21, 128
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
    for rows, block, smallest in _square_blocks(queries, references, half):
        if same:
            block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = np.inf
        nearest = np.argpartition(block, k - 1, axis=1)[:, :k]
        found = np.take_along_axis(block, nearest, axis=1)
        found[found < smallest[nearest]] = 0
        order = np.argsort(found, axis=1, kind="stable")
        distances[rows] = np.sqrt(np.take_along_axis(found, order, axis=1))
        indices[rows] = np.take_along_axis(nearest, order, axis=1)
    return (_rounded(distances) if half else distances), indices


def count_within(queries: np.ndarray, references: np.ndarray, radii: np.ndarray, *, half: bool = False) -> np.ndarray:
    """How many references have each query within their radius.

    Args:
        queries, references: float32 [Q,D] and [R,D].
        radii: [R], each reference's own, as of k_nearest.
        half: as in k_nearest.

    Returns:
        int64 [Q].
    """
    counts = np.empty([len(queries)], np.int64)
    # A query that is equal to the row that gave the radius counts, whatever the order of additions made of it.
    limits = np.square(radii) * np.float32(1 + _ROUNDING)
    for rows, block, smallest in _square_blocks(queries, references, half):
        if half:
            inside = _rounded(np.sqrt(np.maximum(block, 0, out=block), out=block)) <= radii
        else:
            inside = block <= np.maximum(limits, smallest)
        counts[rows] = np.count_nonzero(inside, axis=1)
    return counts


def _square_blocks(
    queries: np.ndarray, references: np.ndarray, half: bool
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Squared distances float32 [q,R] of some queries after others, with which they are. They may be written to.

    The last is what rounding may leave of 0, [R]: rows that are nearer than that are equal.
    """
    if half:
        queries, references = _rounded(queries), _rounded(references)
    centre = references.mean(axis=0, dtype=np.float64).astype(np.float32)  # small numbers cancel less
    references = references.astype(np.float32) - centre
    lengths = np.einsum("rd,rd->r", references, references)
    step = max(LEAST_ROWS, BLOCK // max(1, len(references)))
    for start in range(0, len(queries), step):
        rows = slice(start, min(start + step, len(queries)))
        some = queries[rows].astype(np.float32) - centre
        squares = (-2 * some) @ references.T
        squares += np.einsum("qd,qd->q", some, some)[:, np.newaxis]
        squares += lengths
        yield rows, squares, _ROUNDING * lengths


def _rounded(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(np.float16).astype(np.float32)
