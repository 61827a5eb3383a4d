"""One block of StyleGAN2's synthesis network (arXiv:1912.04958, figures 2 and 7)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from sg_keras.config.sizes import Resolution, image_size
from sg_keras.layers import Conv2D, Dense, SynthesisLayer, ToRGB
from sg_keras.layers.configured_layer import ConfiguredLayer
from sg_keras.ops import setup_filter, upsample2d


@keras.saving.register_keras_serializable(package="sg_keras")
class SynthesisBlock(ConfiguredLayer):
    """One resolution: an upsampling convolution (or the constant), a convolution, and the way to the image.

    Without a constant the first block begins with a dense layer from its first w to maps of half its size.

    Args:
        in_channels: of the block before, 0 = this is the first one.
        out_channels: of this block.
        w_dim: width of a style vector.
        resolution: side in pixels, or height and width.
        img_channels: channels of the image.
        is_last: whether this is the highest resolution.
        architecture: "skip", "resnet" or "orig".
        resample_filter, conv_clamp, use_noise, activation, impl: handed to the layers.
        no_const: of the first block, whose sides are even: there is no constant.

    Call: (x or None, img or None, ws: num_convs+1 of [N,w_dim], noise_mode, noise_seeds, noise_images) ->
    (x, img or None).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        w_dim: int,
        resolution: Resolution,
        img_channels: int,
        is_last: bool,
        architecture: str = "skip",
        resample_filter: Sequence[float] = (1, 3, 3, 1),
        conv_clamp: float | None = None,
        use_noise: bool = True,
        activation: str = "lrelu",
        impl: str = "auto",
        no_const: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # the image stays in full precision
        self.in_channels, self.out_channels, self.w_dim = in_channels, out_channels, w_dim
        self.size, self.architecture, self.impl = image_size(resolution), architecture, impl
        self.has_torgb = is_last or architecture == "skip"
        self.has_skip = in_channels > 0 and architecture == "resnet"
        self.has_const = in_channels == 0 and not no_const
        self._taps = setup_filter(resample_filter)
        shared: dict[str, Any] = {"conv_clamp": conv_clamp, "impl": impl, "dtype": self.dtype_policy}
        if in_channels == 0 and no_const:
            units = out_channels * (self.size.height // 2) * (self.size.width // 2)
            self.fc = Dense(units, activation, impl=impl, name="fc", dtype=self.dtype_policy)
        conv = {"use_noise": use_noise, "activation": activation, "resample_filter": resample_filter, **shared}
        if not self.has_const:
            self.conv0 = SynthesisLayer(out_channels, w_dim, resolution, up=2, name="conv0", **conv)
        self.conv1 = SynthesisLayer(out_channels, w_dim, resolution, name="conv1", **conv)
        if self.has_torgb:
            self.torgb = ToRGB(img_channels, w_dim, name="torgb", **shared)
        if self.has_skip:
            resampled: dict[str, Any] = {"up": 2, "resample_filter": resample_filter}
            self.skip = Conv2D(
                out_channels, 1, bias=False, impl=impl, name="skip", dtype=self.dtype_policy, **resampled
            )

    @property
    def level(self) -> int:
        """What the block is called by: the largest power of two that is not above its shorter side."""
        return self.size.level

    @property
    def conv_names(self) -> tuple[str, ...]:
        """Names of the layers with noise inputs, in their order."""
        return ("conv1",) if self.has_const else ("conv0", "conv1")

    @property
    def num_convs(self) -> int:
        """Convolutions with a style of their own; a ToRGB shares its style with the next block's first one."""
        return len(self.conv_names)

    def build(self, input_shape: Any = None) -> None:
        height, width, channels = self.size.height, self.size.width, self.out_channels
        before = (None, height // 2, width // 2, self.in_channels or channels)
        if self.has_const:
            self.const = self.add_weight(
                name="const",
                shape=(height, width, channels),
                initializer=keras.initializers.RandomNormal(stddev=1.0),
            )
        else:
            if self.in_channels == 0:
                self.fc.build((None, self.w_dim))
            self.conv0.build(before)
        self.conv1.build((None, height, width, channels))
        if self.has_torgb:
            self.torgb.build((None, height, width, channels))
        if self.has_skip:
            self.skip.build(before)

    def call(
        self,
        x: tf.Tensor | None,
        img: tf.Tensor | None,
        ws: Sequence[tf.Tensor],
        noise_mode: str = "const",
        noise_seeds: Sequence[tf.Tensor | None] = (None, None),
        noise_images: Sequence[tf.Tensor | None] = (None, None),
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        for name, value in self.activations(x, img, ws, noise_mode, noise_seeds, noise_images):
            x, img = (x, value) if name == "torgb" else (value, img)
        return x, img

    def activations(
        self,
        x: tf.Tensor | None,
        img: tf.Tensor | None,
        ws: Sequence[tf.Tensor],
        noise_mode: str = "const",
        noise_seeds: Sequence[tf.Tensor | None] = (None, None),
        noise_images: Sequence[tf.Tensor | None] = (None, None),
    ) -> Iterator[tuple[str, tf.Tensor]]:
        """Names of the layers, and what each has made: of torgb the image so far. Arguments are those of a call."""
        noise = [
            {"noise_mode": noise_mode, "noise_seed": seed, "noise_image": image}
            for seed, image in zip(noise_seeds, noise_images, strict=True)
        ]
        if self.has_const:
            x = tf.repeat(tf.convert_to_tensor(self.const)[None], tf.shape(ws[0])[0], axis=0)
            x = tf.ensure_shape(x, [ws[0].shape[0], *self.const.shape])
            x = self.conv1(x, ws[0], **noise[0])
        else:
            if self.in_channels == 0:
                x = self._first_maps(ws[0])
            y = self.skip(x, gain=math.sqrt(0.5)) if self.has_skip else None
            x = self.conv0(x, ws[0], **noise[0])
            yield "conv0", x
            if y is None:
                x = self.conv1(x, ws[1], **noise[1])
            else:
                x = y + self.conv1(x, ws[1], **noise[1], gain=math.sqrt(0.5))
        yield "conv1", x
        if self.has_torgb:
            if img is not None:
                img = upsample2d(img, self._taps, impl=self.impl)
            y = self.torgb(x, ws[self.num_convs])
            yield "torgb", y if img is None else img + y

    def _first_maps(self, w: tf.Tensor) -> tf.Tensor:
        """Maps [N,h/2,w/2,C] in place of a constant. The layer's units are in the order C,H,W, as D's last layers'."""
        maps = tf.reshape(self.fc(w), [-1, self.out_channels, self.size.height // 2, self.size.width // 2])
        return tf.transpose(maps, [0, 2, 3, 1])
