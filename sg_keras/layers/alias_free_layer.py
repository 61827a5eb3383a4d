"""Synthesis layer of StyleGAN3 (arXiv:2106.12423, figure 4b)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from sg_keras.layers.alias_free_design import AliasFreeDesign
from sg_keras.layers.configured_layer import ConfiguredLayer
from sg_keras.layers.dense import Dense
from sg_keras.ops import filtered_lrelu, modulated_conv2d_stylegan3


@keras.saving.register_keras_serializable(package="sg_keras")
class AliasFreeLayer(ConfiguredLayer):
    """Modulated convolution, and a leaky ReLU at a raised sampling rate between two low-pass filters.

    The input is divided by its root mean square, of which a running mean is kept: `magnitude_ema`, of the mean square.
    The layer does not update it: see `updated_magnitude`.

    Args:
        design: sizes, rates and frequencies (or the same as a dictionary).
        w_dim: width of the style vector.
        conv_clamp: clamp the nonlinearity's output to +-this, or None.
        magnitude_ema_beta: decay of the running mean for each micro-batch.
        impl: implementation of the fused ops: "auto", "custom" or "reference".

    Call: (x [N,*in_size,in_channels], w [N,w_dim], magnitude=None) -> [N,*out_size,out_channels] of the layer's compute
    type, whatever x's.
    magnitude, a scalar, takes the place of the stored running mean.

    Example:
        >>> plan = sg_keras.models.plan_synthesis(16, 3, channel_base=64, num_layers=4, margin_size=4)
        >>> design = plan.layers[0].design
        >>> layer = sg_keras.layers.AliasFreeLayer(design, w_dim=8)
        >>> layer(tf.ones([1, design.in_size, design.in_size, design.in_channels]), tf.ones([1, 8])).shape
        TensorShape([1, 24, 24, 16])
    """

    def __init__(
        self,
        design: AliasFreeDesign | Mapping[str, Any],
        w_dim: int,
        conv_clamp: float | None = 256.0,
        magnitude_ema_beta: float = 0.999,
        impl: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # styles and weights are worked on in their own type
        self.design = design if isinstance(design, AliasFreeDesign) else AliasFreeDesign(**design)
        self.w_dim = w_dim
        self.conv_clamp = conv_clamp
        self.magnitude_ema_beta = magnitude_ema_beta
        self.impl = impl
        self._up_filter, self._down_filter = self.design.up_filter(), self.design.down_filter()

    def build(self, input_shape: Sequence[Any] | None = None) -> None:
        channels, k = self.design.in_channels, self.design.kernel_size
        self.weight_gain = 1 / math.sqrt(channels * k * k)
        self.affine = Dense(channels, bias_init=1.0, impl=self.impl, name="affine", dtype=self.variable_dtype)
        self.affine.build((None, self.w_dim))
        self.weight = self.add_weight(
            name="weight",
            autocast=False,
            shape=(k, k, channels, self.design.out_channels),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )
        self.bias = self.add_weight(name="bias", shape=(self.design.out_channels,), initializer="zeros", autocast=False)
        self.magnitude_ema = self.add_weight(
            name="magnitude_ema",
            autocast=False,
            shape=(),
            initializer="ones",
            trainable=False,
            aggregation="only_first_replica",
        )

    def call(self, x: tf.Tensor, w: tf.Tensor, magnitude: tf.Tensor | None = None) -> tf.Tensor:
        if magnitude is None:
            magnitude = tf.convert_to_tensor(self.magnitude_ema)
        styles = self.affine(w)
        x = modulated_conv2d_stylegan3(
            tf.cast(x, self.compute_dtype),
            tf.convert_to_tensor(self.weight),
            styles * self.weight_gain if self.design.is_torgb else styles,
            padding=self.design.kernel_size - 1,
            demodulate=not self.design.is_torgb,
            input_gain=tf.math.rsqrt(magnitude),
            impl=self.impl,
        )
        return filtered_lrelu(
            x,
            self._up_filter,
            self._down_filter,
            tf.cast(tf.convert_to_tensor(self.bias), x.dtype),
            up=self.design.up,
            down=self.design.down,
            padding=self.design.padding,
            gain=1.0 if self.design.is_torgb else math.sqrt(2),
            slope=1.0 if self.design.is_torgb else 0.2,
            clamp=self.conv_clamp,
            impl=self.impl,
        )

    def updated_magnitude(self, magnitude: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        """The running mean [] after one more micro-batch x [N,*in_size,in_channels]. It has no gradient."""
        # By image first: the sum of each is one thread's, so the result does not depend on their number.
        squares = tf.square(tf.cast(x, self.variable_dtype))
        mean_square = tf.stop_gradient(tf.reduce_mean(tf.reduce_mean(squares, axis=[1, 2, 3])))
        return self.magnitude_ema_beta * magnitude + (1 - self.magnitude_ema_beta) * mean_square
