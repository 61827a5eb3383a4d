"""Generator: mapping and synthesis as one Keras model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.models.mapping import Mapping
from sg_keras.models.summary import print_blocks
from sg_keras.models.synthesis_stylegan2 import SynthesisStyleGAN2


@keras.saving.register_keras_serializable(package="sg_keras")
class Generator(keras.Model):
    """Latent z and label c to images.

    Args:
        z_dim, c_dim, w_dim: widths of latent, label (0 = unconditional) and style.
        img_resolution: side of the images in pixels.
        img_channels: 1 (gray) or 3 (RGB).
        cfg: "stylegan2".
        mapping_kwargs: further arguments of Mapping, such as num_layers.
        channel_base, channel_max: feature maps at resolution r are min(channel_base // r, channel_max).
        architecture: "skip", "resnet" or "orig".
        resample_filter: taps of the low-pass filter.
        use_noise: noise inputs in every synthesis layer.
        activation: of the synthesis layers.
        conv_clamp: clamp the layers' outputs to +-this, or None.
        ops: implementation of the fused ops: "auto", "custom" or "reference".

    Call: (z [N,z_dim], c [N,c_dim], truncation_psi=1, truncation_cutoff=None, noise_mode="const", noise_seed=None)
        -> images [N,res,res,img_channels], nominally -1..1.
    """

    def __init__(
        self,
        z_dim: int = 512,
        c_dim: int = 0,
        w_dim: int = 512,
        img_resolution: int = 256,
        img_channels: int = 3,
        cfg: str = "stylegan2",
        mapping_kwargs: dict[str, Any] | None = None,
        channel_base: int = 32768,
        channel_max: int = 512,
        architecture: str = "skip",
        resample_filter: Sequence[float] = (1, 3, 3, 1),
        use_noise: bool = True,
        activation: str = "lrelu",
        conv_clamp: float | None = 256.0,
        ops: str = "auto",
        name: str = "G",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if cfg != "stylegan2":
            raise ValueError(f"cfg: found {cfg!r}, expected stylegan2 (the StyleGAN3 generators are not built yet)")
        self._config = {
            "z_dim": z_dim,
            "c_dim": c_dim,
            "w_dim": w_dim,
            "img_resolution": img_resolution,
            "img_channels": img_channels,
            "cfg": cfg,
            "mapping_kwargs": dict(mapping_kwargs or {}),
            "channel_base": channel_base,
            "channel_max": channel_max,
            "architecture": architecture,
            "resample_filter": np.asarray(resample_filter).tolist(),
            "use_noise": use_noise,
            "activation": activation,
            "conv_clamp": conv_clamp,
            "ops": ops,
        }
        self.z_dim, self.c_dim, self.w_dim = z_dim, c_dim, w_dim
        self.img_resolution, self.img_channels = img_resolution, img_channels
        self.synthesis = SynthesisStyleGAN2(
            w_dim,
            img_resolution,
            img_channels,
            channel_base,
            channel_max,
            architecture,
            resample_filter,
            use_noise,
            activation,
            conv_clamp,
            ops,
            name="synthesis",
            dtype=self.dtype_policy,
        )
        self.num_ws = self.synthesis.num_ws
        self.mapping = Mapping(
            z_dim, c_dim, w_dim, self.num_ws, ops=ops, name="mapping", dtype=self.dtype_policy, **(mapping_kwargs or {})
        )
        self.build()

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return (self.img_resolution, self.img_resolution, self.img_channels)

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
    ) -> tf.Tensor:
        ws = self.mapping(z, c, truncation_psi=truncation_psi, truncation_cutoff=truncation_cutoff)
        return self.synthesis(ws, noise_mode=noise_mode, noise_seed=noise_seed)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": keras.saving.serialize_keras_object(self.dtype_policy), **self._config}

    def summary(self, print_fn: Callable[[str], None] | None = None, **kwargs: Any) -> None:
        """Print one line a block: layers, output shape, parameters."""
        blocks = [("mapping", self.mapping, [self.num_ws, self.w_dim])]
        blocks += [
            (f"synthesis.{b.name}", b, [b.resolution, b.resolution, b.out_channels]) for b in self.synthesis.blocks
        ]
        print_blocks(self, blocks, print_fn)
