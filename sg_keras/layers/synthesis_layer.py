"""Style-modulated layers of StyleGAN2's synthesis network (arXiv:1912.04958, figure 2c)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.config.sizes import Resolution, image_size
from sg_keras.layers.configured_layer import ConfiguredLayer
from sg_keras.layers.dense import Dense
from sg_keras.ops import (
    ACTIVATIONS,
    bias_act,
    modulate_and_convolve,
    modulated_conv2d,
    scale_bias_act,
    setup_filter,
)

NOISE_MODES = ("const", "random", "none")


@keras.saving.register_keras_serializable(package="sg_keras")
class SynthesisLayer(ConfiguredLayer):
    """Modulated convolution, noise, bias and activation.

    Args:
        filters: output channels.
        w_dim: width of the style vector.
        resolution: side of the output in pixels, or its height and width.
        kernel_size: k of the k x k kernel.
        up: upsampling factor, 1 or 2.
        use_noise: whether the layer has noise inputs.
        activation: one of bias_act's nine.
        resample_filter: taps of the low-pass filter of upsampling.
        conv_clamp: clamp the output to +-this, or None.
        impl: implementation of the fused ops: "auto", "custom" or "reference".

    Call: (x [N,H,W,C], w [N,w_dim], noise_mode="const", noise_seed=None, gain=1, noise_image=None) ->
    [N,*resolution,filters] of the layer's compute type, whatever x's. In half precision weights and styles are brought
    into its range first. noise_mode is "const" (the stored image), "random" (a fresh one, from noise_seed, int64 [2] of
    all images together, or [N,2] of each, whose noise then depends on no other) or "none". A noise_image, of the
    resolution or [N,*resolution], takes the place of the stored image.

    Example:
        >>> layer = sg_keras.layers.SynthesisLayer(16, w_dim=8, resolution=16, up=2)
        >>> layer(tf.ones([1, 8, 8, 4]), tf.ones([1, 8]), noise_mode="none").shape
        TensorShape([1, 16, 16, 16])
    """

    def __init__(
        self,
        filters: int,
        w_dim: int,
        resolution: Resolution,
        kernel_size: int = 3,
        up: int = 1,
        use_noise: bool = True,
        activation: str = "lrelu",
        resample_filter: Sequence[float] = (1, 3, 3, 1),
        conv_clamp: float | None = None,
        impl: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # styles and weights are worked on in their own type
        self.filters = filters
        self.w_dim = w_dim
        self.size = image_size(resolution)
        self.kernel_size = kernel_size
        self.up = up
        self.use_noise = use_noise
        self.activation = activation
        self.resample_filter = np.asarray(resample_filter).tolist()
        self.conv_clamp = conv_clamp
        self.impl = impl
        self._taps = setup_filter(self.resample_filter)

    def build(self, input_shape: Sequence[Any]) -> None:
        channels, k = int(input_shape[-1]), self.kernel_size
        self.affine = Dense(channels, bias_init=1.0, impl=self.impl, name="affine", dtype=self.variable_dtype)
        self.affine.build((None, self.w_dim))
        # One initializer per variable: an instance draws the same numbers each time it is used.
        self.weight = self.add_weight(
            name="weight",
            autocast=False,
            shape=(k, k, channels, self.filters),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )
        if self.use_noise:
            self.noise_const = self.add_weight(
                name="noise_const",
                autocast=False,
                shape=(self.size.height, self.size.width),
                initializer=keras.initializers.RandomNormal(stddev=1.0),
                trainable=False,
                aggregation="only_first_replica",
            )
            self.noise_strength = self.add_weight(name="noise_strength", shape=(), initializer="zeros", autocast=False)
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros", autocast=False)

    def call(
        self,
        x: tf.Tensor,
        w: tf.Tensor,
        noise_mode: str = "const",
        noise_seed: tf.Tensor | None = None,
        gain: float = 1.0,
        noise_image: tf.Tensor | None = None,
    ) -> tf.Tensor:
        x = tf.cast(x, self.compute_dtype)
        noise = self._noise(x, noise_mode, noise_seed, noise_image)
        x, scale = modulate_and_convolve(
            x,
            tf.convert_to_tensor(self.weight),
            self.affine(w),
            up=self.up,
            padding=self.kernel_size // 2,
            f=self._taps,
            flip_weight=self.up == 1,
            impl=self.impl,
        )
        return scale_bias_act(
            x,
            scale,
            None if noise is None else tf.cast(noise, x.dtype),
            tf.cast(tf.convert_to_tensor(self.bias), x.dtype),
            self.activation,
            gain=ACTIVATIONS[self.activation].default_gain * gain,
            clamp=None if self.conv_clamp is None else self.conv_clamp * gain,
            impl=self.impl,
        )

    def _noise(
        self, x: tf.Tensor, noise_mode: str, noise_seed: tf.Tensor | None, image: tf.Tensor | None
    ) -> tf.Tensor | None:
        if noise_mode not in NOISE_MODES:
            raise ValueError(f"noise_mode: found {noise_mode!r}, expected const, random or none")
        if not self.use_noise or noise_mode == "none":
            return None
        strength = tf.convert_to_tensor(self.noise_strength)
        if noise_mode == "const":
            stored = tf.convert_to_tensor(self.noise_const if image is None else image)
            return (stored[None, :, :, None] if stored.shape.rank == 2 else stored[..., None]) * strength
        count = x.shape[0] if x.shape[0] is not None else tf.shape(x)[0]
        shape = [count, self.size.height, self.size.width, 1]
        if noise_seed is None:
            return tf.random.normal(shape, dtype=strength.dtype) * strength
        if noise_seed.shape.rank == 2:
            own = functools.partial(_normal, shape[1:], dtype=strength.dtype)
            return tf.map_fn(own, noise_seed, fn_output_signature=strength.dtype) * strength
        return _normal(shape, noise_seed, dtype=strength.dtype) * strength


def _normal(shape: list[Any], seed: tf.Tensor, *, dtype: tf.DType) -> tf.Tensor:
    return tf.random.stateless_normal(shape, seed, dtype=dtype, alg="philox")


@keras.saving.register_keras_serializable(package="sg_keras")
class ToRGB(ConfiguredLayer):
    """Modulated convolution without demodulation to the image channels.

    Args:
        channels: image channels.
        w_dim: width of the style vector.
        kernel_size: k of the k x k kernel.
        conv_clamp: clamp the output to +-this, or None.
        impl: implementation of the fused ops: "auto", "custom" or "reference".

    Call: (x [N,H,W,C], w [N,w_dim]) -> [N,H,W,channels], of the variables' type: images add up in full precision.

    Example:
        >>> sg_keras.layers.ToRGB(3, w_dim=8)(tf.ones([1, 16, 16, 4]), tf.ones([1, 8])).shape
        TensorShape([1, 16, 16, 3])
    """

    def __init__(
        self,
        channels: int,
        w_dim: int,
        kernel_size: int = 1,
        conv_clamp: float | None = None,
        impl: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # styles and weights are worked on in their own type
        self.channels = channels
        self.w_dim = w_dim
        self.kernel_size = kernel_size
        self.conv_clamp = conv_clamp
        self.impl = impl

    def build(self, input_shape: Sequence[Any]) -> None:
        in_channels, k = int(input_shape[-1]), self.kernel_size
        self.weight_gain = 1 / np.sqrt(in_channels * k * k)
        self.affine = Dense(in_channels, bias_init=1.0, impl=self.impl, name="affine", dtype=self.variable_dtype)
        self.affine.build((None, self.w_dim))
        self.weight = self.add_weight(
            name="weight",
            autocast=False,
            shape=(k, k, in_channels, self.channels),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )
        self.bias = self.add_weight(name="bias", shape=(self.channels,), initializer="zeros", autocast=False)

    def call(self, x: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
        x = modulated_conv2d(
            tf.cast(x, self.compute_dtype),
            tf.convert_to_tensor(self.weight),
            self.affine(w) * self.weight_gain,
            padding=self.kernel_size // 2,
            demodulate=False,
            impl=self.impl,
        )
        bias = tf.cast(tf.convert_to_tensor(self.bias), x.dtype)
        return tf.cast(bias_act(x, bias, clamp=self.conv_clamp, impl=self.impl), self.variable_dtype)
