"""FIR filters of the resampling ops: preparation of taps, and recognition of separable ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_MIN_SEPARABLE_TAPS = 8  # from this length on, two 1-D passes are the better form


def setup_filter(
    f: npt.ArrayLike | None,
    normalize: bool = True,
    flip_filter: bool = False,
    gain: float = 1.0,
    separable: bool | None = None,
) -> np.ndarray:
    """Prepares filter taps for `upfirdn2d` and its relatives.

    Args:
        f: taps: a number, a vector [taps], a matrix [fh, fw], or None for the 1x1 filter of 1.
        normalize: divide by the sum of the taps, so that a constant image keeps its value.
        flip_filter: reverse the taps along every axis.
        gain: overall factor of the 2-D filter; a 1-D filter, applied along both axes, gets its square root.
        separable: keep a vector as a vector. None: vectors of 8 taps and more.

    Returns:
        float32 array, [taps] if separable, else [fh, fw].

    Raises:
        ValueError: not a number, vector or matrix; empty; NaN or Inf in it; `separable` asked of a matrix;
            `normalize` of taps whose sum is 0; or taps whose products or sum are beyond single precision.

    Example:
        >>> sg_keras.ops.setup_filter([1, 1]).tolist()
        [[0.25, 0.25], [0.25, 0.25]]
    """
    taps = _single_precision(1.0 if f is None else f)
    if taps.ndim > 2 or taps.size == 0 or not np.all(np.isfinite(taps)):
        raise ValueError(f"f: found an array of shape {taps.shape}, expected finite taps, [taps] or [fh, fw]")
    if separable is None:
        separable = taps.ndim == 1 and taps.size >= _MIN_SEPARABLE_TAPS
    if separable and taps.ndim == 2:
        raise ValueError(f"f: found a matrix of shape {taps.shape} with separable=True, expected a vector")
    if taps.ndim == 0:
        taps = taps[np.newaxis]
    if gain < 0 and separable:
        raise ValueError(f"gain: found {gain}, expected a number not below 0 with a 1-D filter")
    with np.errstate(over="ignore", invalid="ignore"):  # seen in the result
        if taps.ndim == 1 and not separable:
            taps = np.outer(taps, taps)
        if normalize:
            total = taps.sum()
            if total == 0:
                raise ValueError("f: found taps that sum to 0, expected another sum with normalize=True")
            taps = taps / total if np.isfinite(total) else np.full_like(taps, np.inf)
        if flip_filter:
            taps = np.flip(taps)
        taps = np.asarray(taps * gain ** (taps.ndim / 2), dtype=np.float32)
    if not np.all(np.isfinite(taps)):
        raise ValueError("f: found taps whose products or sum are beyond single precision, expected smaller ones")
    return taps


def as_taps(f: npt.ArrayLike | None, gain: float = 1.0) -> np.ndarray:
    """Reads the filter of an op: its taps with the gain as a float64 array, [taps] or [fh, fw].

    None is the 1x1 filter of 1. A vector stands for both axes and gets the gain's square root. The taps are rounded to
    single precision after the gain, whatever the type of the images, as in the published networks.
    """
    taps = np.ones([1, 1], np.float32) if f is None else _single_precision(f)
    if taps.ndim not in (1, 2) or taps.size == 0 or not np.all(np.isfinite(taps)):
        raise ValueError(f"f: found an array of shape {taps.shape}, expected finite taps, [taps] or [fh, fw]")
    if gain < 0 and taps.ndim == 1:
        raise ValueError(f"gain: found {gain}, expected a number not below 0 with a 1-D filter")
    with np.errstate(over="ignore"):
        taps = taps * float(gain) ** (taps.ndim / 2)
    if not np.all(np.isfinite(taps)):
        raise ValueError(f"f: found taps beyond single precision with a gain of {gain}, expected smaller ones")
    return taps.astype(np.float64)


def _single_precision(f: npt.ArrayLike) -> np.ndarray:
    with np.errstate(over="ignore"):  # becomes Inf, which callers refuse
        return np.asarray(f, dtype=np.float32)


def separate(taps: np.ndarray, tolerance: float) -> tuple[np.ndarray, ...]:
    """Splits a filter into its passes: (rows [fh], columns [fw]) where their outer product is the filter, else itself.

    Args:
        taps: float64 [taps] (applied along both axes) or [fh, fw].
        tolerance: largest accepted deviation of the outer product from the matrix, relative to its largest tap.
    """
    if taps.ndim == 1:
        return taps, taps
    row, column = np.unravel_index(np.argmax(np.abs(taps)), taps.shape)
    pivot = taps[row, column]
    if pivot == 0:
        return (taps,)
    factors = taps[:, column], taps[row] / pivot
    deviation = np.max(np.abs(np.outer(*factors) - taps))
    return factors if deviation <= tolerance * abs(pivot) else (taps,)


def pair(value: int | Sequence[int], name: str, minimum: int) -> tuple[int, int]:
    """Reads an argument that is one number for both axes or (x, y), each at least `minimum`."""
    values = tuple(np.atleast_1d(np.asarray(value)).tolist())
    if len(values) == 1:
        values *= 2
    if len(values) != 2 or not all(isinstance(v, int) and v >= minimum for v in values):
        raise ValueError(f"{name}: found {value!r}, expected a whole number or (x, y), at least {minimum}")
    return values


Sides = tuple[int, int, int, int]  # of an image: (x0, x1, y0, y1), negative numbers crop


def upsampling_padding(filter_size: tuple[int, int], up: tuple[int, int]) -> Sides:
    """Padding of the zero-inserted image that keeps its centre, and makes it `up` times as large.

    Args:
        filter_size: height and width of the filter in taps.
        up: (x, y) factors; 1 keeps the size.
    """
    (taps_y, taps_x), (up_x, up_y) = filter_size, up
    return (taps_x + up_x - 1) // 2, (taps_x - up_x) // 2, (taps_y + up_y - 1) // 2, (taps_y - up_y) // 2


def downsampling_padding(filter_size: tuple[int, int], down: tuple[int, int]) -> Sides:
    """The same for an image that is filtered, and then made smaller by the factors `down`, (x, y)."""
    (taps_y, taps_x), (down_x, down_y) = filter_size, down
    return (taps_x - down_x + 1) // 2, (taps_x - down_x) // 2, (taps_y - down_y + 1) // 2, (taps_y - down_y) // 2


def add_padding(padding: int | Sequence[int], further: Sides) -> Sides:
    """The sum of a padding argument and further padding."""
    (a, b, c, d), (x0, x1, y0, y1) = padding_of_sides(padding), further
    return a + x0, b + x1, c + y0, d + y1


def padding_of_sides(padding: int | Sequence[int]) -> Sides:
    """Reads a padding argument: one number, (x, y) or (x0, x1, y0, y1), as the last form. Negative numbers crop."""
    values = tuple(np.atleast_1d(np.asarray(padding)).tolist())
    if len(values) not in (1, 2, 4) or not all(isinstance(v, int) for v in values):
        raise ValueError(f"padding: found {padding!r}, expected a whole number, (x, y) or (x0, x1, y0, y1)")
    if len(values) == 4:
        return values
    x, y = values * 2 if len(values) == 1 else values
    return x, x, y, y
