"""Between the values of image files, uint8 0..255, and those that networks see, -1..1."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import tensorflow as tf

Values = TypeVar("Values", np.ndarray, tf.Tensor)


def from_uint8(pixels: Values, dtype: str | tf.DType = tf.float32) -> Values:
    """From 0..255 to -1..1, any shape: x / 127.5 - 1.

    Args:
        pixels: uint8, or means of such values; an array or a tensor.
        dtype: of a tensor's result; that of an array is float32.

    Example:
        >>> from_uint8(np.array([0, 255], np.uint8))
        array([-1.,  1.], dtype=float32)
    """
    values = tf.cast(pixels, dtype) if tf.is_tensor(pixels) else np.asarray(pixels, np.float32)
    return values / 127.5 - 1


def to_uint8(images: Values) -> Values:
    """From -1..1 (clipped) to 0..255, any shape: floor(127.5 x + 128), as published.

    Args:
        images: floating; an array or a tensor.

    Example:
        >>> to_uint8(np.array([-2.0, -1.0, 0.0, 1.0]))
        array([  0,   0, 128, 255], dtype=uint8)
    """
    if tf.is_tensor(images):
        return tf.cast(tf.clip_by_value(tf.cast(images, tf.float32) * 127.5 + 128, 0, 255), tf.uint8)
    return np.clip(np.asarray(images, np.float32) * 127.5 + 128, 0, 255).astype(np.uint8)
