"""How exactly a generator's images move with its input: EQ-T and EQ-R (StyleGAN3, arXiv:2106.12423, appendix E).

An image made with a translated or rotated input is compared with the image made without, moved by a filter of high
quality. The published definitions, on the host in double precision; images are [N,H,W,C], nominally -1..1.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.signal

Array: TypeAlias = npt.NDArray[np.float64]
Moved: TypeAlias = tuple[Array, Array]  # the images, and the mask [H,W] of what is valid in them
Synthesize: TypeAlias = Callable[[Any, Array], npt.ArrayLike]  # of w and a transform [3,3]

LARGEST_TRANSLATION = 1 / 8  # of the image's side
PEAK_TO_PEAK = 2.0
_LANCZOS = 3  # half-size of the window in pixels
_FILTER_GRID = 64  # pixels on each side over which the ideal filters are convolved
_ROTATION_UP = 4  # images are sampled at so many times their resolution
_ROTATION_HALF_SIZE = 6  # of the rotation's filters in pixels


class PeakSignalToNoise:
    """Peak signal to noise ratio of masked differences, over everything that was added."""

    def __init__(self) -> None:
        self._batches: list[tuple[float, float]] = []  # of each batch: squared error, and how many values count

    def add(self, found: Array, expected: Array, mask: Array) -> None:
        """Add images [N,H,W,C] with their common mask [H,W]."""
        mask = np.broadcast_to(mask[:, :, np.newaxis], found.shape)
        self._batches.append((float(np.sum(np.square(found - expected) * mask)), float(np.sum(mask))))

    def decibels(self) -> float:
        """20 log10(peak to peak) - 10 log10(mean squared difference); infinite where there is none."""
        return _decibels(np.ones(len(self._batches)) @ self._sums)

    def standard_error(self, *, repeats: int = 200, seed: int = 0) -> float:
        """Of the decibels, by bootstrap over the batches; draws of batches that did not move alone say nothing."""
        random, count = np.random.default_rng(seed), len(self._batches)
        draws = random.multinomial(count, np.full([count], 1 / count), size=repeats)
        found = [decibels for weights in draws if math.isfinite(decibels := _decibels(weights @ self._sums))]
        return float(np.std(found, ddof=1)) if len(found) > 1 else 0.0

    @property
    def _sums(self) -> Array:
        return np.array(self._batches, np.float64).reshape(-1, 2)


def _decibels(sums: Array) -> float:
    error, count = (float(value) for value in sums)
    if count == 0:
        return math.nan
    if error == 0:
        return math.inf
    return 20 * math.log10(PEAK_TO_PEAK) - 10 * math.log10(error / count)


# ---- measures --------------------------------------------------------------------------------------------------------


def eqt_int(synthesize: Synthesize, ws: Iterable[Any], u: Iterable[npt.ArrayLike]) -> PeakSignalToNoise:
    """EQ-T: translation by whole pixels, up to an eighth of the image.

    Args:
        synthesize: (w of a batch, transform [3,3] of the input) to images. The transform is the inverse of what the
            image is to do; lengths are in units of the image's shorter side.
        ws: w, a batch after another.
        u: for each batch (x, y), uniform in 0..1.
    """
    return _translation(synthesize, ws, u, translate_whole, whole_pixels=True)


def eqt_frac(synthesize: Synthesize, ws: Iterable[Any], u: Iterable[npt.ArrayLike]) -> PeakSignalToNoise:
    """EQ-T_frac: translation by any amount up to an eighth of the image; arguments as in eqt_int."""
    return _translation(synthesize, ws, u, translate_fraction, whole_pixels=False)


def eqr(synthesize: Synthesize, ws: Iterable[Any], u: Iterable[float]) -> PeakSignalToNoise:
    """EQ-R: rotation by any angle; u holds one number in 0..1 for each batch."""
    noise = PeakSignalToNoise()
    for w, uniform in zip(ws, u, strict=True):
        angle = (2 * float(uniform) - 1) * math.pi
        expected, mask = rotate(_images(synthesize(w, np.eye(3))), angle)
        found, found_mask = pseudo_rotate(_images(synthesize(w, rotation_matrix(-angle))), angle)
        noise.add(found, expected, mask * found_mask)
    return noise


def _translation(
    synthesize: Synthesize,
    ws: Iterable[Any],
    u: Iterable[npt.ArrayLike],
    translate: Callable[[Array, float, float], Moved],
    whole_pixels: bool,
) -> PeakSignalToNoise:
    noise = PeakSignalToNoise()
    for w, uniform in zip(ws, u, strict=True):
        still = _images(synthesize(w, np.eye(3)))
        shift = (2 * np.asarray(uniform, np.float64) - 1) * LARGEST_TRANSLATION
        if whole_pixels:
            size = np.array([still.shape[2], still.shape[1]])
            shift = np.rint(shift * size) / size
        in_sides = np.array([still.shape[2], still.shape[1]]) / min(still.shape[1:3])
        transform = np.eye(3)
        transform[:2, 2] = -shift * in_sides
        noise.add(_images(synthesize(w, transform)), *translate(still, *shift))
    return noise


def _images(images: npt.ArrayLike) -> Array:
    return np.asarray(images, np.float64)


# ---- moving images -------------------------------------------------------------------------------------------------


def rotation_matrix(angle: float) -> Array:
    """[3,3] matrix that rotates an image by an angle in radians, x to the right and y downwards."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])


