"""Flips, rotations, translations and scalings of images, as one warp per sample (arXiv:2006.06676, appendix B.1).

An image is continued by reflection, enlarged by 2 with a wavelet filter, sampled bilinearly where the inverse map
sends the pixels of the result (at twice the size too), and reduced with the same filter. How far reflection reaches
is that of the micro-batch's widest transform, as published; beyond it there are zeros. The margins are numbers in the
graph, so that one graph serves them all. They and the small matrices before them are computed on the CPU, where a
graph needs the sizes of tensors: no step waits for an accelerator for them, if p, the seed and the first sample's index
are on the CPU too.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from sg_keras.augment.reflection import reflect_pad
from sg_keras.augment.sampling import RandomSource
from sg_keras.augment.transform_layer import TransformLayer
from sg_keras.augment.wavelets import geometry_filter
from sg_keras.ops import downsample2d, upsample2d, warp_affine

_BORDER = 3  # pixels around the result that the reducing filter reads: a quarter of its 12 taps
_UP = 2


class Geometry(TransformLayer):
    """The geometric transforms of a pipe: flips, rotations, translations, scalings. Linear in the images."""

    def transform(self, images: tf.Tensor, parameters: dict[str, tf.Tensor], random: RandomSource) -> tf.Tensor:
        if not self.transforms.geometric:
            return images
        _, height, width, _ = images.shape
        with tf.device("CPU:0"):
            linear, shift = inverse_maps(parameters, height, width)
            moved = tf.reduce_any(linear != tf.eye(2, dtype=linear.dtype), axis=[1, 2])
            moved |= tf.reduce_any(shift != 0, axis=1)
        warped = warp_reflected(images, linear, shift, self.impl)
        return tf.raw_ops.Select(condition=moved, x=warped, y=images)  # samples whole, where tf.where takes pixels


# ---------------------------------------------------------------------------------------------------- matrices


def inverse_maps(parameters: dict[str, tf.Tensor], height: int, width: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The map of each sample from positions in the result to positions in the image.

    Positions are (x, y) in pixels from the centre. The product of the transforms in their order, flip first, each
    multiplied from the right by the next:
    flip, rotation by 90 degrees, whole translation, scaling, rotation, stretching, rotation, fractional translation.

    Args:
        parameters: as `sample_parameters` returns them.
        height: pixels.
        width: pixels.

    Returns:
        (L, t): matrices [N,2,2] and vectors [N,2] of x -> L x + t. Identities are exact.
    """
    flip = 1 - 2 * parameters["xflip"]
    shrink, squeeze = power_of_two(-parameters["scale"]), power_of_two(-parameters["aniso"])
    turns, before, after = tf.unstack(_rotations(parameters), axis=1)
    blit = _scale_rows(flip, tf.ones_like(flip), tf.round(turns))
    rest = _product(_scale_rows(shrink, shrink, before), _scale_rows(squeeze, 1 / squeeze, after))
    size = np.array([width, height], np.float64)
    whole, fraction = (_pair(parameters, name) * size for name in ("xint", "xfrac"))
    shift = _apply(blit, tf.round(whole) + _apply(rest, fraction))
    return _product(blit, rest), -shift


def power_of_two(exponent: tf.Tensor) -> tf.Tensor:
    """2 to the power of each number."""
    return tf.pow(tf.constant(2, exponent.dtype), exponent)


def _pair(parameters: dict[str, tf.Tensor], name: str) -> tf.Tensor:
    return tf.stack([parameters[f"{name}_x"], parameters[f"{name}_y"]], axis=1)


def _rotations(parameters: dict[str, tf.Tensor]) -> tf.Tensor:
    """[N,3,2,2]: the rotation by 90 degrees, and the rotations before and after stretching."""
    quarters = parameters["rotate90"] * (math.pi / 2)
    angles = tf.stack([quarters, parameters["rotate_before"], parameters["rotate_after"]], axis=1)
    cos, sin = tf.cos(angles), tf.sin(angles)
    return tf.reshape(tf.stack([cos, -sin, sin, cos], axis=2), [-1, 3, 2, 2])


