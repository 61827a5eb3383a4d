"""Arguments that several ops read in the same way. Whatever does not fit is a ValueError of one line."""

from __future__ import annotations

import math

import tensorflow as tf


def as_images(x: tf.Tensor) -> tf.Tensor:
    """Images [N,H,W,C] of a floating type, with at least one pixel and one channel; N may be 0."""
    x = tf.convert_to_tensor(x)
    if x.shape.rank != 4 or not x.dtype.is_floating:
        raise ValueError(f"x: found shape {x.shape} of {x.dtype.name}, expected [N, H, W, C] of a floating type")
    if 0 in x.shape[1:]:
        raise ValueError(f"x: found shape {x.shape}, expected images of at least 1x1 pixels and 1 channel")
    return x


def image_size(x: tf.Tensor) -> tuple:
    """(height, width) of images: whole numbers where known, else scalar tensors."""
    dynamic = tf.shape(x) if None in x.shape[1:3] else None
    return tuple(x.shape[i] if dynamic is None or x.shape[i] is not None else dynamic[i] for i in (1, 2))


def as_bias(b: tf.Tensor | None, x: tf.Tensor) -> tf.Tensor | None:
    """A bias [C] of x's type for its last axis, or None."""
    if b is None:
        return None
    b = tf.convert_to_tensor(b)
    if b.dtype != x.dtype or b.shape.rank != 1 or not b.shape.is_compatible_with(x.shape[-1:]):
        found = f"shape {b.shape} of {b.dtype.name} for x of shape {x.shape} of {x.dtype.name}"
        raise ValueError(f"b: found {found}, expected [C] of x's type")
    return b


def as_number(value: float | None, name: str, default: float = math.nan) -> float:
    """A number that may be Inf, but not NaN; None is the default."""
    number = default if value is None else float(value)
    if math.isnan(number):
        raise ValueError(f"{name}: found {value!r}, expected a number")
    return number
