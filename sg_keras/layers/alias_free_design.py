"""What an alias-free layer is designed for, and the filters and padding that follow (arXiv:2106.12423, section 3.2)."""

from __future__ import annotations

import dataclasses

import numpy as np

from sg_keras.config.sizes import Resolution, image_size
from sg_keras.ops import design_lowpass_filter


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AliasFreeDesign:
    """Sizes, sampling rates and frequencies of one layer.

    Rates and frequencies are in the image's unit, its shorter side: a rate of s is s samples across it, a cutoff of s/2
    the highest frequency that this rate can hold. Sizes are above the rates where there is a margin around the image.

    Example:
        >>> design = sg_keras.models.plan_synthesis(256, 3).layers[0].design
        >>> design.up, design.down, design.padding
        (2, 2, (9, 8, 9, 8))
    """

    in_channels: int
    out_channels: int
    in_size: Resolution  # side in samples, or height and width
    out_size: Resolution
    in_sampling_rate: float
    out_sampling_rate: float
    in_cutoff: float
    out_cutoff: float
    in_half_width: float  # of the band between pass and stop
    out_half_width: float
    conv_kernel: int = 3
    filter_size: int = 6  # taps of the low-pass filters for each factor of resampling
    lrelu_upsampling: int = 2  # how far above both rates the nonlinearity runs
    use_radial_filters: bool = False  # for downsampling, unless critically sampled
    is_critically_sampled: bool = False
    is_torgb: bool = False  # 1x1, neither demodulated nor filtered

    @property
    def kernel_size(self) -> int:
        """k of the k x k convolution."""
        return 1 if self.is_torgb else self.conv_kernel

    @property
    def internal_sampling_rate(self) -> float:
        """Rate at which the nonlinearity runs."""
        factor = 1 if self.is_torgb else self.lrelu_upsampling
        return max(self.in_sampling_rate, self.out_sampling_rate) * factor

    @property
    def up(self) -> int:
        """Upsampling factor, from the input's to the internal rate."""
        return round(self.internal_sampling_rate / self.in_sampling_rate)

    @property
    def down(self) -> int:
        """Downsampling factor, from the internal to the output's rate."""
        return round(self.internal_sampling_rate / self.out_sampling_rate)

    @property
    def up_taps(self) -> int:
        """Length of the upsampling filter, 1 = none."""
        return self._taps(self.up)

    @property
    def down_taps(self) -> int:
        """Length of the downsampling filter, 1 = none."""
        return self._taps(self.down)

    def _taps(self, factor: int) -> int:
        return 1 if factor == 1 or self.is_torgb else self.filter_size * factor

    @property
    def down_radial(self) -> bool:
        """Whether the downsampling filter is the same in all directions."""
        return self.use_radial_filters and not self.is_critically_sampled and self.down_taps > 1

    @property
    def padding(self) -> tuple[int, int, int, int]:
        """(x0, x1, y0, y1) of the upsampled image, so that `out_size` comes out and the image's centre stays."""
        before, after = image_size(self.in_size), image_size(self.out_size)
        return (*self._padding(before.width, after.width), *self._padding(before.height, after.height))

    def _padding(self, in_samples: int, out_samples: int) -> tuple[int, int]:
        """Before and after, on one axis."""
        reach = (out_samples - 1) * self.down + 1  # pixels that downsampling reads, but for its filter
        total = reach - (in_samples + self.kernel_size - 1) * self.up + self.up_taps + self.down_taps - 2
        before = (total + self.up) // 2  # half a sample's shift by zero insertion is undone here
        return before, total - before

    def up_filter(self) -> np.ndarray | None:
        """Taps of the upsampling filter, float32 [taps], or None."""
        return design_lowpass_filter(self.up_taps, self.in_cutoff, self.in_half_width * 2, self.internal_sampling_rate)

    def down_filter(self) -> np.ndarray | None:
        """Taps of the downsampling filter, float32 [taps] or (radial) [taps,taps], or None."""
        return design_lowpass_filter(
            self.down_taps, self.out_cutoff, self.out_half_width * 2, self.internal_sampling_rate, self.down_radial
        )
