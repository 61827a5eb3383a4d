"""What a simple classifier sees of images: them, made small, and figures on brightness, colour and sharpness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Features: TypeAlias = tuple[np.ndarray, ...]

_SIDE = 16  # pixels of small images
_BRIGHTNESS_BINS = 7  # an odd number: no edge at 0, which is what erased pixels are
_MOST_FIGURES_APART = 4.0  # standard deviations: figures beyond are no more different


def image_features(images: np.ndarray) -> Features:
    """Features of images in two groups.

    Args:
        images: float32 [N,H,W,C] in -1..1.

    Returns:
        Small images [N,side*side*C], and figures [N,M].
    """
    return _halved_until(images, _SIDE).reshape(len(images), -1), _figures(images)


def _halved(images: np.ndarray) -> np.ndarray:
    count, height, width, channels = images.shape
    even = images[:, : height // 2 * 2, : width // 2 * 2]
    return even.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


def _halved_until(images: np.ndarray, side: int) -> np.ndarray:
    while min(images.shape[1:3]) > side:
        images = _halved(images)
    return images


def _figures(images: np.ndarray) -> np.ndarray:
    colors = images[..., :3]  # without alpha
    gray = colors.mean(axis=3, keepdims=True)
    edges = np.linspace(-1, 1, _BRIGHTNESS_BINS + 1)[1:-1]
    darker = [(gray < edge).mean(axis=(1, 2, 3)) for edge in edges]
    figures = [*darker, gray.mean(axis=(1, 2, 3)), _log(gray.var(axis=(1, 2, 3))), _blank(gray)]
    smaller = gray
    while min(smaller.shape[1:3]) > 4:
        figures += [_log(np.square(np.diff(smaller, axis=axis)).mean(axis=(1, 2, 3))) for axis in (1, 2)]
        smaller = _halved(smaller)
    if images.shape[3] in (3, 4):
        figures += _color_figures(colors - gray)
    return np.stack(figures, axis=1)


def _color_figures(chroma: np.ndarray) -> list[np.ndarray]:
    """Strength and direction of colours."""
    strength = np.sqrt(np.square(chroma).mean(axis=(1, 2, 3)))
    direction = chroma.mean(axis=(1, 2)) / (strength[:, np.newaxis] + 0.02)
    products = np.einsum("nhwc,nhwd->ncd", chroma, chroma) / np.square(chroma).sum(axis=(1, 2, 3))[:, None, None].clip(
        1e-3
    )
    pairs = [products[:, i, j] for i in range(3) for j in range(i, 3)]
    return [_log(np.square(strength)), *direction.T, *pairs]


def _blank(gray: np.ndarray) -> np.ndarray:
    """Share of pixels that are 0 and like their neighbours, which erasing leaves behind."""
    middle = gray[:, :-1, :-1, 0]
    steps = np.abs(gray[:, 1:, :-1, 0] - middle) + np.abs(gray[:, :-1, 1:, 0] - middle)
    return ((np.abs(middle) < 0.1) & (steps < 0.1)).mean(axis=(1, 2))


def _log(energy: np.ndarray) -> np.ndarray:
    return np.log(energy + 1e-4)


def kernel(
    left: Sequence[np.ndarray],
    right: Sequence[np.ndarray],
    widths: Sequence[float] | None = None,
    *,
    scale: Sequence[np.ndarray],
) -> tuple[np.ndarray, list[float]]:
    """Similarity of images: the sum of a radial kernel exp(-distance^2 / width) for each group of features.

    Args:
        left: [N,...] of each group.
        right: [M,...] of each group.
        widths: of the groups, None = the median of squared distances.
        scale: [K,...] of each group, whose means and deviations give figures their scale.

    Returns:
        [N,M], and the widths.
    """
    total, used = np.zeros([len(left[0]), len(right[0])]), []
    for number, (a, b) in enumerate(zip(left, right, strict=True)):
        if number:  # figures have units of their own
            mean, deviation = scale[number].mean(axis=0), scale[number].std(axis=0) + 1e-3
            a, b = (np.clip((x - mean) / deviation, -_MOST_FIGURES_APART, _MOST_FIGURES_APART) for x in (a, b))
        squares = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1) - 2 * (a @ b.T)
        width = float(np.median(squares)) + 1e-6 if widths is None else widths[number]
        total += np.exp(-squares / width)
        used.append(width)
    return total, used
