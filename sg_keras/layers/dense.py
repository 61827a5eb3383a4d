"""Fully connected layer with equalised learning rate (arXiv:1710.10196, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.layers.configured_layer import ConfiguredLayer
from sg_keras.ops.bias_act import bias_act


@keras.saving.register_keras_serializable(package="sg_keras")
class Dense(ConfiguredLayer):
    """y = activation(x @ (weight * lr / sqrt(in)) + bias * lr), gain of the activation included.

    Args:
        units: output width.
        activation: one of bias_act's nine.
        bias: whether a bias is added.
        lr_multiplier: scales the effective learning rate; weights are stored divided by it.
        weight_init: standard deviation of the effective weights at the start, before division by lr_multiplier.
        bias_init: effective bias at the start, one value or one for each unit.
        impl: implementation of the fused ops: "auto", "custom" or "reference".

    Call: x [N,in] -> [N,units].

    Example:
        >>> layer = sg_keras.layers.Dense(16, activation="lrelu", lr_multiplier=0.01)
        >>> layer(tf.ones([2, 8])).shape
        TensorShape([2, 16])
    """

    def __init__(
        self,
        units: int,
        activation: str = "linear",
        bias: bool = True,
        lr_multiplier: float = 1.0,
        weight_init: float = 1.0,
        bias_init: float | Sequence[float] = 0.0,
        impl: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.activation = activation
        self.use_bias = bias
        self.lr_multiplier = lr_multiplier
        self.weight_init = weight_init
        self.bias_init = np.asarray(bias_init, np.float64).tolist()
        self.impl = impl

    def build(self, input_shape: Sequence[Any]) -> None:
        in_features = int(input_shape[-1])
        self.weight_gain = self.lr_multiplier / np.sqrt(in_features)
        self.weight = self.add_weight(
            name="weight",
            shape=(in_features, self.units),
            initializer=keras.initializers.RandomNormal(stddev=self.weight_init / self.lr_multiplier),
        )
        self.bias = None
        if self.use_bias:
            start = np.broadcast_to(np.asarray(self.bias_init) / self.lr_multiplier, [self.units])
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), initializer=lambda shape, dtype: tf.constant(start, dtype)
            )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        # Scaling the activations is cheaper than scaling the weights wherever N is below `in`.
        y = tf.matmul(x * self.weight_gain, tf.convert_to_tensor(self.weight))
        bias = None if self.bias is None else tf.convert_to_tensor(self.bias)
        if bias is not None and self.lr_multiplier != 1:
            bias = bias * self.lr_multiplier
        if self.activation == "linear":
            return y if bias is None else y + bias
        return bias_act(y, bias, act=self.activation, impl=self.impl)