def translate_whole(images: Array, x: float, y: float) -> Moved:
    """Shift by the whole number of pixels nearest to a part (x, y) of the size."""
    one_tap = np.ones(1)
    images, mask_x = _shift(images, round(x * images.shape[2]), one_tap, 0, axis=2)
    images, mask_y = _shift(images, round(y * images.shape[1]), one_tap, 0, axis=1)
    mask = mask_y[:, np.newaxis] * mask_x
    return images * mask[:, :, np.newaxis], mask


def translate_fraction(images: Array, x: float, y: float) -> Moved:
    """Shift by a part (x, y) of the size, with a Lanczos-windowed sinc. Valid where all six taps lie inside."""
    masks = {}
    for axis, part in ((2, x), (1, y)):
        pixels = part * images.shape[axis]
        whole = math.floor(pixels)
        offsets = np.arange(1 - _LANCZOS, _LANCZOS + 1) - (pixels - whole)
        taps = np.sinc(offsets) * np.sinc(offsets / _LANCZOS)
        images, masks[axis] = _shift(images, whole, taps / taps.sum(), 1 - _LANCZOS, axis)
    return images, masks[1][:, np.newaxis] * masks[2]


def _shift(images: Array, pixels: int, taps: Array, first: int, axis: int) -> Moved:
    """out[o] = sum over j of taps[j] * images[o - pixels - first - j], and where nothing outside is read."""
    size = images.shape[axis]
    shape = [1] * images.ndim
    shape[axis] = size
    result, mask = np.zeros_like(images), np.ones(size)
    for offset, tap in enumerate(taps, first):
        source = np.arange(size) - pixels - offset
        inside = ((source >= 0) & (source < size)).astype(np.float64)
        result += tap * np.take(images, np.clip(source, 0, size - 1), axis) * inside.reshape(shape)
        mask *= inside
    return result, mask


