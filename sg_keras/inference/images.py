"""Images to look at: grids and PNG files."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


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


def png_bytes(image: np.ndarray) -> bytes:
    """A PNG file of a gray or RGB image uint8 [H,W,1 or 3].

    Raises:
        ValueError: it has another number of channels.
    """
    channels = image.shape[2]
    if channels not in (1, 3):
        raise ValueError(f"image: found {channels} channels, expected 1 (gray) or 3 (RGB)")
    file = io.BytesIO()
    Image.fromarray(image[:, :, 0] if channels == 1 else image).save(file, format="PNG")
    return file.getvalue()
