"""Modulated convolution of StyleGAN2 (arXiv:1912.04958, section 2.2, equations 1 and 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from sg_keras.ops.channel_scale import channel_scale
from sg_keras.ops.conv2d_resample import conv2d_resample

HALF_TYPES = (tf.float16, tf.bfloat16)


def modulated_conv2d(
    x: tf.Tensor,
    w: tf.Tensor,
    styles: tf.Tensor,
    noise: tf.Tensor | None = None,
    up: int = 1,
    down: int = 1,
    padding: int | Sequence[int] = 0,
    f: np.ndarray | None = None,
    demodulate: bool = True,
    flip_weight: bool = True,
    impl: str = "auto",
) -> tf.Tensor:
    """Convolve with weights that are scaled per sample and, on request, normalised per output channel.

    Written as scaling of the input, one shared convolution, scaling of the output: equal to per-sample weights, and
    needs no grouped convolution.

    Args:
        x: [N,H,W,C] images.
        w: [kh,kw,C,O] kernel, of x's type or float32.
        styles: [N,C] scale of each input channel, likewise.
        noise: added to the result, broadcastable to [N,H',W',O], or None.
        up, down, padding, f, flip_weight, impl: as in conv2d_resample.
        demodulate: divide by the L2 norm of the scaled weights, 1/sqrt(sum w^2 + 1e-8) (equation 3). In half
            precision both are brought into its range first: see `in_half_range`.

    Returns:
        [N,H',W',O] of x's type.

    Raises:
        ValueError: styles that do not fit x.

    Example:
        >>> x, w, styles = tf.ones([2, 8, 8, 3]), tf.ones([3, 3, 3, 16]), tf.ones([2, 3])
        >>> sg_keras.ops.modulated_conv2d(x, w, styles, padding=1).shape
        TensorShape([2, 8, 8, 16])
    """
    x, scale = modulate_and_convolve(x, w, styles, up, down, padding, f, demodulate, flip_weight, impl)
    if scale is not None:
        x = channel_scale(x, scale, impl=impl)
    return x if noise is None else x + noise


def modulate_and_convolve(
    x: tf.Tensor,
    w: tf.Tensor,
    styles: tf.Tensor,
    up: int = 1,
    down: int = 1,
    padding: int | Sequence[int] = 0,
    f: np.ndarray | None = None,
    demodulate: bool = True,
    flip_weight: bool = True,
    impl: str = "auto",
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """`modulated_conv2d` but for its last scaling, which can be one op with what follows: see `scale_bias_act`.

    Returns:
        The convolution [N,H',W',O], and the factor [N,O] that demodulates it (None without demodulation), both of x's
        type.

    Raises:
        ValueError: styles that do not fit x.

    Example:
        >>> x, w, styles = tf.ones([2, 8, 8, 3]), tf.ones([3, 3, 3, 16]), tf.ones([2, 3])
        >>> y, scale = sg_keras.ops.modulate_and_convolve(x, w, styles, padding=1)
        >>> y.shape, scale.shape
        (TensorShape([2, 8, 8, 16]), TensorShape([2, 16]))
    """
    check_styles(x, styles)
    if demodulate and x.dtype in HALF_TYPES:
        w, styles = in_half_range(w, styles)
    kernel = tf.cast(w, x.dtype)
    x = channel_scale(x, tf.cast(styles, x.dtype), impl=impl)
    x = conv2d_resample(x, kernel, f, up=up, down=down, padding=padding, flip_weight=flip_weight, impl=impl)
    return x, tf.cast(demodulation(w, styles), x.dtype) if demodulate else None


def check_styles(x: tf.Tensor, styles: tf.Tensor) -> None:
    """Refuse styles that are not [N, C] for images [N, H, W, C]."""
    if styles.shape.rank != 2 or styles.shape[1] != x.shape[-1]:
        raise ValueError(f"styles: found shape {styles.shape} for x of shape {x.shape}, expected [N, C]")


def in_half_range(w: tf.Tensor, styles: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Weights and styles that demodulation makes the same of, but whose products cannot overflow half precision.

    Weights are divided by sqrt(fan_in) and the largest of their output channel, styles by the largest of their sample
    (as in the published trainer of StyleGAN2-ADA, arXiv:2006.06676). The divisors have no gradient: demodulation takes
    them out again.

    Args:
        w: [kh,kw,C,O] kernel.
        styles: [N,C] scale of each input channel.

    Returns:
        Both, of the same shapes and types.

    Example:
        >>> w, styles = sg_keras.ops.in_half_range(tf.fill([1, 1, 4, 1], 1e5), tf.constant([[2.0, 4.0, 8.0, 8.0]]))
        >>> w.numpy().ravel().tolist(), styles.numpy().tolist()
        ([0.5, 0.5, 0.5, 0.5], [[0.25, 0.5, 1.0, 1.0]])
    """
    fan_in = w.shape[0] * w.shape[1] * w.shape[2]
    largest = tf.reduce_max(tf.abs(w), axis=[0, 1, 2], keepdims=True) * np.sqrt(fan_in)
    strongest = tf.reduce_max(tf.abs(styles), axis=1, keepdims=True)
    return w * _inverse(largest), styles * _inverse(strongest)


def _inverse(value: tf.Tensor) -> tf.Tensor:
    return tf.stop_gradient(1 / tf.maximum(value, tf.constant(1e-8, value.dtype)))  # all zero: they stay so


def demodulation(w: tf.Tensor, styles: tf.Tensor) -> tf.Tensor:
    """Factor [N,O] that brings the scaled weights of each output channel to a norm of 1 (equation 3).

    Args:
        w: [kh,kw,C,O] kernel.
        styles: [N,C] scale of each input channel.

    Example:
        >>> sg_keras.ops.demodulation(tf.ones([1, 1, 4, 1]), tf.ones([1, 4])).numpy().round(3).tolist()
        [[0.5]]
    """
    energy = tf.reduce_sum(tf.square(w), axis=[0, 1])  # [C,O]
    return tf.math.rsqrt(tf.square(styles) @ energy + 1e-8)
