"""Names beside the rows of a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_LEAST_SIZE, _MOST_SIZE = 8, 40  # pixels, of the letters
_MOST_LETTERS = 24  # of a name, so that the margin stays narrow beside small images
_INK, _PAPER = 0, 255


def named_rows(grid: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """A grid with the name of each row in a margin on its left; without names the grid itself.

    The letters are those of the font that comes with Pillow, so that grids look alike on all machines; in place of a
    name with others the row's number is shown.

    Args:
        grid: uint8 [rows*H,W,1 or 3].
        names: of the rows, from the top; as many as there are rows, or none.

    Returns:
        uint8 [rows*H,margin+W,1 or 3].

    Raises:
        ValueError: the height of the grid is no multiple of the number of names.
    """
    if not names:
        return grid
    height, _, channels = grid.shape
    if height % len(names):
        raise ValueError(f"names: found {len(names)} for a grid of {height} pixels, expected one for each row")
    side = height // len(names)
    size = int(np.clip(side // 2, _LEAST_SIZE, _MOST_SIZE))
    font = ImageFont.load_default(size)
    shown = [_shown(name, row, font) for row, name in enumerate(names)]
    gap = size // 2
    width = int(max(font.getlength(name) for name in shown)) + 2 * gap
    margin = Image.new("L", (width, height), _PAPER)
    draw = ImageDraw.Draw(margin)
    for row, name in enumerate(shown):
        draw.text((width - gap, row * side + side / 2), name, fill=_INK, font=font, anchor="rm")
    return np.concatenate([np.repeat(np.asarray(margin)[:, :, np.newaxis], channels, axis=2), grid], axis=1)


def can_draw(letter: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> bool:
    """Whether a font has a letter, rather than a box in its place."""
    return bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))


def _shown(name: str, row: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """What of a name can be drawn."""
    words = " ".join(name.split())
    if not words or not all(can_draw(letter, font) for letter in set(words)):
        return f"row {row + 1}"
    return words if len(words) <= _MOST_LETTERS else words[: _MOST_LETTERS - 3] + "..."
