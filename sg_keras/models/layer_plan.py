"""The layer design of a StyleGAN3 synthesis network as a value (arXiv:2106.12423, section 3.2 and appendix D)."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from sg_keras.config.channels import ChannelTable, check_levels, cutoff_channels, table_levels
from sg_keras.config.sizes import (
    DEFAULT_CHANNEL_BASE,
    DEFAULT_CHANNEL_MAX,
    ImageSize,
    Resolution,
    expected_size,
    image_size,
    takes_size,
)
from sg_keras.layers import AliasFreeDesign


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InputPlan:
    """The Fourier features."""

    channels: int
    size: Resolution  # side in samples or height and width, margins included
    sampling_rate: float
    bandwidth: float

    def num_parameters(self, w_dim: int) -> int:
        """Trainable numbers."""
        return self.channels**2 + 4 * (w_dim + 1)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """One layer: its design, and what the whole network's plan adds to it."""

    name: str  # as published, such as L0_36_512: index, size (its shorter side), output channels
    design: AliasFreeDesign
    in_stopband: float
    out_stopband: float
    half_precision: bool

    def num_parameters(self, w_dim: int) -> int:
        """Trainable numbers."""
        design = self.design
        convolution = design.in_channels * design.out_channels * design.kernel_size**2 + design.out_channels
        return convolution + design.in_channels * (w_dim + 1)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisPlan:
    """All layers, from the Fourier features to the image.

    Example:
        >>> sg_keras.models.plan_synthesis(256, 3).num_ws
        16
    """

    input: InputPlan
    layers: tuple[LayerPlan, ...]

    @property
    def num_ws(self) -> int:
        """Style vectors: one for the input, one per layer."""
        return len(self.layers) + 1

    def in_half(self, num_fp16_res: int) -> SynthesisPlan:
        """The same with so many of the highest resolutions in half precision."""
        highest = self.layers[-1].design.out_sampling_rate  # the image's
        return dataclasses.replace(
            self,
            layers=tuple(
                dataclasses.replace(layer, half_precision=layer.design.out_sampling_rate * 2**num_fp16_res > highest)
                for layer in self.layers
            ),
        )

    def num_parameters(self, w_dim: int) -> int:
        """Trainable numbers of the whole synthesis network."""
        return self.input.num_parameters(w_dim) + sum(layer.num_parameters(w_dim) for layer in self.layers)


@dataclasses.dataclass(frozen=True, slots=True)
class _Signal:
    """What is handed from one layer to the next."""

    cutoff: float
    stopband: float
    sampling_rate: float
    size: ImageSize
    channels: int

    @property
    def half_width(self) -> float:
        return max(self.stopband, self.sampling_rate / 2) - self.cutoff


def plan_synthesis(
    img_resolution: Resolution,
    img_channels: int,
    channel_base: int = DEFAULT_CHANNEL_BASE,
    channel_max: int = DEFAULT_CHANNEL_MAX,
    num_layers: int = 14,
    num_critical: int = 2,
    first_cutoff: float = 2.0,
    first_stopband: float = 2**2.1,
    last_stopband_rel: float = 2**0.3,
    margin_size: int = 10,
    conv_kernel: int = 3,
    filter_size: int = 6,
    lrelu_upsampling: int = 2,
    use_radial_filters: bool = False,
    num_fp16_res: int = 0,
    channels: ChannelTable = None,
) -> SynthesisPlan:
    """Work out every layer. The frequencies rise geometrically, and stay where they are in the last layers.

    Frequencies and rates are counted across the shorter side. The longer one has samples of the same distance, so what
    holds of squares holds of every shape: an image moves with its input alike in all directions. Rates are the image's
    own, halved so and so many times, and sizes are even, so that the centre stays where it is.

    Args:
        img_resolution: side of the image or its height and width, even numbers from 8 on.
        img_channels: of the image.
        channel_base, channel_max: a layer of cutoff f has min(channel_base / (2 f), channel_max) channels, rounded.
        num_layers: layers before the one that makes the image.
        num_critical: of these, how many at the end have the image's own highest frequency as their cutoff.
        first_cutoff, first_stopband: of the Fourier features, in periods across the image's shorter side.
        last_stopband_rel: stopband of the last layers as a multiple of their cutoff.
        margin_size: samples round the image on each side, at every rate.
        conv_kernel: side of the convolutions' kernels.
        filter_size: taps of the low-pass filters for each factor of resampling.
        lrelu_upsampling: how far above the layers' rates the nonlinearity runs.
        use_radial_filters: downsample with filters that are the same in all directions, but in the critical layers.
        num_fp16_res: resolutions, from the highest, in half precision.
        channels: [resolution, channels] pairs in place of the rule; 2 f lies between two of them, and a layer's number
            on the geometric progression from one to the other, rounded.

    Raises:
        ValueError: numbers that give no network.

    Example:
        >>> plan = sg_keras.models.plan_synthesis(256, img_channels=3)
        >>> plan.layers[0].name, plan.layers[-1].name
        ('L0_36_512', 'L14_256_3')
    """
    image = image_size(img_resolution, "img_resolution")
    last_cutoff = image.shorter / 2
    bands = (first_cutoff, first_stopband, last_cutoff, last_cutoff * last_stopband_rel)
    check_levels(channels, table_levels("stylegan3", image.shorter, image.level))
    _check(image, num_layers, num_critical, margin_size, bands)
    signals = []
    for index in range(num_layers + 1):
        cutoff, stopband = _band(min(index / (num_layers - num_critical), 1), *bands)
        rate = _rate(image.shorter, stopband)
        size = _size(image, rate, margin_size) if index < num_layers - 1 else image
        hidden = cutoff_channels(cutoff, channel_base, channel_max, channels)
        width = hidden if index < num_layers else img_channels
        _require(width >= 1, "channel_base", channel_base, f"{image.shorter} or more, for one channel at the end")
        signals.append(_Signal(cutoff, stopband, rate, size, width))
    _require(2 * first_cutoff < signals[0].sampling_rate, "first_cutoff", first_cutoff, "less than half the first rate")
    layers = [
        _layer(
            index,
            signals[max(index - 1, 0)],
            signals[index],
            signals[index].sampling_rate * 2**num_fp16_res > image.shorter,
            conv_kernel=conv_kernel,
            filter_size=filter_size,
            lrelu_upsampling=lrelu_upsampling,
            use_radial_filters=use_radial_filters,
            is_critically_sampled=index >= num_layers - num_critical,
            is_torgb=index == num_layers,
        )
        for index in range(num_layers + 1)
    ]
    first = signals[0]
    fourier = InputPlan(
        channels=first.channels, size=first.size.plain, sampling_rate=first.sampling_rate, bandwidth=first.cutoff
    )
    return SynthesisPlan(input=fourier, layers=tuple(layers))


