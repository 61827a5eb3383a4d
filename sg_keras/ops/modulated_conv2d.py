"""Modulated convolution of StyleGAN2 (arXiv:1912.04958, section 2.2, equations 1 and 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from sg_keras.ops.channel_scale import channel_scale
from sg_keras.ops.conv2d_resample import conv2d_resample


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
        w: [kh,kw,C,O] kernel.
        styles: [N,C] scale of each input channel.
        noise: added to the result, broadcastable to [N,H',W',O], or None.
        up, down, padding, f, flip_weight, impl: as in conv2d_resample.
        demodulate: divide by the L2 norm of the scaled weights, 1/sqrt(sum w^2 + 1e-8) (equation 3).

    Returns:
        [N,H',W',O].

    Raises:
        ValueError: styles that do not fit x.
    """
    if styles.shape.rank != 2 or styles.shape[1] != x.shape[-1]:
        raise ValueError(f"modulated_conv2d: styles {styles.shape} do not fit x {x.shape}")
    x = channel_scale(x, styles, impl=impl)
    x = conv2d_resample(x, w, f, up=up, down=down, padding=padding, flip_weight=flip_weight, impl=impl)
    if demodulate:
        x = channel_scale(x, demodulation(w, styles), impl=impl)
    return x if noise is None else x + noise


def demodulation(w: tf.Tensor, styles: tf.Tensor) -> tf.Tensor:
    """Factor [N,O] that brings the scaled weights of each output channel to a norm of 1 (equation 3).

    Args:
        w: [kh,kw,C,O] kernel.
        styles: [N,C] scale of each input channel.
    """
    energy = tf.reduce_sum(tf.square(w), axis=[0, 1])  # [C,O]
    return tf.math.rsqrt(tf.square(styles) @ energy + 1e-8)
