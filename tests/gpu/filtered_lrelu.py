"""filtered_lrelu by its launcher: the map with its geometry, forward and masked, and a NumPy oracle of the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.gpu.devices import NUMPY_TYPES, TYPE_CODES, Array
from tests.gpu.launchers import Launchers

MASK_CHANNELS = 16


@dataclasses.dataclass(frozen=True)
class FilteredLrelu:
    """The map of custom_ops/filtered_lrelu/cc/kernels/filtered_lrelu_cuda.h. Pairs are (y, x).

    Attributes:
      up_filter: taps as they are applied (correlation): (rows, columns) of a separable filter, or one matrix.
      down_filter: likewise.
      clamp: None for no limit.
    """

    up: int
    down: int
    up_filter: tuple[np.ndarray, ...]
    down_filter: tuple[np.ndarray, ...]
    pad_up: tuple[int, int]
    pad_down: tuple[int, int]
    input_size: tuple[int, int]
    internal_size: tuple[int, int]
    output_size: tuple[int, int]
    gain: float = 1.0
    slope: float = 0.2
    clamp: float | None = None

    def adjoint(self) -> FilteredLrelu:
        """The transposed map on the same internal pixels."""
        return dataclasses.replace(
            self,
            up=self.down,
            down=self.up,
            up_filter=tuple(np.flip(taps) for taps in self.down_filter),
            down_filter=tuple(np.flip(taps) for taps in self.up_filter),
            pad_up=_opposite(self.down_filter, self.pad_down),
            pad_down=_opposite(self.up_filter, self.pad_up),
            input_size=self.output_size,
            output_size=self.input_size,
        )


def filter_size(taps: tuple[np.ndarray, ...]) -> tuple[int, int]:
    """(height, width) of a filter."""
    return (taps[0].shape[0], taps[-1].shape[-1])


def _opposite(taps: tuple[np.ndarray, ...], padding: tuple[int, int]) -> tuple[int, int]:
    height, width = filter_size(taps)
    return height - 1 - padding[0], width - 1 - padding[1]


def as_applied(
    input_size: tuple[int, int],
    fu: np.ndarray | None,
    fd: np.ndarray | None,
    up: int,
    down: int,
    padding: Sequence[int],
    flip_filter: bool,
    **activation: float | None,
) -> FilteredLrelu:
    """The map of the public op's arguments; padding is (x0, x1, y0, y1)."""
    up_filter = _applied_taps(fu, float(up) ** 2, flip_filter)
    down_filter = _applied_taps(fd, 1.0, flip_filter)
    x0, x1, y0, y1 = padding
    (up_h, up_w), (down_h, down_w) = filter_size(up_filter), filter_size(down_filter)
    internal = (input_size[0] * up + y0 + y1 - up_h + 1, input_size[1] * up + x0 + x1 - up_w + 1)
    output = ((internal[0] - down_h) // down + 1, (internal[1] - down_w) // down + 1)
    sizes = (input_size, internal, output)
    return FilteredLrelu(up, down, up_filter, down_filter, (y0, x0), (0, 0), *sizes, **activation)  # type: ignore[arg-type]


def _applied_taps(f: np.ndarray | None, gain: float, flip_filter: bool) -> tuple[np.ndarray, ...]:
    taps = np.ones([1, 1]) if f is None else np.asarray(f, np.float32)
    taps = (taps * gain ** (taps.ndim / 2)).astype(np.float64)
    taps = taps if flip_filter else np.flip(taps)
    return (taps, taps) if taps.ndim == 1 else (taps,)


# ---------------------------------------------------------------------------------------------------- launches


def forward(
    launchers: Launchers, geometry: FilteredLrelu, dtype: str, x: np.ndarray, bias: np.ndarray | None = None
) -> tuple[np.ndarray, Array]:
    """The result, and the mask on the device."""
    shape = x.shape[0], *geometry.internal_size, x.shape[3]
    words = shape[0] * -(-shape[3] // MASK_CHANNELS) * shape[1] * shape[2]
    mask = launchers.device.bytes(4 * words)
    b = None if bias is None else launchers.device.put(bias, dtype)
    return _launch(launchers, geometry, dtype, x, mask, masked=0, bias=b)[0], mask


def masked(
    launchers: Launchers, geometry: FilteredLrelu, dtype: str, x: np.ndarray, mask: Array
) -> tuple[np.ndarray, np.ndarray]:
    """The linear map, and its result's sums [channels] over all pixels."""
    return _launch(launchers, geometry, dtype, x, mask, masked=1, bias=None)


def _launch(
    launchers: Launchers,
    geometry: FilteredLrelu,
    dtype: str,
    x: np.ndarray,
    mask: Array,
    masked: int,
    bias: Array | None,
) -> tuple[np.ndarray, np.ndarray]:
    device = launchers.device
    y = device.empty([x.shape[0], *geometry.output_size, x.shape[3]], dtype)
    sums = device.empty([x.shape[3]], dtype)
    launchers.call(
        "filtered_lrelu",
        type=TYPE_CODES[dtype],
        masked=masked,
        images=x.shape[0],
        channels=x.shape[3],
        **_pairs("input_{}", geometry.input_size, ("height", "width")),
        **_pairs("internal_{}", geometry.internal_size, ("height", "width")),
        **_pairs("output_{}", geometry.output_size, ("height", "width")),
        **_pairs("pad_up_{}", geometry.pad_up, ("y", "x")),
        **_pairs("pad_down_{}", geometry.pad_down, ("y", "x")),
        **_pairs("up_filter_{}", filter_size(geometry.up_filter), ("height", "width")),
        **_pairs("down_filter_{}", filter_size(geometry.down_filter), ("height", "width")),
        up=geometry.up,
        down=geometry.down,
        up_separable=int(len(geometry.up_filter) == 2),
        down_separable=int(len(geometry.down_filter) == 2),
        up_filter=np.concatenate([taps.ravel() for taps in geometry.up_filter]),
        down_filter=np.concatenate([taps.ravel() for taps in geometry.down_filter]),
        gain=geometry.gain,
        slope=geometry.slope,
        clamp=np.inf if geometry.clamp is None else geometry.clamp,
        x=device.put(x, dtype),
        bias=bias,
        y=y,
        mask=mask,
        sums=sums,
    )
    return device.get(y), device.get(sums)


def _pairs(name: str, values: tuple[int, int], axes: tuple[str, str]) -> dict[str, int]:
    return {name.format(axis): value for axis, value in zip(axes, values, strict=True)}


def mask_bits(launchers: Launchers, mask: Array, geometry: FilteredLrelu, channels: int) -> np.ndarray:
    """The mask as whole numbers [N, H, W, C]: 1 not above 0, 2 clamped."""
    blocks = -(-channels // MASK_CHANNELS)
    words = launchers.device.get(mask).view(np.uint32).reshape([-1, blocks, *geometry.internal_size])
    channel = np.arange(channels)
    of_channel = words[:, channel // MASK_CHANNELS]
    shift = (channel % MASK_CHANNELS).astype(np.uint32)[:, np.newaxis, np.newaxis]
    bits = (of_channel >> shift & 1) + 2 * (of_channel >> (shift + MASK_CHANNELS) & 1)
    return np.moveaxis(bits, 1, 3)


# ---------------------------------------------------------------------------------------------------- oracle


def rounded(x: np.ndarray, dtype: str) -> np.ndarray:
    """x as the launchers get it, in float64."""
    return x.astype(NUMPY_TYPES[dtype]).astype(np.float64)


def oracle(geometry: FilteredLrelu, x: np.ndarray, bits: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The result in float64 of x [N, H, W, C], bias added, and the bits of the mask; or the linear map by `bits`."""
    n, height, width, c = x.shape
    upsampled = np.zeros([n, height, geometry.up, width, geometry.up, c])
    upsampled[:, :, 0, :, 0] = x
    upsampled = upsampled.reshape(n, height * geometry.up, width * geometry.up, c)
    internal = _correlate(upsampled, geometry.up_filter, geometry.pad_up, geometry.internal_size, 1)
    internal *= abs(geometry.gain)
    if bits is None:
        bits = (internal <= 0).astype(int)
        if geometry.clamp is not None:
            bits += 2 * (np.abs(np.where(bits > 0, geometry.slope, 1) * internal) > geometry.clamp)
        limited = np.where(bits & 1, geometry.slope, 1) * internal
        active = limited if geometry.clamp is None else np.clip(limited, -geometry.clamp, geometry.clamp)
    else:
        active = np.where(bits & 2, 0, np.where(bits & 1, geometry.slope, 1)) * internal
    active = active * (-1 if geometry.gain < 0 else 1)
    return _correlate(active, geometry.down_filter, geometry.pad_down, geometry.output_size, geometry.down), bits


def _correlate(
    x: np.ndarray, taps: tuple[np.ndarray, ...], pad: tuple[int, int], size: tuple[int, int], step: int
) -> np.ndarray:
    """y[o] = sum over j of taps[j] * x[o * step + j - pad] for `size` pixels, zeros outside."""
    matrix = np.outer(*taps) if len(taps) == 2 else taps[0]
    margin = max(abs(p) for p in pad) + max(size) * step + max(matrix.shape)
    padded = np.pad(x, [[0, 0], [margin, margin], [margin, margin], [0, 0]])
    y = np.zeros([x.shape[0], *size, x.shape[3]])
    for (row, column), tap in np.ndenumerate(matrix):
        top, left = margin + row - pad[0], margin + column - pad[1]
        y += tap * padded[:, top : top + size[0] * step : step, left : left + size[1] * step : step]
    return y


# ---------------------------------------------------------------------------------------------------- golden numbers


def golden(launchers: Launchers, case: Any, dtype: str) -> dict[str, np.ndarray]:
    """The arrays of a case of the group filtered_lrelu, by name.

    Slopes are those of x in single precision: rounded to 16 bits, a pixel may come to lie beyond a kink.
    """
    args = dict(case.args)
    padding = args.pop("padding")
    padding = [padding] * 4 if isinstance(padding, int) else padding
    x, dy, v = (np.moveaxis(case.arrays[name], 1, -1) for name in ("x", "dy", "v"))
    geometry = as_applied(x.shape[1:3], case.get("fu"), case.get("fd"), padding=padding, **args)
    y, mask = forward(launchers, geometry, dtype, x, case.get("b"))
    if dtype in ("float16", "bfloat16"):
        _, mask = forward(launchers, geometry, "float32", x, case.get("b"))
    dx, db = masked(launchers, geometry.adjoint(), dtype, dy, mask)
    g2_dy, _ = masked(launchers, geometry, dtype, v, mask)
    return {"db": db} | {name: np.moveaxis(array, -1, 1) for name, array in {"y": y, "dx": dx, "g2_dy": g2_dy}.items()}
