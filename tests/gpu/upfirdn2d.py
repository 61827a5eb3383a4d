"""upfirdn2d by its launcher: the op, its adjoint and the wrappers, with the geometry of sg_keras/ops/upfirdn2d.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.gpu.devices import TYPE_CODES, Array
from tests.gpu.launchers import Launchers

Pair = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Resampling:
    """out[o] = sum over j of taps[j] * upsampled[o * down + j - pad_before], per axis; pairs are (y, x).

    `passes` is (rows, columns) or (matrix,), as applied. `size` is that of the result.
    """

    passes: tuple[np.ndarray, ...]
    up: Pair
    down: Pair
    pad_before: Pair
    size: Pair

    @property
    def filter_size(self) -> Pair:
        return (len(self.passes[0]), self.passes[-1].shape[-1])

    def adjoint(self, size: Pair) -> Resampling:
        """The transposed map, back to images of the given size."""
        (height, width), (before_y, before_x) = self.filter_size, self.pad_before
        pads = (height - before_y - 1, width - before_x - 1)
        return Resampling(tuple(np.flip(p) for p in self.passes), self.down, self.up, pads, size)


def pair(value: int | Sequence[int]) -> Pair:
    """(y, x) of a number or (x, y)."""
    return (value, value) if isinstance(value, int) else (value[1], value[0])


def resampling(
    image_size: Sequence[int],
    f: np.ndarray | None,
    up: int | Sequence[int] = 1,
    down: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
    separable: bool = True,
) -> Resampling:
    """What upfirdn2d's arguments mean. With `separable` a matrix that is an outer product is split."""
    taps = np.ones([1, 1]) if f is None else np.asarray(f, np.float32)
    taps = (taps * float(gain) ** (taps.ndim / 2)).astype(np.float64)
    up, down = pair(up), pair(down)
    x0, x1, y0, y1 = _sides(padding)
    height = (image_size[0] * up[0] + y0 + y1 - taps.shape[0]) // down[0] + 1
    width = (image_size[1] * up[1] + x0 + x1 - taps.shape[-1]) // down[1] + 1
    passes = (taps, taps) if taps.ndim == 1 else _split(taps) if separable else (taps,)
    if not flip_filter:
        passes = tuple(np.flip(p) for p in passes)
    return Resampling(passes, up, down, (y0, x0), (height, width))


def _sides(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    if isinstance(padding, int):
        return (padding,) * 4
    x0, x1, y0, y1 = padding if len(padding) == 4 else (padding[0], padding[0], padding[1], padding[1])
    return x0, x1, y0, y1


def _split(matrix: np.ndarray) -> tuple[np.ndarray, ...]:
    rows, values, columns = np.linalg.svd(matrix)
    if len(values) > 1 and values[1] > 1e-6 * values[0]:
        return (matrix,)
    return rows[:, 0] * values[0], columns[0]


def apply(launchers: Launchers, x: Array, resampled: Resampling, dtype: str) -> Array:
    """The map of images [N, H, W, C]."""
    images, height, width, channels = x.shape
    y = launchers.device.empty([images, *resampled.size, channels], dtype)
    separable = len(resampled.passes) == 2
    launchers.call(
        "upfirdn2d",
        type=TYPE_CODES[dtype],
        images=images,
        channels=channels,
        size=(height, width),
        result_size=resampled.size,
        up=resampled.up,
        down=resampled.down,
        pad_before=resampled.pad_before,
        filter_size=resampled.filter_size,
        filter_y=resampled.passes[0] if separable else None,
        filter_x=resampled.passes[1] if separable else None,
        filter=None if separable else resampled.passes[0],
        x=x,
        y=y,
    )
    return y


def _wrapper_padding(function: str, args: dict[str, Any], taps: np.ndarray) -> tuple[int, ...]:
    """The padding by which filter2d, upsample2d and downsample2d keep images centred, with the caller's."""
    factor = pair(args.get("up", args.get("down", 1)))[::-1]  # x, y
    sides = []
    for size, k in zip((taps.shape[-1], taps.shape[0]), factor, strict=True):
        if function == "upsample2d":
            sides += [(size + k - 1) // 2, (size - k) // 2]
        else:
            sides += [(size - k + 1) // 2, (size - k) // 2]
    return tuple(a + b for a, b in zip(sides, _sides(args.get("padding", 0)), strict=True))


def golden(launchers: Launchers, case: Any, dtype: str) -> dict[str, np.ndarray] | None:
    """The arrays of a case of the group upfirdn2d, by name; None for cases without a kernel."""
    if case.function == "setup_filter":
        return None
    device, args, f = launchers.device, dict(case.args), case.get("f")
    if case.function != "upfirdn2d":
        args["padding"] = _wrapper_padding(case.function, args, np.ones([1, 1]) if f is None else f)
    if case.function == "upsample2d":
        args["gain"] = args["gain"] * float(np.prod(pair(args["up"])))
    x = np.moveaxis(case.arrays["x"], 1, -1)
    found: dict[str, np.ndarray] = {}
    for separable in (False, True):  # a matrix that can be split has to give the same both ways
        resampled = resampling(x.shape[1:3], f, **args, separable=separable)
        maps = {"y": (x, resampled)}
        if "dy" in case.arrays:
            maps["dx"] = (np.moveaxis(case.arrays["dy"], 1, -1), resampled.adjoint(x.shape[1:3]))
            maps["d2_dy"] = (np.moveaxis(case.arrays["ddx"], 1, -1), resampled)
        for name, (source, each) in maps.items():
            y = device.get(apply(launchers, device.put(source, dtype), each, dtype))
            found[f"{name}" if separable else f"{name} by the matrix"] = np.moveaxis(y, -1, 1)
    return found
