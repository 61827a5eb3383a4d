"""Synthesis network of StyleGAN2 (arXiv:1912.04958, figures 2 and 7)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from sg_keras.config.sizes import DEFAULT_CHANNEL_BASE, DEFAULT_CHANNEL_MAX, Resolution, doubling_sizes, image_size
from sg_keras.layers import Conv2D, SynthesisLayer, ToRGB
from sg_keras.layers.configured_layer import ConfiguredLayer, accepted_by
from sg_keras.models.half_precision import is_half_resolution, policy_of
from sg_keras.ops import setup_filter, upsample2d


def block_channels(level: int, channel_base: int, channel_max: int) -> int:
    """Feature maps of the block of a level: min(channel_base // level, channel_max)."""
    return min(channel_base // level, channel_max)


@keras.saving.register_keras_serializable(package="sg_keras")
class SynthesisBlock(ConfiguredLayer):
    """One resolution: an upsampling convolution (or the constant), a convolution, and the way to the image.

    Args:
        in_channels: of the block before, 0 = this is the first one, which begins with the constant.
        out_channels: of this block.
        w_dim: width of a style vector.
        resolution: side in pixels, or height and width.
        img_channels: channels of the image.
        is_last: whether this is the highest resolution.
        architecture: "skip", "resnet" or "orig".
        resample_filter, conv_clamp, use_noise, activation, impl: handed to the layers.

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
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # the image stays in full precision
        self.in_channels, self.out_channels = in_channels, out_channels
        self.size, self.architecture, self.impl = image_size(resolution), architecture, impl
        self.has_torgb = is_last or architecture == "skip"
        self.has_skip = in_channels > 0 and architecture == "resnet"
        self.num_convs = 1 if in_channels == 0 else 2
        self._taps = setup_filter(resample_filter)
        shared: dict[str, Any] = {"conv_clamp": conv_clamp, "impl": impl, "dtype": self.dtype_policy}
        conv = {"use_noise": use_noise, "activation": activation, "resample_filter": resample_filter, **shared}
        if in_channels > 0:
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
        return ("conv1",) if self.in_channels == 0 else ("conv0", "conv1")

    def build(self, input_shape: Any = None) -> None:
        height, width, channels = self.size.height, self.size.width, self.out_channels
        before = (None, height // 2, width // 2, self.in_channels)
        if self.in_channels == 0:
            self.const = self.add_weight(
                name="const",
                shape=(height, width, channels),
                initializer=keras.initializers.RandomNormal(stddev=1.0),
            )
        else:
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
        if self.in_channels == 0:
            x = tf.repeat(tf.convert_to_tensor(self.const)[None], tf.shape(ws[0])[0], axis=0)
            x = tf.ensure_shape(x, [ws[0].shape[0], *self.const.shape])
            x = self.conv1(x, ws[0], **noise[0])
        else:
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


@keras.saving.register_keras_serializable(package="sg_keras")
class SynthesisStyleGAN2(ConfiguredLayer):
    """Blocks from 4x4 (a side of 4 to 7 in images of other shapes) to the image's size.

    Args:
        w_dim: width of a style vector.
        img_resolution: side of the image or its height and width, which sg_keras.config.sizes says.
        img_channels: channels of the image.
        channel_base, channel_max: feature maps of the block of level r are min(channel_base // r, channel_max).
        architecture: "skip" (an image path beside the features), "resnet" or "orig".
        resample_filter, use_noise, activation, conv_clamp, impl: handed to the layers.
        num_fp16_res, half_dtype: so many of the highest resolutions compute in this type ("float16", "bfloat16").

    Call: (ws [N,num_ws,w_dim], noise_mode="const", noise_seed=None, noise_images=None) -> images [N,H,W,C], nominally
    -1..1. noise_seed, int64 [2], or [N,2] for each image alone, makes "random" noise a pure function of it.
    noise_images take the place of stored ones, by layer as in `noise_variables`, each [h,w], or [N,h,w] for each image
    its own. transform is StyleGAN3's, and refused here.
    """

    def __init__(
        self,
        w_dim: int,
        img_resolution: Resolution,
        img_channels: int,
        channel_base: int = DEFAULT_CHANNEL_BASE,
        channel_max: int = DEFAULT_CHANNEL_MAX,
        architecture: str = "skip",
        resample_filter: Sequence[float] = (1, 3, 3, 1),
        use_noise: bool = True,
        activation: str = "lrelu",
        conv_clamp: float | None = 256.0,
        impl: str = "auto",
        num_fp16_res: int = 0,
        half_dtype: str = "float16",
        **kwargs: Any,
    ) -> None:
        arguments = dict(locals())  # what the blocks take of them goes on by name
        super().__init__(**kwargs)
        if architecture not in ("skip", "resnet", "orig"):
            raise ValueError(f"architecture: found {architecture!r}, expected skip, resnet or orig")
        self.w_dim = w_dim
        size = image_size(img_resolution, "img_resolution")
        sizes = doubling_sizes(size)
        self.levels = list(sizes)
        self.num_ws = 2 * len(sizes)
        shared = accepted_by(SynthesisBlock, arguments)
        in_channels = 0
        for level, block_size in sizes.items():
            channels = block_channels(level, channel_base, channel_max)
            policy = policy_of(is_half_resolution(level, size.level, num_fp16_res), half_dtype, self.dtype_policy)
            shape: dict[str, Any] = {"resolution": block_size.plain, "is_last": level == size.level}
            block = SynthesisBlock(in_channels, channels, **shape, name=f"b{level}", dtype=policy, **shared)
            setattr(self, f"b{level}", block)
            in_channels = channels

    @property
    def blocks(self) -> list[SynthesisBlock]:
        """Blocks from the smallest up."""
        return [getattr(self, f"b{level}") for level in self.levels]

    def build(self, input_shape: Any = None) -> None:
        for block in self.blocks:
            block.build()

    def noise_variables(self) -> dict[str, keras.Variable]:
        """The stored images of noise [h,w], by layer, such as b8.conv0; none without noise inputs."""
        layers = {f"{b.name}.{name}": getattr(b, name) for b in self.blocks for name in b.conv_names}
        return {name: layer.noise_const for name, layer in layers.items() if layer.use_noise}

    def call(
        self,
        ws: tf.Tensor,
        noise_mode: str = "const",
        noise_seed: tf.Tensor | None = None,
        transform: None = None,
        noise_images: Mapping[str, tf.Tensor] | None = None,
    ) -> tf.Tensor:
        _refuse_transform(transform)
        x = img = None
        for block, block_ws, noise in self._block_inputs(ws, noise_mode, noise_seed, noise_images):
            x, img = block(x, img, block_ws, **noise)
        return img

    def activations(
        self,
        ws: tf.Tensor,
        noise_mode: str = "const",
        noise_seed: tf.Tensor | None = None,
        transform: None = None,
        noise_images: Mapping[str, tf.Tensor] | None = None,
    ) -> Iterator[tuple[str, tf.Tensor]]:
        """What the layers make, one after another: nothing is computed that is not asked for. Arguments as of a call.

        Yields:
            Name of a layer and its maps [N,h,w,C]: b4.conv1, b8.conv0, b8.conv1 ... In between b4.torgb, b8.torgb ...,
            where there are such layers, the images so far; at last "image", the image [N,H,W,img_channels].

        Example:
            >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=8, channel_base=64)
            >>> [name for name, maps in G.synthesis.activations(tf.zeros([1, G.num_ws, 8]))]
            ['b4.conv1', 'b4.torgb', 'b8.conv0', 'b8.conv1', 'b8.torgb', 'image']
        """
        _refuse_transform(transform)
        x = img = None
        for block, block_ws, noise in self._block_inputs(ws, noise_mode, noise_seed, noise_images):
            for name, value in block.activations(x, img, block_ws, **noise):
                x, img = (x, value) if name == "torgb" else (value, img)
                yield f"{block.name}.{name}", value
        yield "image", img

    def _block_inputs(
        self,
        ws: tf.Tensor,
        noise_mode: str,
        noise_seed: tf.Tensor | None,
        noise_images: Mapping[str, tf.Tensor] | None,
    ) -> Iterator[tuple[SynthesisBlock, Sequence[tf.Tensor], dict[str, Any]]]:
        """Each block, its styles, and what it is told of noise."""
        styles = tf.unstack(ws, axis=1)  # once: a slice for each block would be filled up with zeros in the gradient
        first = 0  # of styles; a block's ToRGB shares its w with the next block's first convolution
        for block in self.blocks:
            layers = range(first, first + block.num_convs)
            seeds = [None if noise_seed is None else noise_seed + tf.constant([i, 0], noise_seed.dtype) for i in layers]
            images = [(noise_images or {}).get(f"{block.name}.{name}") for name in block.conv_names]
            noise = {"noise_mode": noise_mode, "noise_seeds": seeds, "noise_images": images}
            yield block, styles[first : first + block.num_convs + 1], noise
            first += block.num_convs


def _refuse_transform(transform: None) -> None:
    if transform is not None:
        raise ValueError("transform: found one, expected none, since StyleGAN2 cannot move its images")