def _band(
    progress: float, first_cutoff: float, first_stopband: float, last_cutoff: float, last_stopband: float
) -> tuple[float, float]:
    """Cutoff and stopband, a geometric progression each."""
    cutoff = first_cutoff * (last_cutoff / first_cutoff) ** progress
    return cutoff, first_stopband * (last_stopband / first_stopband) ** progress


def _rate(shorter: int, stopband: float) -> float:
    """Samples across the shorter side: as many as the image has, halved as often as the stopband allows."""
    rate = shorter / 2 ** math.floor(math.log2(shorter / min(stopband * 2, shorter)))
    return int(rate) if rate.is_integer() else rate


def _size(image: ImageSize, rate: float, margin: int) -> ImageSize:
    """Samples of a rate that cover an image, an even number each way, and the margins."""

    def covering(side: int) -> int:
        return 2 * math.ceil(side * rate / image.shorter / 2) + 2 * margin

    return ImageSize(covering(image.height), covering(image.width))


def _layer(index: int, before: _Signal, after: _Signal, half_precision: bool, **design: Any) -> LayerPlan:
    return LayerPlan(
        name=f"L{index}_{after.size.shorter}_{after.channels}",
        design=AliasFreeDesign(
            in_channels=before.channels,
            out_channels=after.channels,
            in_size=before.size.plain,
            out_size=after.size.plain,
            in_sampling_rate=before.sampling_rate,
            out_sampling_rate=after.sampling_rate,
            in_cutoff=before.cutoff,
            out_cutoff=after.cutoff,
            in_half_width=before.half_width,
            out_half_width=after.half_width,
            **design,
        ),
        in_stopband=before.stopband,
        out_stopband=after.stopband,
        half_precision=half_precision,
    )


def _check(
    image: ImageSize, num_layers: int, num_critical: int, margin_size: int, bands: tuple[float, float, float, float]
) -> None:
    first_cutoff, first_stopband, last_cutoff, last_stopband = bands
    _require(takes_size("stylegan3-t", image), "img_resolution", image, expected_size("stylegan3-t", image))
    _require(num_layers >= 1, "num_layers", num_layers, "1 or more")
    _require(0 <= num_critical < num_layers, "num_critical", num_critical, f"0 to {num_layers - 1}")
    _require(margin_size >= 0, "margin_size", margin_size, "0 or more")
    _require(0 < first_cutoff < last_cutoff, "first_cutoff", first_cutoff, f"a number between 0 and {last_cutoff:g}")
    _require(first_stopband > first_cutoff, "first_stopband", first_stopband, f"more than first_cutoff={first_cutoff}")
    _require(last_stopband > last_cutoff, "last_stopband_rel", last_stopband / last_cutoff, "more than 1")


def _require(condition: bool, name: str, found: Any, expected: str) -> None:
    if not condition:
        raise ValueError(f"{name}: found {found}, expected {expected}")
