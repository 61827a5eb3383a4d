"""Synthesis network of StyleGAN3 (arXiv:2106.12423, figure 4)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from sg_keras.config.channels import ChannelTable
from sg_keras.config.sizes import DEFAULT_CHANNEL_BASE, DEFAULT_CHANNEL_MAX, Resolution
from sg_keras.layers import AliasFreeLayer, FourierInput
from sg_keras.layers.configured_layer import ConfiguredLayer
from sg_keras.models.half_precision import policy_of
from sg_keras.models.layer_plan import plan_synthesis

_OWN = ("img_resolution", "img_channels", "channel_base", "channel_max", "num_fp16_res", "channels")


@keras.saving.register_keras_serializable(package="sg_keras")
class SynthesisStyleGAN3(ConfiguredLayer):
    """Fourier features, then alias-free layers up to the image.

    Args:
        w_dim: width of a style vector.
        img_resolution: side of the image or its height and width, even numbers from 8 on.
        img_channels: channels of the image.
        channel_base, channel_max: a layer of cutoff f has min(channel_base / (2 f), channel_max) feature maps, rounded.
        output_scale: factor of the image.
        conv_clamp: clamp the layers' outputs to +-this, or None.
        magnitude_ema_beta: decay of the layers' running mean magnitudes for each micro-batch.
        impl: implementation of the fused ops: "auto", "custom" or "reference".
        num_fp16_res, half_dtype: layers of so many of the highest resolutions (2^n times their rate is above the
            image's, which is its shorter side) compute in this type ("float16", "bfloat16").
        channels: [level, feature maps] pairs in place of channel_base and channel_max: see plan_synthesis.
        design: further arguments of plan_synthesis, by name, such as num_layers or conv_kernel.
        name, dtype, trainable: of the Keras layer.

    Call: (ws [N,num_ws,w_dim], noise_mode="const", noise_seed=None, transform=None) -> images [N,H,W,C], nominally
    -1..1. transform [3,3] or [N,3,3] moves the image by its inverse (see FourierInput). This network has no noise: what
    is said of it is ignored.
    """

    def __init__(
        self,
        w_dim: int,
        img_resolution: Resolution,
        img_channels: int,
        channel_base: int = DEFAULT_CHANNEL_BASE,
        channel_max: int = DEFAULT_CHANNEL_MAX,
        output_scale: float = 0.25,
        conv_clamp: float | None = 256.0,
        magnitude_ema_beta: float = 0.999,
        impl: str = "auto",
        num_fp16_res: int = 0,
        half_dtype: str = "float16",
        channels: ChannelTable = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        **design: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        widths: dict[str, Any] = {"channel_base": channel_base, "channel_max": channel_max, "channels": channels}
        self.plan = plan_synthesis(img_resolution, img_channels, **widths, num_fp16_res=num_fp16_res, **_known(design))
        self.w_dim = w_dim
        self.num_ws = self.plan.num_ws
        self.output_scale = output_scale
        start = self.plan.input
        self.input_layer = FourierInput(
            start.channels,
            w_dim,
            start.size,
            start.sampling_rate,
            start.bandwidth,
            impl=impl,
            name="input",
            dtype=self.dtype_policy,
        )
        for planned in self.plan.layers:
            layer = AliasFreeLayer(
                planned.design,
                w_dim,
                conv_clamp,
                magnitude_ema_beta,
                impl=impl,
                name=planned.name,
                dtype=policy_of(planned.half_precision, half_dtype, self.dtype_policy),
            )
            setattr(self, planned.name, layer)

    @property
    def alias_free_layers(self) -> list[AliasFreeLayer]:
        """Layers from the Fourier features to the image."""
        return [getattr(self, planned.name) for planned in self.plan.layers]

    def plan_half_resolutions(self, num_fp16_res: int) -> Iterator[tuple[AliasFreeLayer, bool]]:
        """Have the plan say that so many resolutions are in half precision: each layer, and whether it is to be."""
        self.plan = self.plan.in_half(num_fp16_res)
        for planned, layer in zip(self.plan.layers, self.alias_free_layers, strict=True):
            yield layer, planned.half_precision

    def build(self, input_shape: Any = None) -> None:
        self.input_layer.build()
        for layer in self.alias_free_layers:
            layer.build()

    def call(
        self,
        ws: tf.Tensor,
        noise_mode: str = "const",
        noise_seed: tf.Tensor | None = None,
        transform: tf.Tensor | None = None,
    ) -> tf.Tensor:
        del noise_mode, noise_seed
        return self._images(ws, transform, lambda layer, x: None)

    def call_with_updates(
        self,
        ws: tf.Tensor,
        magnitudes: Mapping[str, tf.Tensor],
        noise_mode: str = "const",
        noise_seed: tf.Tensor | None = None,
        transform: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Images as of `call`, each layer's running mean magnitude updated by this micro-batch before it is used.

        No variable is written: see `magnitude_variables`.

        Args:
            ws: [N,num_ws,w_dim].
            magnitudes: running means before, [] each, by layer.
            noise_mode, noise_seed: ignored.
            transform: [3,3], [N,3,3] or None.

        Returns:
            Images [N,H,W,C], and the running means after, by layer. They have no gradient.
        """
        del noise_mode, noise_seed
        updated: dict[str, tf.Tensor] = {}

        def update(layer: AliasFreeLayer, x: tf.Tensor) -> tf.Tensor:
            updated[layer.name] = layer.updated_magnitude(magnitudes[layer.name], x)
            return updated[layer.name]

        return self._images(ws, transform, update), updated

    def _images(
        self,
        ws: tf.Tensor,
        transform: tf.Tensor | None,
        magnitude: Callable[[AliasFreeLayer, tf.Tensor], tf.Tensor | None],
    ) -> tf.Tensor:
        """Images, with magnitude(layer, input of the layer) as each layer's magnitude, None = the stored one."""
        for _, x in self._activations(ws, transform, magnitude):
            images = x
        return images

    def activations(
        self,
        ws: tf.Tensor,
        noise_mode: str = "const",
        noise_seed: tf.Tensor | None = None,
        transform: tf.Tensor | None = None,
    ) -> Iterator[tuple[str, tf.Tensor]]:
        """What the layers make, one after another: nothing is computed that is not asked for. Arguments as of a call.

        Yields:
            "input" and the Fourier features; name of a layer and its maps [N,h,w,C], margins included; at last "image",
            the image [N,H,W,img_channels].

        Example:
            >>> kwargs = {"num_layers": 2, "num_critical": 1, "margin_size": 4}
            >>> G = sg_keras.models.Generator(
            ...     z_dim=8, w_dim=8, img_resolution=16, channel_base=64, cfg="stylegan3-t", synthesis_kwargs=kwargs)
            >>> [name for name, maps in G.synthesis.activations(tf.zeros([1, G.num_ws, 8]))]
            ['input', 'L0_24_16', 'L1_16_4', 'L2_16_3', 'image']
        """
        del noise_mode, noise_seed
        return self._activations(ws, transform, lambda layer, x: None)

    def _activations(
        self,
        ws: tf.Tensor,
        transform: tf.Tensor | None,
        magnitude: Callable[[AliasFreeLayer, tf.Tensor], tf.Tensor | None],
    ) -> Iterator[tuple[str, tf.Tensor]]:
        first, *styles = tf.unstack(ws, axis=1)
        x = self.input_layer(first, transform=transform)
        yield "input", x
        for layer, w in zip(self.alias_free_layers, styles, strict=True):
            x = layer(x, w, magnitude=magnitude(layer, x))
            yield layer.name, x
        yield "image", tf.cast(x, self.variable_dtype) * self.output_scale

    def magnitudes(self) -> dict[str, tf.Tensor]:
        """Running mean of the squared input, [] for each layer, as stored."""
        return {name: tf.convert_to_tensor(v) for name, v in self.magnitude_variables().items()}

    def magnitude_variables(self) -> dict[str, keras.Variable]:
        """The variables of these."""
        return {layer.name: layer.magnitude_ema for layer in self.alias_free_layers}


def _known(design: Mapping[str, Any]) -> Mapping[str, Any]:
    names = [name for name in inspect.signature(plan_synthesis).parameters if name not in _OWN]
    unknown = sorted(set(design) - set(names))
    if unknown:
        raise ValueError(f"synthesis_kwargs: found {unknown[0]!r}, expected one of {', '.join(names)}")
    return design
