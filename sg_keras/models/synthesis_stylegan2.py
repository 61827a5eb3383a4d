"""Synthesis network of StyleGAN2 (arXiv:1912.04958, figures 2 and 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from sg_keras.config.channels import ChannelTable, block_channels, check_levels
from sg_keras.config.sizes import (
    DEFAULT_CHANNEL_BASE,
    DEFAULT_CHANNEL_MAX,
    Resolution,
    doubling_sizes,
    image_size,
    no_const_size,
)
from sg_keras.layers.configured_layer import ConfiguredLayer, accepted_by
from sg_keras.models.half_precision import is_half_resolution, policy_of
from sg_keras.models.synthesis_block import SynthesisBlock


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
        no_const: the first block makes its maps of w, by a dense layer, instead of having learnt a constant. It has two
            convolutions then, as all others, and num_ws is one more.
        channels: [level, feature maps] of each block, in place of channel_base and channel_max; None = by these.

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
        no_const: bool = False,
        channels: ChannelTable = None,
        **kwargs: Any,
    ) -> None:
        arguments = dict(locals())  # what the blocks take of them goes on by name
        super().__init__(**kwargs)
        if architecture not in ("skip", "resnet", "orig"):
            raise ValueError(f"architecture: found {architecture!r}, expected skip, resnet or orig")
        self.w_dim = w_dim
        size = image_size(img_resolution, "img_resolution")
        sizes = doubling_sizes(size)
        if no_const:
            no_const_size(size)  # refuses sizes without one
        check_levels(channels, sizes)
        self.levels = list(sizes)
        self.num_ws = 2 * len(sizes) + no_const
        shared = accepted_by(SynthesisBlock, arguments)
        in_channels = 0
        for level, block_size in sizes.items():
            width = block_channels(level, channel_base, channel_max, channels)
            policy = policy_of(is_half_resolution(level, size.level, num_fp16_res), half_dtype, self.dtype_policy)
            shape: dict[str, Any] = {"resolution": block_size.plain, "is_last": level == size.level}
            block = SynthesisBlock(in_channels, width, **shape, name=f"b{level}", dtype=policy, **shared)
            setattr(self, f"b{level}", block)
            in_channels = width

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
