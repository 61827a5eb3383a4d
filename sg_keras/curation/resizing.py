"""Resizing by Pillow's filters: of the values as they are stored, or of amounts of light."""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image

RESAMPLING = {
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
    "hamming": Image.Resampling.HAMMING,
}


def resized(image: Image.Image, size: tuple[int, int], filter: str, linear_light: bool = False) -> Image.Image:
    """An image of another size.

    Args:
        image: of mode L, LA, RGB or RGBA. Transparency weighs the colours, as Pillow does it.
        size: (width, height).
        filter: of RESAMPLING.
        linear_light: whether sRGB's transfer function (IEC 61966-2-1) is undone before and redone after.

    Returns:
        An image of the same mode; the same object where it has the size already.
    """
    if image.size == size:
        return image
    if not linear_light:
        return image.resize(size, RESAMPLING[filter])
    values = np.atleast_3d(np.asarray(image))  # [H,W,C]
    has_alpha = image.mode in ("LA", "RGBA")
    alpha = values[..., -1].astype(np.float32) / 255 if has_alpha else np.float32(1)
    colours = [_light()[values[..., channel]] * alpha for channel in range(values.shape[2] - has_alpha)]
    small = [_resized_plane(plane, size, filter) for plane in colours]
    planes = []
    if has_alpha:
        opacity = np.clip(_resized_plane(alpha, size, filter), 0, 1)
        safe = np.maximum(opacity, 1e-6)
        small = [plane / safe for plane in small]
        planes = [np.rint(opacity * 255).astype(np.uint8)]
    stacked = np.stack([*map(_stored, small), *planes], axis=-1)
    return Image.fromarray(stacked[..., 0] if stacked.shape[2] == 1 else stacked)


def _resized_plane(plane: np.ndarray, size: tuple[int, int], filter: str) -> np.ndarray:
    return np.asarray(Image.fromarray(plane.astype(np.float32)).resize(size, RESAMPLING[filter]))


@functools.cache
def _light() -> np.ndarray:
    """The amount of light of each stored value."""
    stored = np.arange(256) / 255
    return np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _stored(light: np.ndarray) -> np.ndarray:
    """Amounts of light as stored values, uint8."""
    light = np.clip(light, 0, 1)
    values = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    return np.rint(values * 255).astype(np.uint8)
