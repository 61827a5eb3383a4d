"""Resampling of images as products with matrices, a block of results at a time.

Zeros between pixels, padding and cropping are in the matrices then, and multiplying them is what all programs do best.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

_BLOCK = 32  # results of a product: a block reads no more of the image than its filters reach


def band_matrix(taps: np.ndarray, have: int, size: int, up: int, down: int, pad_before: int) -> np.ndarray:
    """The map of an axis, [size,have]: out[o] = sum over j of taps[j] * upsampled[o * down + j - pad_before].

    Args:
        taps: of the filter, [n].
        have: samples of the axis.
        size: of the results.
        up, down: factors of the rate; up - 1 zeros come after each sample.
        pad_before: zeros before the upsampled samples; a negative number crops.

    Example:
        >>> band_matrix(np.array([1.0, 2.0]), have=2, size=3, up=2, down=1, pad_before=1).tolist()
        [[2.0, 0.0], [1.0, 0.0], [0.0, 2.0]]
    """
    j = np.arange(have) * up - np.arange(size)[:, np.newaxis] * down + pad_before
    inside = (j >= 0) & (j < taps.size)
    return np.where(inside, taps[np.where(inside, j, 0)], 0)


def by_matrices(x: tf.Tensor, rows: np.ndarray, columns: np.ndarray) -> tf.Tensor:
    """Images [N,H,W,C] of known height, width and channels, mapped along rows [h,H] and columns [w,W]: [N,h,w,C]."""
    if rows.shape[0] > rows.shape[1]:  # the longer way when there is more of it
        return _along_rows(_product(columns, x, axis=2), rows)
    return _product(columns, _along_rows(x, rows), axis=2)


def _along_rows(x: tf.Tensor, rows: np.ndarray) -> tf.Tensor:
    """As one product of [N,H,W*C]."""
    _, height, width, channels = x.shape
    flat = _product(rows, tf.reshape(x, [-1, height, width * channels]), axis=1)
    return tf.reshape(flat, [-1, rows.shape[0], width, channels])


def _product(matrix: np.ndarray, x: tf.Tensor, axis: int) -> tf.Tensor:
    """matrix @ x over the axis before the last one, block by block."""
    parts = []
    for first in range(0, matrix.shape[0], _BLOCK):
        block = matrix[first : first + _BLOCK]
        read = np.flatnonzero(block.any(axis=0))
        low, high = (int(read[0]), int(read[-1]) + 1) if read.size else (0, 1)
        part = x if (low, high) == (0, matrix.shape[1]) else x[:, low:high] if axis == 1 else x[:, :, low:high]
        parts.append(tf.matmul(tf.constant(block[:, low:high], x.dtype), part))
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis=axis)
