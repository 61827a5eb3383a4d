"""Fourier features, the input of StyleGAN3's synthesis network (arXiv:2106.12423, section 3.2 and appendix F)."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.config.sizes import Resolution, image_size
from sg_keras.layers.configured_layer import ConfiguredLayer
from sg_keras.layers.dense import Dense


@keras.saving.register_keras_serializable(package="sg_keras")
class UniformDisc(keras.initializers.Initializer):
    """Points [N,2] drawn uniformly from a disc round 0.

    Args:
        radius: of the disc.
    """

    def __init__(self, radius: float) -> None:
        self.radius = radius
        # Seeds are chosen now, from the global generator, as those of Keras's initializers are.
        self._radius_draws = keras.initializers.RandomUniform(0.0, 1.0)
        self._angle_draws = keras.initializers.RandomUniform(0.0, 2 * math.pi)

    def __call__(self, shape: Any, dtype: str | None = None) -> tf.Tensor:
        r = self.radius * tf.sqrt(self._radius_draws(shape[:1], dtype))  # equal areas, equally many points
        angle = self._angle_draws(shape[:1], dtype)
        return tf.stack([r * tf.cos(angle), r * tf.sin(angle)], axis=1)

    def get_config(self) -> dict[str, Any]:
        return {"radius": self.radius}


@keras.saving.register_keras_serializable(package="sg_keras")
class FourierInput(ConfiguredLayer):
    """Plane waves of fixed frequencies, translated and rotated by w and on request by the user, and mixed.

    Args:
        channels: waves, and channels of the result.
        w_dim: width of the style vector.
        size: side of the result in samples, or its height and width.
        sampling_rate: samples across the image's shorter side; the rest of `size` is a margin round it.
        bandwidth: highest frequency, in periods across the shorter side.
        impl: implementation of the fused ops: "auto", "custom" or "reference".

    Call: (w [N,w_dim], transform=None) -> [N,H,W,channels]. transform [3,3] or [N,3,3] acts on homogeneous
    coordinates (x to the right, y down, the image's shorter side from -1/2 to 1/2) and says where each point of the
    result is taken from: the inverse of what the image does.

    Example:
        >>> layer = sg_keras.layers.FourierInput(channels=16, w_dim=8, size=36, sampling_rate=16, bandwidth=2.0)
        >>> layer(tf.ones([1, 8])).shape
        TensorShape([1, 36, 36, 16])
    """

    def __init__(
        self,
        channels: int,
        w_dim: int,
        size: Resolution,
        sampling_rate: float,
        bandwidth: float,
        impl: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.w_dim = w_dim
        self.size = image_size(size, "size")
        self.sampling_rate = sampling_rate
        self.bandwidth = bandwidth
        self.impl = impl

    def build(self, input_shape: Any = None) -> None:
        self.affine = Dense(
            4, weight_init=0.0, bias_init=(1.0, 0.0, 0.0, 0.0), impl=self.impl, name="affine", dtype=self.dtype_policy
        )
        self.affine.build((None, self.w_dim))
        self.weight = self.add_weight(
            name="weight",
            shape=(self.channels, self.channels),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )
        fixed: dict[str, Any] = {"trainable": False, "aggregation": "only_first_replica"}
        self.freqs = self.add_weight(
            name="freqs", shape=(self.channels, 2), initializer=UniformDisc(self.bandwidth), **fixed
        )
        self.phases = self.add_weight(
            name="phases", shape=(self.channels,), initializer=keras.initializers.RandomUniform(-0.5, 0.5), **fixed
        )

    def call(self, w: tf.Tensor, transform: tf.Tensor | None = None) -> tf.Tensor:
        matrix = _learned_transform(self.affine(w))
        if transform is not None:
            matrix = matrix @ _check_transform(transform, w)
        freqs, phases = tf.convert_to_tensor(self.freqs), tf.convert_to_tensor(self.phases)
        phases = phases + tf.einsum("cj,nj->nc", freqs, matrix[:, :2, 2])  # [N,C]
        freqs = tf.einsum("ci,nij->ncj", freqs, matrix[:, :2, :2])  # [N,C,2]
        # The layers after this one cannot hold what has become faster than their rate: it fades out on the way there.
        excess = (tf.norm(freqs, axis=2) - self.bandwidth) / (self.sampling_rate / 2 - self.bandwidth)
        amplitudes = tf.clip_by_value(1 - excess, 0, 1)
        weight = tf.convert_to_tensor(self.weight) / math.sqrt(self.channels)
        return tf.tensordot(self._waves(freqs, phases, amplitudes), weight, axes=1)

    def _waves(self, freqs: tf.Tensor, phases: tf.Tensor, amplitudes: tf.Tensor) -> tf.Tensor:
        """amplitude * sin(2 pi (x . freq + phase)) at every sample, [N,H,W,C].

        By the sine of a sum: sines and cosines are needed of rows and columns alone, not of every sample.
        """
        columns, rows = (self._centres(samples, freqs.dtype) for samples in (self.size.width, self.size.height))
        x = 2 * math.pi * (columns * freqs[:, tf.newaxis, :, 0] + phases[:, tf.newaxis])[:, tf.newaxis]  # [N,1,W,C]
        y = 2 * math.pi * (rows * freqs[:, tf.newaxis, :, 1])[:, :, tf.newaxis]  # [N,H,1,C]
        amplitudes = amplitudes[:, tf.newaxis, tf.newaxis]
        return (tf.sin(x) * amplitudes) * tf.cos(y) + (tf.cos(x) * amplitudes) * tf.sin(y)

    def _centres(self, samples: int, dtype: tf.DType) -> tf.Tensor:
        """Where the samples of an axis lie, [samples,1], in units of the image's shorter side from its centre."""
        centres = ((np.arange(samples) + 0.5) / samples * 2 - 1) * (samples / (2 * self.sampling_rate))
        return tf.constant(centres, dtype)[:, tf.newaxis]


def _learned_transform(t: tf.Tensor) -> tf.Tensor:
    """Rotation after translation, [N,3,3], of t [N,4]: a direction and an offset, in units of its length."""
    t = t / tf.norm(t[:, :2], axis=1, keepdims=True)
    cos, sin, x, y = tf.unstack(t, axis=1)
    zero, one = tf.zeros_like(x), tf.ones_like(x)
    rotation = tf.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], axis=1)
    translation = tf.stack([one, zero, -x, zero, one, -y, zero, zero, one], axis=1)
    return tf.reshape(rotation, [-1, 3, 3]) @ tf.reshape(translation, [-1, 3, 3])


def _check_transform(transform: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
    transform = tf.convert_to_tensor(transform, dtype=w.dtype)
    shared = transform.shape.is_compatible_with([3, 3])
    if not shared and not transform.shape.is_compatible_with([w.shape[0], 3, 3]):
        raise ValueError(f"transform: found shape {transform.shape}, expected [3, 3] or [{w.shape[0]}, 3, 3]")
    return transform
