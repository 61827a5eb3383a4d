"""Blocks of the discriminator, and what comes after them (arXiv:1912.04958, figure 7)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.config.sizes import Resolution, image_size
from sg_keras.layers import Conv2D, Dense, MinibatchStd
from sg_keras.layers.configured_layer import ConfiguredLayer
from sg_keras.ops import downsample2d, setup_filter


@keras.saving.register_keras_serializable(package="sg_keras")
class DiscriminatorBlock(ConfiguredLayer):
    """One resolution: from the image (where the architecture says so), a convolution, a downsampling convolution.

    Args:
        in_channels: of the block before, 0 = this is the first.
        mid_channels: at this resolution.
        out_channels: at half this resolution (of odd sides rounded down).
        resolution: side in pixels, or height and width.
        img_channels: channels of the image.
        architecture: "resnet", "skip" or "orig".
        activation, resample_filter, conv_clamp, impl: handed to the layers.

    Call: (x or None, img or None) -> (x, img or None).
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        resolution: Resolution,
        img_channels: int,
        architecture: str = "resnet",
        activation: str = "lrelu",
        resample_filter: Sequence[float] = (1, 3, 3, 1),
        conv_clamp: float | None = None,
        impl: str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # the image stays in full precision
        self.mid_channels, self.out_channels = mid_channels, out_channels
        self.size, self.img_channels = image_size(resolution), img_channels
        self.architecture, self.impl = architecture, impl
        self.has_fromrgb = in_channels == 0 or architecture == "skip"
        self._taps = setup_filter(resample_filter)
        shared: dict[str, Any] = {"resample_filter": resample_filter, "impl": impl, "dtype": self.dtype_policy}
        conv = {"activation": activation, "conv_clamp": conv_clamp, **shared}
        if self.has_fromrgb:
            self.fromrgb = Conv2D(mid_channels, 1, name="fromrgb", **conv)
        self.conv0 = Conv2D(mid_channels, 3, name="conv0", **conv)
        self.conv1 = Conv2D(out_channels, 3, down=2, name="conv1", **conv)
        if architecture == "resnet":
            self.skip = Conv2D(out_channels, 1, bias=False, down=2, name="skip", **shared)

    @property
    def level(self) -> int:
        """What the block is called by: the largest power of two that is not above its shorter side."""
        return self.size.level

    @property
    def freezable_layers(self) -> list[Conv2D]:
        """Layers in the order in which freeze-D counts them."""
        names = ("fromrgb", "conv0", "conv1", "skip")
        return [getattr(self, name) for name in names if hasattr(self, name)]

    def build(self, input_shape: Any = None) -> None:
        height, width = self.size.height, self.size.width
        if self.has_fromrgb:
            self.fromrgb.build((None, height, width, self.img_channels))
        for layer in self.freezable_layers:
            if layer.name != "fromrgb":
                layer.build((None, height, width, self.mid_channels))

    def call(self, x: tf.Tensor | None, img: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor | None]:
        if x is not None:
            x = tf.cast(x, self.compute_dtype)
        if self.has_fromrgb:
            y = self.fromrgb(img)
            x = y if x is None else x + y
            img = downsample2d(img, self._taps, impl=self.impl) if self.architecture == "skip" else None
        if self.architecture == "resnet":
            y = self.skip(x, gain=math.sqrt(0.5))
            x = y + self.conv1(self.conv0(x), gain=math.sqrt(0.5))
        else:
            x = self.conv1(self.conv0(x))
        return x, img


@keras.saving.register_keras_serializable(package="sg_keras")
class DiscriminatorEpilogue(ConfiguredLayer):
    """4x4: minibatch standard deviation, convolution, two dense layers, projection on the label (arXiv:1802.05637).

    Of images that are no such squares it is what halving leaves: `resolution`, with a shorter side of 4 to 7.

    Call: (x [N,h,w,C], img or None, cmap [N,cmap_dim] or None) -> logits [N,1].
    """

    def __init__(
        self,
        in_channels: int,
        cmap_dim: int,
        img_channels: int,
        architecture: str = "resnet",
        mbstd_group_size: int | None = 4,
        mbstd_num_channels: int = 1,
        activation: str = "lrelu",
        conv_clamp: float | None = None,
        impl: str = "auto",
        resolution: Resolution = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = image_size(resolution)
        self.in_channels, self.cmap_dim, self.img_channels = in_channels, cmap_dim, img_channels
        self.architecture, self.mbstd_num_channels = architecture, mbstd_num_channels
        shared: dict[str, Any] = {"impl": impl, "dtype": self.dtype_policy}
        if architecture == "skip":
            self.fromrgb = Conv2D(in_channels, 1, activation=activation, name="fromrgb", **shared)
        if mbstd_num_channels > 0:
            self.mbstd = MinibatchStd(mbstd_group_size, mbstd_num_channels, name="mbstd", dtype=self.dtype_policy)
        self.conv = Conv2D(in_channels, 3, activation=activation, conv_clamp=conv_clamp, name="conv", **shared)
        self.fc = Dense(in_channels, activation=activation, name="fc", **shared)
        self.out = Dense(1 if cmap_dim == 0 else cmap_dim, name="out", **shared)

    def build(self, input_shape: Any = None) -> None:
        height, width = self.size.height, self.size.width
        if self.architecture == "skip":
            self.fromrgb.build((None, height, width, self.img_channels))
        if self.mbstd_num_channels > 0:
            self.mbstd.build((None, height, width, self.in_channels))
        self.conv.build((None, height, width, self.in_channels + self.mbstd_num_channels))
        self.fc.build((None, self.in_channels * height * width))
        self.out.build((None, self.in_channels))

    def call(self, x: tf.Tensor, img: tf.Tensor | None, cmap: tf.Tensor | None) -> tf.Tensor:
        x = tf.cast(x, self.compute_dtype)  # full precision from here on
        if self.architecture == "skip":
            x = x + self.fromrgb(img)
        if self.mbstd_num_channels > 0:
            x = self.mbstd(x)
        x = self.conv(x)
        flat = self.in_channels * self.size.height * self.size.width
        x = tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [-1, flat])  # published order: C,H,W
        x = self.out(self.fc(x))
        if self.cmap_dim > 0:
            x = tf.reduce_sum(x * cmap, axis=1, keepdims=True) / np.sqrt(self.cmap_dim)
        return x
