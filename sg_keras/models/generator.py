"""Generator: mapping and synthesis as one Keras model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import keras
import tensorflow as tf

from sg_keras.config.channels import ChannelTable
from sg_keras.config.sizes import DEFAULT_CHANNEL_BASE, DEFAULT_CHANNEL_MAX, Resolution, image_size
from sg_keras.layers.configured_layer import ConfiguredLayer, accepted_by, without_later_arguments
from sg_keras.models.mapping import Mapping as MappingNetwork
from sg_keras.models.summary import print_blocks, print_plan
from sg_keras.models.synthesis_stylegan2 import SynthesisStyleGAN2
from sg_keras.models.synthesis_stylegan3 import SynthesisStyleGAN3


@runtime_checkable
class TracksMagnitudes(Protocol):
    """A synthesis network whose layers keep a running mean of their input's magnitude, as StyleGAN3's do."""

    def magnitude_variables(self) -> dict[str, keras.Variable]:
        """The running means, by layer."""

    def call_with_updates(
        self, ws: tf.Tensor, magnitudes: Mapping[str, tf.Tensor], **noise: Any
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Images, and the running means after this micro-batch, by layer."""


#: What sets R apart from T; the doubled width of the published R is a matter of its training configuration.
_STYLEGAN3_R = {"conv_kernel": 1, "use_radial_filters": True}
STYLEGAN3 = {"stylegan3-t": {}, "stylegan3-r": _STYLEGAN3_R}


