"""Images of any size and kind as a network of one input size takes them."""

from __future__ import annotations

import numpy as np
from PIL import Image

#: What resized_rgb does, in words that change when its numbers do; part of fingerprints.
RESIZE_RULE = "RGBA over white, gray repeated; each channel in float32 by Pillow's bicubic filter, clipped to 0..255"
_WHITE = 255


def resized_rgb(images: np.ndarray, side: int) -> np.ndarray:
    """Images as RGB of one size, in float: neither rounded nor cut to their shorter side.

    Args:
        images: uint8 [N,H,W,C]: gray (C = 1), which is repeated; RGB (3); RGBA (4), which is laid over white.
        side: height and width in pixels.

    Returns:
        float32 [N,side,side,3] in 0..255.

    Raises:
        ValueError: they are of another type or shape.
    """
    check_images(images)
    if images.shape[3] == 4:
        return resized(opaque_rgb(images), (side, side))
    result = resized(images, (side, side))
    return result.repeat(3, axis=3) if images.shape[3] == 1 else result


def resized(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Images of one size, each channel by itself in float32, by Pillow's bicubic filter, clipped to 0..255.

    Args:
        images: [N,H,W,C] in 0..255.
        size: height and width in pixels.

    Returns:
        float32 [N,height,width,C].
    """
    count, _, _, channels = images.shape
    result = np.empty([count, *size, channels], np.float32)
    for image, target in zip(images, result, strict=True):
        for channel in range(channels):
            plane = Image.fromarray(np.ascontiguousarray(image[:, :, channel], np.float32))
            target[:, :, channel] = plane.resize(size[::-1], Image.Resampling.BICUBIC)
    return np.clip(result, 0, 255, out=result)


def opaque_rgb(images: np.ndarray) -> np.ndarray:
    """Images of their own size as RGB: gray repeated, RGBA, whose alpha is not multiplied in, laid over white.

    Args:
        images: uint8 [N,H,W,1, 3 or 4].

    Returns:
        float32 [N,H,W,3] in 0..255, unrounded.

    Raises:
        ValueError: they are of another type or shape.
    """
    check_images(images)
    colours = images[:, :, :, :3].astype(np.float32)
    if images.shape[3] == 1:
        return colours.repeat(3, axis=3)
    if images.shape[3] == 4:
        alpha = images[:, :, :, 3:].astype(np.float32) / 255
        return colours * alpha + _WHITE * (1 - alpha)
    return colours


def check_images(images: np.ndarray) -> None:
    """Refuse what is not uint8 [N,H,W,1, 3 or 4].

    Raises:
        ValueError: one line.
    """
    if images.dtype != np.uint8:
        raise ValueError(f"images: found {images.dtype}, expected uint8 [N,H,W,C]")
    if images.ndim != 4 or images.shape[3] not in (1, 3, 4) or 0 in images.shape[1:]:
        raise ValueError(f"images: found the shape {list(images.shape)}, expected [N,H,W,C] with 1, 3 or 4 channels")
