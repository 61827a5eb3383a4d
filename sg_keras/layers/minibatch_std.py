"""Minibatch standard deviation (Karras et al. 2018, arXiv:1710.10196, section 3)."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from sg_keras.layers.configured_layer import ConfiguredLayer


@keras.saving.register_keras_serializable(package="sg_keras")
class MinibatchStd(ConfiguredLayer):
    """Append the average standard deviation over groups of samples as extra feature maps.

    Sample i belongs to group i mod N/G; the standard deviation over a group is averaged over pixels and over the
    channels of each of `num_channels` contiguous parts.

    Args:
        group_size: samples per group, at most N; None = the whole micro-batch.
        num_channels: feature maps appended.

    Call: [N,H,W,C] -> [N,H,W,C+num_channels]; N must be a multiple of the group size.

    Example:
        >>> sg_keras.layers.MinibatchStd(group_size=4)(tf.ones([8, 4, 4, 16])).shape
        TensorShape([8, 4, 4, 17])
    """

    def __init__(self, group_size: int | None = 4, num_channels: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.group_size = group_size
        self.num_channels = num_channels

    def build(self, input_shape: Any) -> None:
        channels = int(input_shape[-1])
        if channels % self.num_channels:
            raise ValueError(
                f"num_channels: found {self.num_channels}, expected a divisor of the {channels} channels of x"
            )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        _, height, width, channels = x.shape
        batch = x.shape[0] if x.shape[0] is not None else tf.shape(x)[0]
        group = batch if self.group_size is None else _minimum(self.group_size, batch)
        parts = self.num_channels
        y = tf.reshape(x, [group, -1, height, width, parts, channels // parts])  # [G,M,H,W,F,C/F]
        y = y - tf.reduce_mean(y, axis=0, keepdims=True)
        y = tf.sqrt(tf.reduce_mean(tf.square(y), axis=0) + 1e-8)  # [M,H,W,F,C/F]
        y = tf.reduce_mean(y, axis=[1, 2, 4])  # [M,F]
        y = tf.tile(y[:, None, None, :], [group, height, width, 1])  # [N,H,W,F]
        return tf.concat([x, y], axis=3)


def _minimum(group: int, batch: int | tf.Tensor) -> int | tf.Tensor:
    return min(group, batch) if isinstance(batch, int) else tf.minimum(group, batch)
