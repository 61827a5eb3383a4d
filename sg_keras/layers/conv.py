"""Convolution with equalised learning rate (arXiv:1710.10196, section 4.1) and optional resampling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.layers.configured_layer import ConfiguredLayer
from sg_keras.ops import ACTIVATIONS, bias_act, conv2d_resample, setup_filter


@keras.saving.register_keras_serializable(package="sg_keras")
class Conv2D(ConfiguredLayer):
    """y = activation(conv(x, weight / sqrt(in*k*k)) + bias), clamped; up- or downsampled by a FIR filter on the way.

    Args:
        filters: output channels.
        kernel_size: k of the k x k kernel; padding is k // 2.
        bias: whether a bias is added.
        activation: one of bias_act's nine.
        up, down: integer resampling factors.
        resample_filter: taps of the low-pass filter, used where up or down is above 1.
        conv_clamp: clamp the output to +-this, or None.
        impl: implementation of the fused ops: "auto", "custom" or "reference".

    Call: (x [N,H,W,C], gain=1) -> [N,H*up/down,W*up/down,filters] of the layer's compute type, whatever x's; gain
    scales both output and clamp.

    Example:
        >>> layer = sg_keras.layers.Conv2D(16, kernel_size=3, activation="lrelu", down=2)
        >>> layer(tf.ones([1, 8, 8, 3])).shape
        TensorShape([1, 4, 4, 16])
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        bias: bool = True,
        activation: str = "linear",
        up: int = 1,
        down: int = 1,
        resample_filter: Sequence[float] | None = (1, 3, 3, 1),
        conv_clamp: float | None = None,
        impl: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # weights are scaled in their own type first
        self.filters = filters
        self.kernel_size = kernel_size
        self.use_bias = bias
        self.activation = activation
        self.up = up
        self.down = down
        self.resample_filter = None if resample_filter is None else np.asarray(resample_filter).tolist()
        self.conv_clamp = conv_clamp
        self.impl = impl
        self._taps = setup_filter(self.resample_filter) if up > 1 or down > 1 else None

    def build(self, input_shape: Sequence[Any]) -> None:
        channels, k = int(input_shape[-1]), self.kernel_size
        self.weight_gain = 1 / np.sqrt(channels * k * k)
        self.weight = self.add_weight(
            name="weight",
            autocast=False,
            shape=(k, k, channels, self.filters),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )
        self.bias = (
            self.add_weight(name="bias", shape=(self.filters,), initializer="zeros", autocast=False)
            if self.use_bias
            else None
        )

    def call(self, x: tf.Tensor, gain: float = 1.0) -> tf.Tensor:
        is_linear = self.activation == "linear" and self.bias is None and self.conv_clamp is None
        weight = tf.convert_to_tensor(self.weight) * (self.weight_gain * gain if is_linear else self.weight_gain)
        x = conv2d_resample(
            tf.cast(x, self.compute_dtype),
            tf.cast(weight, self.compute_dtype),
            self._taps,
            up=self.up,
            down=self.down,
            padding=self.kernel_size // 2,
            flip_weight=self.up == 1,
            impl=self.impl,
        )
        if is_linear:
            return x
        bias = None if self.bias is None else tf.cast(tf.convert_to_tensor(self.bias), self.compute_dtype)
        gain_of_act = ACTIVATIONS[self.activation].default_gain * gain
        clamp = None if self.conv_clamp is None else self.conv_clamp * gain
        return bias_act(x, bias, self.activation, gain=gain_of_act, clamp=clamp, impl=self.impl)