def rotate(images: Array, angle: float) -> Moved:
    """Rotate by an angle in radians: band-limited upsampling, then bilinear sampling; zeros come from outside."""
    height, width = images.shape[1:3]
    taps = rotation_filter(-angle, _ROTATION_UP)
    margin = len(taps) // 2
    fine = _upsample(images, taps, _ROTATION_UP, margin)
    x, y = np.meshgrid(np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2)
    inverse = np.linalg.inv(rotation_matrix(angle))
    # The filter of an even upsampling rate sits half a pixel off the centre.
    centre_y, centre_x = (size / 2 for size in fine.shape[1:3])
    at_x = (inverse[0, 0] * x + inverse[0, 1] * y) * _ROTATION_UP + centre_x
    at_y = (inverse[1, 0] * x + inverse[1, 1] * y) * _ROTATION_UP + centre_y
    sample = functools.partial(scipy.ndimage.map_coordinates, coordinates=[at_y, at_x], mode="constant")
    planes = np.moveaxis(fine, 3, 1).reshape(-1, *fine.shape[1:3])
    sampled = np.stack([sample(plane, order=1) for plane in planes])
    mask = sample(_inside(fine.shape[1:3], 2 * margin + 1), order=0)
    return np.moveaxis(sampled.reshape(len(images), -1, height, width), 1, 3), mask


def pseudo_rotate(images: Array, angle: float) -> Moved:
    """Give an upright image the loss of detail that `rotate` causes, so that the two can be compared."""
    taps = rotation_filter(angle, 1)
    filtered = scipy.signal.fftconvolve(images, taps[np.newaxis, :, :, np.newaxis], mode="same", axes=(1, 2))
    return filtered, _inside(images.shape[1:3], len(taps) // 2)


def rotation_filter(angle: float, up: int) -> Array:
    """Low-pass filter that keeps what is representable both before and after a rotation by `angle`.

    Two ideal square low-pass filters, one of them rotated, convolved and windowed by their Lanczos windows, convolved
    likewise. Every one of the up*up phases sums to 1/up^2.

    Returns:
        [n,n] with n = 12*up - 1 taps at a spacing of 1/up pixels.
    """
    count = 2 * _FILTER_GRID * up - 1
    grid = (np.arange(count) - count // 2) / up
    x, y = np.meshgrid(grid, grid)
    to_turned = np.linalg.inv(rotation_matrix(angle)[:2, :2])
    turned_x, turned_y = (row[0] * x + row[1] * y for row in to_turned)
    convolve = functools.partial(scipy.signal.fftconvolve, mode="same")
    taps = convolve(np.sinc(x) * np.sinc(y), np.sinc(turned_x) * np.sinc(turned_y))
    taps *= convolve(_lanczos_window(x, y), _lanczos_window(turned_x, turned_y))
    reach = _ROTATION_HALF_SIZE * up - 1
    kept = slice(count // 2 - reach, count // 2 + reach + 1)
    phases = np.pad(taps[kept, kept], ((0, 1), (0, 1))).reshape(2 * _ROTATION_HALF_SIZE, up, -1, up)
    phases /= phases.sum(axis=(0, 2), keepdims=True) * up**2
    return phases.reshape(2 * _ROTATION_HALF_SIZE * up, -1)[:-1, :-1]


def _lanczos_window(x: Array, y: Array) -> Array:
    inside = np.maximum(np.abs(x), np.abs(y)) < _LANCZOS
    return np.where(inside, np.sinc(x / _LANCZOS) * np.sinc(y / _LANCZOS), 0)


def _upsample(images: Array, taps: Array, up: int, margin: int) -> Array:
    """Zero insertion and filtering with gain up^2; the result extends `margin` pixels beyond the image."""
    count, height, width, channels = images.shape
    spread = np.zeros([count, height * up, width * up, channels])
    spread[:, ::up, ::up] = images
    pad = ((len(taps) + up - 1) // 2 + margin, (len(taps) - up) // 2 + margin)
    spread = np.pad(spread, ((0, 0), pad, pad, (0, 0)))
    return scipy.signal.fftconvolve(spread, (taps * up**2)[np.newaxis, :, :, np.newaxis], mode="valid", axes=(1, 2))


def _inside(shape: tuple[int, ...], border: int) -> Array:
    """1, but 0 within `border` pixels of the edge."""
    mask = np.zeros(shape)
    mask[border:-border, border:-border] = 1
    return mask
