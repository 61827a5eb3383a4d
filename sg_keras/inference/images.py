"""Images to look at: grids and PNG files."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}  # of files, by format
_CHECKERBOARD = (102, 153)  # grays behind what is transparent
_SAVING: dict[str, dict[str, Any]] = {
    "png": {},
    "jpeg": {"quality": 95, "subsampling": 0},
    "webp": {"lossless": True, "exact": True},  # also the colours of what is transparent
}
_SQUARES = 8  # of the checkerboard along an image's shorter side


def grid_columns(count: int) -> int:
    """Columns of a nearly square grid of `count` images, wider rather than higher."""
    return max(int(np.ceil(np.sqrt(count))), 1)


def tile(images: np.ndarray, columns: int) -> np.ndarray:
    """One image [rows*H,columns*W,C] of images [N,H,W,C], row after row; what is left over at the end is black."""
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    padded = np.zeros([rows * columns, height, width, channels], images.dtype)
    padded[:count] = images
    grid = padded.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return grid.reshape(rows * height, columns * width, channels)


def viewable(images: np.ndarray) -> np.ndarray:
    """Images as people can look at them, uint8 [N,H,W,1 or 3].

    RGBA over a checkerboard of grays; of other numbers of channels the first three, or the first one. Gray and RGB
    images come back as they are.

    Args:
        images: uint8 [N,H,W,C]; alpha is straight (not premultiplied).
    """
    _, height, width, channels = images.shape
    if channels != 4:
        return images[..., : 1 if channels < 3 else 3]
    side = max(min(height, width) // _SQUARES, 1)
    rows, columns = np.arange(height)[:, np.newaxis] // side, np.arange(width) // side
    behind = np.where((rows + columns) % 2, *_CHECKERBOARD)[:, :, np.newaxis]
    alpha = images[..., 3:].astype(np.int64)
    blended = images[..., :3] * alpha + behind * (255 - alpha)
    return ((blended + 127) // 255).astype(np.uint8)


def image_bytes(image: np.ndarray, file_format: str) -> bytes:
    """A file of a gray, RGB or RGBA image uint8 [H,W,1, 3 or 4].

    Args:
        image: alpha is straight, as images are trained on.
        file_format: "png" or "webp", without loss, or "jpeg" with quality 95.

    Raises:
        ValueError: there is no such format, or the image's number of channels is none that it has.
    """
    if file_format not in SUFFIXES:
        raise ValueError(f"format: found {file_format!r}, expected {', '.join(SUFFIXES)}")
    channels = image.shape[2]
    if channels not in (1, 3, 4) or (file_format, channels) == ("jpeg", 4):
        expected = "1 (gray) or 3 (RGB)" if file_format == "jpeg" else "1 (gray), 3 (RGB) or 4 (RGBA)"
        raise ValueError(f"image: found {channels} channels, expected {expected}")
    file = io.BytesIO()
    Image.fromarray(image[:, :, 0] if channels == 1 else image).save(file, file_format.upper(), **_SAVING[file_format])
    return file.getvalue()


def png_bytes(image: np.ndarray) -> bytes:
    """A PNG file of a gray, RGB or RGBA image uint8 [H,W,1, 3 or 4]; alpha is straight, as images are trained on.

    Raises:
        ValueError: it has another number of channels.
    """
    return image_bytes(image, "png")
