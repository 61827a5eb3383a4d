"""A contact sheet: images with words below them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sg_keras.inference.row_names import can_draw

_LEAST_SIDE = 96  # pixels: smaller images are enlarged by a whole factor
_LETTERS = 14  # pixels, their size
_LINE = 18  # pixels from line to line
_GAP = 8  # pixels round each image
_INK, _PAPER = 0, 255


def contact_sheet(images: Sequence[np.ndarray], captions: Sequence[Sequence[str]], columns: int) -> np.ndarray:
    """One image of many, each with its caption, on white.

    The letters are those of the font that comes with Pillow, so that sheets look alike on all machines; in place of
    letters that it lacks there are question marks.

    Args:
        images: uint8 [H,W,1 or 3], all of one shape.
        captions: lines below each image.
        columns: images in a row.

    Returns:
        uint8 [rows,columns,1 or 3], in pixels.

    Raises:
        ValueError: there are no images, or not a caption for each.

    Example:
        >>> contact_sheet([np.zeros([32, 32, 3], np.uint8)] * 3, [["seed 0"], ["seed 1"], ["seed 2"]], 2).shape
        (260, 224, 3)
    """
    if not len(images) or len(images) != len(captions):
        raise ValueError(f"captions: found {len(captions)} for {len(images)} images, expected one for each")
    font = ImageFont.load_default(_LETTERS)
    lines = [[_drawable(line, font) for line in caption] for caption in captions]
    height, width, channels = images[0].shape
    factor = max(1, -(-_LEAST_SIDE // width))
    text_width = max((int(np.ceil(font.getlength(line))) for caption in lines for line in caption), default=0)
    cell_width = max(width * factor, text_width) + 2 * _GAP
    cell_height = height * factor + 2 * _GAP + _LINE * max(map(len, lines))
    size = (columns * cell_width, -(-len(images) // columns) * cell_height)
    sheet = Image.new("L" if channels == 1 else "RGB", size, _PAPER if channels == 1 else (_PAPER,) * 3)
    draw = ImageDraw.Draw(sheet)
    for index, (image, caption) in enumerate(zip(images, lines, strict=True)):
        left, top = index % columns * cell_width, index // columns * cell_height + _GAP
        shown = np.repeat(np.repeat(image, factor, axis=0), factor, axis=1)
        pasted = Image.fromarray(shown[:, :, 0] if channels == 1 else shown)
        sheet.paste(pasted, (left + (cell_width - pasted.width) // 2, top))
        for row, line in enumerate(caption):
            place = (left + cell_width / 2, top + pasted.height + (row + 0.75) * _LINE)
            draw.text(place, line, fill=_INK if channels == 1 else (_INK,) * 3, font=font, anchor="mm")
    return np.asarray(sheet).reshape(size[1], size[0], channels)


def _drawable(line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    return "".join(letter if can_draw(letter, font) else "?" for letter in " ".join(line.split()))
