"""Discriminator of StyleGAN2 and StyleGAN3 (arXiv:1912.04958, figure 7; label projection as in arXiv:2006.06676)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from sg_keras.config.channels import ChannelTable, block_channels, check_levels
from sg_keras.config.sizes import DEFAULT_CHANNEL_BASE, DEFAULT_CHANNEL_MAX, Resolution, block_sizes, image_size
from sg_keras.layers.configured_layer import ConfiguredLayer, accepted_by, without_later_arguments
from sg_keras.models.discriminator_blocks import DiscriminatorBlock, DiscriminatorEpilogue
from sg_keras.models.half_precision import is_half_resolution, policy_of
from sg_keras.models.mapping import Mapping
from sg_keras.models.summary import print_blocks


@keras.saving.register_keras_serializable(package="sg_keras")
class Discriminator(ConfiguredLayer, keras.Model):
    """Images and labels to logits: positive for real.

    Args:
        c_dim: width of the label, 0 = unconditional.
        img_resolution: side of the images in pixels or their height and width, at least 4 each.
        img_channels: 1 (gray), 3 (RGB), 4 (RGBA) or others.
        architecture: "resnet", "skip" or "orig".
        channel_base, channel_max: feature maps of the block of level r are min(channel_base // r, channel_max).
        resample_filter: taps of the low-pass filter.
        activation: of all layers but the last.
        conv_clamp: clamp the layers' outputs to +-this, or None.
        cmap_dim: width of the mapped label, None = the channels of the last block.
        mapping_kwargs: further arguments of the label's Mapping, such as num_layers.
        mbstd_group_size, mbstd_num_channels: of the minibatch standard deviation.
        freeze_layers: layers, counted from the image on, that are not trained (freeze-D, arXiv:2002.10964).
        impl: implementation of the fused ops: "auto", "custom" or "reference".
        num_fp16_res: how many of the highest resolutions compute in half precision, never 4x4; weights are float32.
        half_dtype: "float16" or "bfloat16", for these.
        channels: [level, feature maps] of each block, in place of channel_base and channel_max; None = by these.

    Call: (img [N,H,W,img_channels], c [N,c_dim]) -> logits [N,1].

    Example:
        >>> D = sg_keras.models.Discriminator(img_resolution=16, channel_base=64)
        >>> D(tf.zeros([4, 16, 16, 3])).shape
        TensorShape([4, 1])
    """

    def __init__(
        self,
        c_dim: int = 0,
        img_resolution: Resolution = 256,
        img_channels: int = 3,
        architecture: str = "resnet",
        channel_base: int = DEFAULT_CHANNEL_BASE,
        channel_max: int = DEFAULT_CHANNEL_MAX,
        resample_filter: Sequence[float] = (1, 3, 3, 1),
        activation: str = "lrelu",
        conv_clamp: float | None = 256.0,
        cmap_dim: int | None = None,
        mapping_kwargs: dict[str, Any] | None = None,
        mbstd_group_size: int | None = 4,
        mbstd_num_channels: int = 1,
        freeze_layers: int = 0,
        impl: str = "auto",
        num_fp16_res: int = 0,
        half_dtype: str = "float16",
        channels: ChannelTable = None,
        name: str = "D",
        **kwargs: Any,
    ) -> None:
        arguments = dict(locals())  # what the blocks take of them goes on by name
        super().__init__(name=name, **kwargs)
        if architecture not in ("skip", "resnet", "orig"):
            raise ValueError(f"architecture: found {architecture!r}, expected resnet, skip or orig")
        size = image_size(img_resolution, "img_resolution")
        self.c_dim, self.img_resolution, self.img_channels = c_dim, size.plain, img_channels
        sizes = block_sizes(size)
        self.levels = list(sizes)[:0:-1]
        check_levels(channels, sizes)
        widths_of = {level: block_channels(level, channel_base, channel_max, channels) for level in sizes}
        shared = accepted_by(DiscriminatorBlock, arguments)
        for level in self.levels:
            in_channels = 0 if level == size.level else widths_of[level]
            policy = policy_of(is_half_resolution(level, size.level, num_fp16_res), half_dtype, self.dtype_policy)
            widths = (in_channels, widths_of[level], widths_of[level // 2], sizes[level].plain)
            setattr(self, f"b{level}", DiscriminatorBlock(*widths, name=f"b{level}", dtype=policy, **shared))
        self.cmap_dim = 0 if c_dim == 0 else widths_of[4] if cmap_dim is None else cmap_dim
        shared = accepted_by(DiscriminatorEpilogue, {**arguments, "cmap_dim": self.cmap_dim})
        shared["resolution"] = sizes[4].plain
        self.b4 = DiscriminatorEpilogue(widths_of[4], name="b4", dtype=self.dtype_policy, **shared)
        self.mapping = None
        if c_dim > 0:
            self.mapping = Mapping(
                0, c_dim, self.cmap_dim, None, impl=impl, name="mapping", dtype=self.dtype_policy,
                **{"w_avg_beta": None, **(mapping_kwargs or {})},
            )  # fmt: skip
        self.build()
        for layer in self._frozen_layers(freeze_layers):
            layer.trainable = False

    @property
    def blocks(self) -> list[DiscriminatorBlock]:
        """Blocks from the image's size down to 8x8."""
        return [getattr(self, f"b{level}") for level in self.levels]

    @property
    def freezable_layer_names(self) -> list[str]:
        """Names such as b32.conv0 in the order in which freeze-D counts layers: from the image on, without 4x4."""
        return [f"b{block.level}.{layer.name}" for block in self.blocks for layer in block.freezable_layers]

    @property
    def frozen_layer_names(self) -> list[str]:
        """Names such as b32.conv0 of the layers that are not trained."""
        return [f"b{b.level}.{x.name}" for b in self.blocks for x in b.freezable_layers if not x.trainable]

    def _frozen_layers(self, count: int) -> Iterator[keras.layers.Layer]:
        yield from [layer for block in self.blocks for layer in block.freezable_layers][:count]

    def build(self, input_shape: Any = None) -> None:
        """Create all variables; shapes follow from the constructor's arguments."""
        if self.b4.built:
            return
        for block in self.blocks:
            block.build()
        self.b4.build()
        if self.mapping is not None:
            self.mapping.build()

    def run_blocks(self, img: tf.Tensor) -> tuple[tf.Tensor | None, tf.Tensor | None]:
        """What the epilogue takes: maps [N,h,w,C] after the last block, None where there is no block, and the image at
        that size where the architecture is "skip"."""
        return [(None, img), *self.after_blocks(img)][-1]

    def after_blocks(self, img: tf.Tensor) -> Iterator[tuple[tf.Tensor, tf.Tensor | None]]:
        """Maps [N,h,w,C] after each block, from the largest down, and what is left of the image, as of `run_blocks`."""
        x, image = None, img
        for block in self.blocks:
            x, image = block(x, image)
            yield x, image

    def call(self, img: tf.Tensor, c: tf.Tensor | None = None) -> tf.Tensor:
        x, image = self.run_blocks(img)
        cmap = None if self.mapping is None else self.mapping(None, c)
        return self.b4(x, image, cmap)

    def get_config(self) -> dict[str, Any]:
        config = without_later_arguments(super().get_config())
        return {**config, "mapping_kwargs": config["mapping_kwargs"] or {}}

    def summary(self, print_fn: Callable[[str], None] | None = None, **kwargs: Any) -> None:
        """Print one line per block: layers, output shape, parameters."""
        rows = [(b.name, b, [b.size.height // 2, b.size.width // 2, b.out_channels]) for b in self.blocks]
        rows.append(("b4", self.b4, [1]))
        if self.mapping is not None:
            rows.append(("mapping", self.mapping, [self.cmap_dim]))
        print_blocks(self, rows, print_fn)
