"""Affine warps of images with bilinear interpolation, and their exact derivatives: what ADA's geometry needs.

The warp is linear in the images. Its transpose is an op of its own, so that images have exact derivatives of every
order (TensorFlow's projective transform warps gradients by the inverse matrix instead, which is no transpose).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from sg_keras.ops import library


def warp_affine(x: tf.Tensor, theta: tf.Tensor, size: Sequence[int] | tf.Tensor, impl: str = "auto") -> tf.Tensor:
    """Samples images where an affine map sends the pixels of the result (arXiv:1506.02025, equations 1 and 5).

    Coordinates run from -1 to 1 over an image from edge to edge: pixel (i, j) of the result has its centre at
    (x, y) = ((2j + 1) / width - 1, (2i + 1) / height - 1), and `theta @ (x, y, 1)` are the coordinates in `x`, in the
    same units. There the four nearest pixels are interpolated bilinearly; pixels outside the image count as 0.

    Args:
        x: images [N, H, W, C] of a floating type. N may be 0 or unknown.
        theta: matrices [N, 2, 3]: float64 with float64 images, else float32. NaN, Inf, and positions
            beyond the image, however far, give 0.
        size: (height, width) of the result: whole numbers, or a tensor of two. The compiled op takes images and results
            of up to 32768 x 32768 pixels.
        impl: "auto", "custom" or "reference".

    Returns:
        [N, height, width, C] of x's type. Differentiable to any order in x and theta. The result is bilinear in a
        position as long as that stays between the same pixels: there the derivatives are exact, the only second ones by
        theta being the mixed ones of horizontal and vertical position. Where a coordinate meets a pixel's centre
        exactly, the derivative by theta is the one on the side of larger coordinates.

    Raises:
        ValueError: arguments of a wrong form; see also `library.resolve_impl`.

    Example:
        >>> x = tf.reshape(tf.range(4.0), [1, 2, 2, 1])
        >>> mirror = tf.constant([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
        >>> sg_keras.ops.warp_affine(x, mirror, (2, 2)).numpy().ravel().tolist()
        [1.0, 0.0, 3.0, 2.0]
    """
    x, theta = tf.convert_to_tensor(x), tf.convert_to_tensor(theta)
    _check_tensors(x, theta)
    size = _as_size(size)
    if library.resolve_impl(impl, x.dtype) == "custom":
        return library.custom_ops().sg_keras_warp_affine(x, theta, size)
    return _reference(x, theta, size)


# ---------------------------------------------------------------------------------------------------- reference


def _reference(x: tf.Tensor, theta: tf.Tensor, size: Sequence[int] | tf.Tensor) -> tf.Tensor:
    """Gathers each of the four neighbours for all pixels: TensorFlow's own derivatives of this are exact."""
    if x.dtype in (tf.float16, tf.bfloat16):  # interpolate in single precision, as the compiled op does
        return tf.cast(_reference(tf.cast(x, tf.float32), theta, size), x.dtype)
    size_of_x = _image_size(x)
    (columns, right), (rows, lower) = (_neighbours(theta, axis, size_of_x[1 - axis], size) for axis in (0, 1))
    # A border of zeros stands for all that is outside.
    height, width = size_of_x[0] + 2, size_of_x[1] + 2
    pixels = tf.reshape(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), [-1, x.shape[3] or tf.shape(x)[3]])
    first_rows = (tf.range(tf.shape(x)[0]) * height)[:, tf.newaxis, tf.newaxis]
    y = None
    for dy, vertical in ((0, 1 - lower), (1, lower)):
        starts = (first_rows + tf.clip_by_value(rows + dy + 1, 0, height - 1)) * width
        for dx, horizontal in ((0, 1 - right), (1, right)):
            index = starts + tf.clip_by_value(columns + dx + 1, 0, width - 1)
            part = tf.gather(pixels, index) * (vertical * horizontal)[..., tf.newaxis]
            y = part if y is None else y + part
    return y


def _neighbours(theta: tf.Tensor, axis: int, count: tf.Tensor, size: Sequence[int] | tf.Tensor) -> tuple:
    """Where the result's pixels lie on an axis of x (0: horizontal, `count` pixels).

    Returns:
        Index of the pixel before, and distance from it, [N, height, width]. Positions further outside than a pixel, NaN
        and Inf are set to where both neighbours are outside.
    """
    v, u = (_from_centre(size[i], theta.dtype) for i in (0, 1))
    count = tf.cast(count, theta.dtype)
    by_column, by_row = (theta[:, axis, i] * (count / tf.cast(size[1 - i], theta.dtype)) for i in (0, 1))
    offset = (theta[:, axis, 2] + 1) * (count / 2) - 0.5
    position = by_row[:, tf.newaxis] * v + offset[:, tf.newaxis]
    position = position[:, :, tf.newaxis] + by_column[:, tf.newaxis, tf.newaxis] * u
    beyond = tf.constant(-2, theta.dtype)
    position = tf.clip_by_value(tf.where(tf.math.is_finite(position), position, beyond), beyond, count + 1)
    before = tf.floor(position)
    return tf.cast(before, tf.int32), position - before


def _from_centre(count: int | tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Pixels counted from the centre of `count`: the identity, flips and quarter rotations are exact in these."""
    return tf.cast(tf.range(count), dtype) + (1 - tf.cast(count, dtype)) / 2


# ---------------------------------------------------------------------------------------------------- custom


@tf.RegisterGradient("SgKeras>WarpAffine")
def _warp_gradient(op: tf.Operation, cotangent: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
    x, theta, _ = op.inputs
    ops, unused = library.custom_ops(), _unused_inputs(op)
    dx = None if 0 in unused else ops.sg_keras_warp_affine_transpose(cotangent, theta, _image_size(x))
    dtheta = None if 1 in unused else ops.sg_keras_warp_affine_matrix_gradient(cotangent, x, theta)
    return dx, dtheta, None


@tf.RegisterGradient("SgKeras>WarpAffineTranspose")
def _transpose_gradient(op: tf.Operation, cotangent: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
    dy, theta, _ = op.inputs
    ops, unused = library.custom_ops(), _unused_inputs(op)
    ddy = None if 0 in unused else ops.sg_keras_warp_affine(cotangent, theta, _image_size(dy))
    dtheta = None if 1 in unused else ops.sg_keras_warp_affine_matrix_gradient(dy, cotangent, theta)
    return ddy, dtheta, None


@tf.RegisterGradient("SgKeras>WarpAffineMatrixGradient")
def _matrix_gradient_gradient(op: tf.Operation, cotangent: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """By TensorFlow's derivatives of the reference, since nothing in training takes this path."""
    dy, x, theta = op.inputs
    with tf.GradientTape() as outer:
        outer.watch([dy, x, theta])
        with tf.GradientTape() as inner:
            inner.watch(theta)
            y = _reference(x, theta, _image_size(dy))
        dtheta = inner.gradient(y, theta, output_gradients=dy)
    return tuple(outer.gradient(dtheta, [dy, x, theta], output_gradients=cotangent))


def _unused_inputs(op: tf.Operation) -> Sequence[int]:
    """Inputs whose derivatives nobody asks for: known in eager mode alone; in graphs what is unused is never run."""
    return getattr(op, "skip_input_indices", None) or ()


# ---------------------------------------------------------------------------------------------------- arguments


def _check_tensors(x: tf.Tensor, theta: tf.Tensor) -> None:
    if x.shape.rank != 4 or not x.dtype.is_floating:
        raise ValueError(f"x: found shape {x.shape} of {x.dtype.name}, expected [N, H, W, C] of a floating type")
    if 0 in x.shape[1:]:
        raise ValueError(f"x: found shape {x.shape}, expected images of at least 1x1 pixels and 1 channel")
    dtype = tf.float64 if x.dtype == tf.float64 else tf.float32
    if theta.dtype != dtype or not theta.shape.is_compatible_with([x.shape[0], 2, 3]):
        found = f"shape {theta.shape} of {theta.dtype.name} for x of shape {x.shape} of {x.dtype.name}"
        raise ValueError(f"theta: found {found}, expected [N, 2, 3] of {dtype.name}")


def _as_size(size: Any) -> Sequence[int] | tf.Tensor:
    """(height, width) as whole numbers, or as an int32 tensor."""
    expected = "expected (height, width), whole numbers of at least 1"
    if tf.is_tensor(size):
        if not size.dtype.is_integer or not size.shape.is_compatible_with([2]):
            raise ValueError(f"size: found a tensor of shape {size.shape} of {size.dtype.name}, {expected}")
        return tf.ensure_shape(tf.cast(size, tf.int32), [2])
    try:
        height, width = map(operator.index, size)
    except (TypeError, ValueError):
        raise ValueError(f"size: found {size!r}, {expected}") from None
    if height < 1 or width < 1:
        raise ValueError(f"size: found {size!r}, {expected}")
    return height, width


def _image_size(x: tf.Tensor) -> Sequence[int] | tf.Tensor:
    """(height, width): whole numbers where known, else a tensor."""
    return tuple(x.shape[1:3]) if x.shape[1:3].is_fully_defined() else tf.shape(x)[1:3]
