"""Names above the columns of a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_LEAST_SIZE, _MOST_SIZE = 8, 40  # pixels, of the letters
_INK, _PAPER = 0, 255


def named_columns(grid: np.ndarray, names: Sequence[str], margin: int = 0) -> np.ndarray:
    """A grid with the name of each column in a margin above it; without names the grid itself.

    Args:
        grid: uint8 [H,margin+columns*W,1 or 3].
        names: of the columns, from the left, in letters of the font that comes with Pillow; as many as there are
            columns, or none.
        margin: pixels on the left that are no column, such as `named_rows` adds.

    Returns:
        uint8 [margin above+H,margin+columns*W,1 or 3].

    Raises:
        ValueError: the width of the grid is no multiple of the number of names.
    """
    if not names:
        return grid
    _, width, channels = grid.shape
    if (width - margin) % len(names):
        raise ValueError(f"names: found {len(names)} for a grid of {width - margin} pixels, expected one a column")
    side = (width - margin) // len(names)
    font, size = _fitting(names, side)
    above = Image.new("L", (width, size + size // 2), _PAPER)
    draw = ImageDraw.Draw(above)
    for column, name in enumerate(names):
        draw.text((margin + column * side + side / 2, above.height / 2), name, fill=_INK, font=font, anchor="mm")
    return np.concatenate([np.repeat(np.asarray(above)[:, :, np.newaxis], channels, axis=2), grid])


def _fitting(names: Sequence[str], side: int) -> tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, int]:
    """The largest letters in which the names fit above their columns, and their size."""
    for size in range(int(np.clip(side // 3, _LEAST_SIZE, _MOST_SIZE)), _LEAST_SIZE - 1, -1):
        font = ImageFont.load_default(size)
        if max(font.getlength(name) for name in names) <= 0.9 * side:
            break
    return font, size