@keras.saving.register_keras_serializable(package="sg_keras")
class Generator(ConfiguredLayer, keras.Model):
    """Latent z and label c to images.

    Args:
        z_dim, c_dim, w_dim: widths of latent, label (0 = unconditional) and style.
        img_resolution: side of the images in pixels, or their height and width.
        img_channels: 1 (gray), 3 (RGB), 4 (RGBA) or others.
        cfg: "stylegan2", "stylegan3-t" or "stylegan3-r".
        mapping_kwargs: further arguments of Mapping, such as num_layers (default 8, StyleGAN3: 2).
        channel_base, channel_max: limits of the feature maps; in the block of level r, the resolution of squares
            (StyleGAN3: at a cutoff of r/2), there are min(channel_base // r, channel_max).
        architecture: "skip", "resnet" or "orig" (StyleGAN2 alone, as are the next three).
        resample_filter: taps of the low-pass filter.
        use_noise: noise inputs in every synthesis layer.
        activation: of the synthesis layers.
        conv_clamp: clamp the layers' outputs to +-this, or None.
        impl: implementation of the fused ops: "auto", "custom" or "reference".
        num_fp16_res: how many of the highest resolutions compute in half precision; weights and images are float32.
        half_dtype: "float16" or "bfloat16", for these.
        synthesis_kwargs: StyleGAN3 alone: output_scale, magnitude_ema_beta and all that plan_synthesis takes, such as
            num_layers, num_critical, first_cutoff, margin_size, conv_kernel or filter_size, where they are to differ
            from what cfg says.
        no_const: StyleGAN2 without the learnt constant of its first block: see SynthesisStyleGAN2.
        channels: [level, feature maps] pairs in place of channel_base and channel_max, for every level from 4 on;
            None = by these. StyleGAN3 interpolates: see plan_synthesis.

    Call: (z [N,z_dim], c [N,c_dim], truncation_psi=1, truncation_cutoff=None, noise_mode="const", noise_seed=None,
        transform=None) -> images [N,H,W,img_channels], nominally -1..1. transform, [3,3] or [N,3,3], is
        StyleGAN3's alone: it moves the image by its inverse (see FourierInput).

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> G(tf.random.normal([4, 8]), truncation_psi=0.7).shape
        TensorShape([4, 16, 16, 3])
    """

    def __init__(
        self,
        z_dim: int = 512,
        c_dim: int = 0,
        w_dim: int = 512,
        img_resolution: Resolution = 256,
        img_channels: int = 3,
        cfg: str = "stylegan2",
        mapping_kwargs: dict[str, Any] | None = None,
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
        synthesis_kwargs: dict[str, Any] | None = None,
        no_const: bool = False,
        channels: ChannelTable = None,
        name: str = "G",
        **kwargs: Any,
    ) -> None:
        arguments = dict(locals())  # what the synthesis network takes of them goes on by name
        super().__init__(name=name, **kwargs)
        self.cfg = cfg
        self.z_dim, self.c_dim, self.w_dim = z_dim, c_dim, w_dim
        self.size = image_size(img_resolution, "img_resolution")
        self.img_resolution, self.img_channels = self.size.plain, img_channels
        self.synthesis = _new_synthesis(cfg, arguments, synthesis_kwargs or {}, self.dtype_policy)
        self.num_ws = self.synthesis.num_ws
        further = {"num_layers": 2 if cfg in STYLEGAN3 else 8, **(mapping_kwargs or {})}
        self.mapping = MappingNetwork(
            z_dim, c_dim, w_dim, self.num_ws, impl=impl, name="mapping", dtype=self.dtype_policy, **further
        )
        self.build()

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return (self.size.height, self.size.width, self.img_channels)

    @property
    def takes_transform(self) -> bool:
        """Whether its images can be moved by a transform."""
        return self.cfg in STYLEGAN3

    def build(self, input_shape: Any = None) -> None:
        """Create all variables; shapes follow from the constructor's arguments."""
        if not self.mapping.built:
            self.mapping.build()
            self.synthesis.build()

    def call(
        self,
        z: tf.Tensor,
        c: tf.Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        noise_mode: str = "const",
        noise_seed: tf.Tensor | None = None,
        transform: tf.Tensor | None = None,
    ) -> tf.Tensor:
        ws = self.mapping(z, c, truncation_psi=truncation_psi, truncation_cutoff=truncation_cutoff)
        return self.synthesis(ws, noise_mode=noise_mode, noise_seed=noise_seed, transform=transform)

    def magnitude_variables(self) -> dict[str, keras.Variable]:
        """Running means of the layers' magnitudes, by layer: StyleGAN3's alone, else none."""
        synthesis: object = self.synthesis
        return synthesis.magnitude_variables() if isinstance(synthesis, TracksMagnitudes) else {}

    def synthesize_with_updates(
        self, ws: tf.Tensor, magnitudes: Mapping[str, tf.Tensor], **noise: Any
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Images of ws, and the running means of magnitudes as this micro-batch updates them. No variable is written.

        Args:
            ws: [N,num_ws,w_dim].
            magnitudes: running means before, [] each, by layer; none for a network that keeps none.
            noise: noise_mode and noise_seed, as of a call.

        Returns:
            Images [N,H,W,img_channels], and the running means after, by layer.
        """
        synthesis: object = self.synthesis
        if isinstance(synthesis, TracksMagnitudes):
            return synthesis.call_with_updates(ws, magnitudes, **noise)
        return self.synthesis(ws, **noise), {}

    def get_config(self) -> dict[str, Any]:
        config = without_later_arguments(super().get_config())
        return {**config, **{name: config[name] or {} for name in ("mapping_kwargs", "synthesis_kwargs")}}

    def summary(self, print_fn: Callable[[str], None] | None = None, **kwargs: Any) -> None:
        """Print what each block or layer is: sizes, parameters and, for StyleGAN3, rates, frequencies and filters."""
        if isinstance(self.synthesis, SynthesisStyleGAN3):
            print_plan(self, print_fn)
            return
        blocks = [("mapping", self.mapping, [self.num_ws, self.w_dim])]
        blocks += [
            (f"synthesis.{b.name}", b, [b.size.height, b.size.width, b.out_channels]) for b in self.synthesis.blocks
        ]
        print_blocks(self, blocks, print_fn)


def _new_synthesis(
    cfg: str, arguments: Mapping[str, Any], further: Mapping[str, Any], dtype: keras.DTypePolicy
) -> SynthesisStyleGAN2 | SynthesisStyleGAN3:
    """The synthesis network of a cfg, with those of the generator's arguments that it takes."""
    if cfg in STYLEGAN3:
        if arguments["no_const"]:
            raise ValueError(f"no_const: found it with {cfg}, which has no constant, expected stylegan2")
        shared = accepted_by(SynthesisStyleGAN3, arguments)
        return SynthesisStyleGAN3(**shared, name="synthesis", dtype=dtype, **{**STYLEGAN3[cfg], **further})
    if cfg != "stylegan2":
        raise ValueError(f"cfg: found {cfg!r}, expected stylegan2, {' or '.join(STYLEGAN3)}")
    if further:
        raise ValueError(f"synthesis_kwargs: found {sorted(further)} with stylegan2, expected none")
    return SynthesisStyleGAN2(**accepted_by(SynthesisStyleGAN2, arguments), name="synthesis", dtype=dtype)