def _scale_rows(first: tf.Tensor, second: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """diag(first, second) @ matrices, for [N], [N] and [N,2,2]."""
    return tf.stack([first, second], axis=1)[:, :, tf.newaxis] * matrices


def _product(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Products [N,2,2] of small matrices [N,2,2]: TensorFlow's take ten times as long to set up as to compute."""
    return tf.reduce_sum(left[:, :, :, tf.newaxis] * right[:, tf.newaxis], axis=2)


def _apply(matrices: tf.Tensor, vectors: tf.Tensor) -> tf.Tensor:
    """[N,2]: matrices [N,2,2] times vectors [N,2] or [2]."""
    return tf.reduce_sum(matrices * vectors[..., tf.newaxis, :], axis=-1)


# ---------------------------------------------------------------------------------------------------- warp


def warp_reflected(images: tf.Tensor, linear: tf.Tensor, shift: tf.Tensor, impl: str) -> tf.Tensor:
    """Sample images where each pixel of the result lies: at `linear @ (x, y) + shift`, in pixels from the centre.

    Args:
        images: [N,H,W,C].
        linear: [N,2,2].
        shift: [N,2].
        impl: of the ops.

    Returns:
        [N,H,W,C].
    """
    _, height, width, _ = images.shape
    with tf.device("CPU:0"):
        margins = reflected_margins(linear, shift, height, width)
        theta = _sampling_matrices(linear, shift, margins, height, width)
    taps = geometry_filter()
    enlarged = upsample2d(reflect_pad(images, margins), taps, up=_UP, impl=impl)
    warped = warp_affine(enlarged, theta, (_UP * (height + 2 * _BORDER), _UP * (width + 2 * _BORDER)), impl=impl)
    result = downsample2d(warped, taps, down=_UP, padding=-_UP * _BORDER, flip_filter=True, impl=impl)
    return tf.ensure_shape(result, images.shape)


def reflected_margins(linear: tf.Tensor, shift: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """How far images are continued by reflection: int32 [left, right, top, bottom], at most an image less a pixel.

    Far enough for the corner pixels of every sample's result and the filter's taps around them.
    """
    corner = np.array([(width - 1) / 2, (height - 1) / 2])
    reach = _apply(tf.abs(linear), tf.constant(corner, linear.dtype))  # of the corners around `shift`
    furthest = tf.reduce_max(tf.stack([reach - shift, reach + shift], axis=2), axis=0)  # [x or y, before or after]
    margins = furthest + (2 * _BORDER - corner)[:, np.newaxis]
    margins = tf.clip_by_value(margins, 0, np.array([[width - 1], [height - 1]], linear.dtype.as_numpy_dtype))
    return tf.reshape(tf.cast(tf.math.ceil(margins), tf.int32), [4])


def _sampling_matrices(linear: tf.Tensor, shift: tf.Tensor, margins: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """theta [N,2,3] of `warp_affine` from the enlarged, continued image to the enlarged result with its border.

    Positions from the centre of the image double; the centre of the enlarged image lies half of an enlarged pixel
    after the image's, as the wavelet filter has it, and is moved by uneven margins.
    """
    result_size = [_UP * (width + 2 * _BORDER), _UP * (height + 2 * _BORDER)]
    before_and_after = tf.reshape(tf.cast(margins, linear.dtype), [2, 2])
    half_size = before_and_after[:, 0] + before_and_after[:, 1] + [float(width), float(height)]
    uneven = before_and_after[:, 0] - before_and_after[:, 1]
    half_pixel = tf.constant([0.5, 0.5], linear.dtype)
    moved = 2 * shift + _apply(linear, half_pixel) + (uneven - half_pixel)
    columns = linear * [size / 2 for size in result_size]
    return tf.concat([columns, moved[:, :, tf.newaxis]], axis=2) / half_size[:, tf.newaxis]
