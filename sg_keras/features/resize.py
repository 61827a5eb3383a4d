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
    count, _, _, channels = images.shape
    result = np.empty([count, side, side, 3], np.float32)
    for image, target in zip(images, result, strict=True):
        opaque = image.astype(np.float32)
        if channels == 4:
            opaque = _over_white(opaque)
        for channel in range(opaque.shape[2]):
            plane = Image.fromarray(np.ascontiguousarray(opaque[:, :, channel]))
            target[:, :, channel] = plane.resize((side, side), Image.Resampling.BICUBIC)
        if channels == 1:
            target[:, :, 1:] = target[:, :, :1]
    return np.clip(result, 0, 255, out=result)


def check_images(images: np.ndarray) -> None:
    """Refuse what is not uint8 [N,H,W,1, 3 or 4].

    Raises:
        ValueError: one line.
    """
    if images.dtype != np.uint8:
        raise ValueError(f"images: found {images.dtype}, expected uint8 [N,H,W,C]")
    if images.ndim != 4 or images.shape[3] not in (1, 3, 4) or 0 in images.shape[1:]:
        raise ValueError(f"images: found the shape {list(images.shape)}, expected [N,H,W,C] with 1, 3 or 4 channels")


def _over_white(image: np.ndarray) -> np.ndarray:
    """Colours of [H,W,4], whose alpha is not multiplied in, over a white background."""
    alpha = image[:, :, 3:] / 255
    return image[:, :, :3] * alpha + _WHITE * (1 - alpha)
