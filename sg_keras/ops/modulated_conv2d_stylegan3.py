"""Modulated convolution of StyleGAN3 (arXiv:2106.12423, section 3.2 and appendix D)."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from sg_keras.ops.channel_scale import channel_scale
from sg_keras.ops.modulated_conv2d import HALF_TYPES, check_styles, in_half_range


def modulated_conv2d_stylegan3(
    x: tf.Tensor,
    w: tf.Tensor,
    styles: tf.Tensor,
    padding: int | Sequence[int] = 0,
    demodulate: bool = True,
    input_gain: tf.Tensor | float | None = None,
    impl: str = "auto",
) -> tf.Tensor:
    """Correlate with weights that are scaled per sample and, on request, normalised per output channel.

    Written as scaling of the input, one shared convolution, scaling of the output: equal to per-sample weights, and
    needs no grouped convolution.

    Args:
        x: [N,H,W,C] images.
        w: [kh,kw,C,O] kernel, of x's type or float32.
        styles: [N,C] scale of each input channel, likewise.
        padding: zeros on each side, one number or (vertical, horizontal).
        demodulate: divide the weights by their rms of each output channel, the styles by their rms over the whole
            [N,C] (so that the samples of a micro-batch depend on each other), and what they make together by its L2
            norm, 1/sqrt(sum w^2 + 1e-8).
        input_gain: factor of x, a scalar, [C] or [N,C], which demodulation does not undo. None: 1.
        impl: implementation of the scalings, "auto", "custom" or "reference".

    Returns:
        [N,H+2*vertical-kh+1,W+2*horizontal-kw+1,O] of x's type.

    Raises:
        ValueError: styles or padding that do not fit.

    Example:
        >>> x, w, styles = tf.ones([2, 8, 8, 3]), tf.ones([3, 3, 3, 16]), tf.ones([2, 3])
        >>> sg_keras.ops.modulated_conv2d_stylegan3(x, w, styles, padding=2).shape
        TensorShape([2, 10, 10, 16])
    """
    check_styles(x, styles)
    out_scale = None
    if demodulate:
        styles = styles * tf.math.rsqrt(tf.reduce_mean(tf.square(styles)))
        if x.dtype in HALF_TYPES:
            w, _ = in_half_range(w, styles)
        out_scale = _normalisation(w, styles)
    styles = styles if input_gain is None else styles * input_gain
    x = channel_scale(x, tf.cast(styles, x.dtype), impl=impl)
    x = _correlate(x, tf.cast(w, x.dtype), _vertical_and_horizontal(padding))
    return x if out_scale is None else channel_scale(x, tf.cast(out_scale, x.dtype), impl=impl)


def _normalisation(w: tf.Tensor, styles: tf.Tensor) -> tf.Tensor:
    """Factor [N,O] of both normalisations of the weights, for normalised styles [N,C]."""
    energy = tf.reduce_sum(tf.square(w), axis=[0, 1])  # [C,O]
    count = w.shape[0] * w.shape[1] * w.shape[2]
    rms_inverse = tf.math.rsqrt(tf.reduce_sum(energy, axis=0) / count)  # [O]
    return tf.math.rsqrt(tf.square(styles) @ (energy * tf.square(rms_inverse)) + 1e-8) * rms_inverse


def _vertical_and_horizontal(padding: int | Sequence[int]) -> tuple[int, int]:
    sides = (padding, padding) if isinstance(padding, int) else tuple(padding)
    if len(sides) != 2 or not all(isinstance(side, int) and side >= 0 for side in sides):
        raise ValueError(f"padding: found {padding!r}, expected a whole number or (vertical, horizontal), from 0")
    return sides


def _correlate(x: tf.Tensor, w: tf.Tensor, padding: tuple[int, int]) -> tf.Tensor:
    """Correlation of x [N,H,W,C] with w [kh,kw,C,O], in the form that runs fastest, gradients included."""
    kh, kw, _, filters = (int(size) for size in w.shape)
    if kh == kw == 1 and padding == (0, 0):
        return tf.tensordot(x, tf.reshape(w, w.shape[2:]), axes=1)
    if padding == (kh - 1, kw - 1):
        # Padded by all it can reach, a convolution is a transposed one without padding. On CPUs that saves the padded
        # copy (a tenth to a sixth of the backward pass); numbers as padding would keep the gradients out of oneDNN.
        batch = x.shape[0] if x.shape[0] is not None else tf.shape(x)[0]
        shape = [batch, x.shape[1] + kh - 1, x.shape[2] + kw - 1, filters]
        spread = tf.transpose(tf.reverse(w, axis=[0, 1]), [0, 1, 3, 2])
        return tf.nn.conv2d_transpose(x, spread, shape, strides=1, padding="VALID")
    vertical, horizontal = padding
    x = tf.pad(x, [[0, 0], [vertical, vertical], [horizontal, horizontal], [0, 0]])
    return tf.nn.conv2d(x, w, strides=1, padding="VALID")
