"""From an original of any size to one or several images of the wanted one.

The published three (none, center-crop, center-crop-wide) give the published tool's pixels. Its center-crop-wide takes a
strip that is as many rows high as the original would have once it is as wide as the image, which is less than all of a
large original; that belongs to its pixels, and its mirror image center-crop-tall does without.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from sg_keras.curation.recipe import Recipe
from sg_keras.curation.resizing import resized

Box = tuple[int, int, int, int]  # left, top, width, height, in pixels of the upright image


class Piece(NamedTuple):
    """An image made of an original, and where it was cut out; None where that follows from the transform."""

    image: Image.Image
    box: Box | None = None


def pieces(original: Image.Image, recipe: Recipe, name: str) -> list[Piece]:
    """The images that an original becomes; none where it is too small for the transform.

    Args:
        image: of mode L, LA, RGB or RGBA.
        recipe: with the transform.
        name: of the image in its source, which random crops follow from.
    """
    kind = recipe.transform.name
    if kind in ("random-crops", "tiles"):
        boxes = _random_boxes(original.size, recipe, name) if kind == "random-crops" else _tiles(original.size, recipe)
        return [Piece(_cut(original, box, recipe), box) for box in boxes]
    if recipe.resolution is None:
        return [Piece(original)]
    if kind == "none":
        return [Piece(_resized(original, recipe.resolution, recipe))]
    if kind == "center-crop":
        return [Piece(_cut(original, _largest_box(original.size, recipe.resolution), recipe))]
    made = {"center-crop-wide": _wide, "center-crop-tall": _tall, "fit": _fitted}[kind](original, recipe)
    return [] if made is None else [Piece(made)]


def output_size(recipe: Recipe, size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) of all images, where originals that keep theirs have this size."""
    wide, high = recipe.resolution or size
    kind = recipe.transform.name
    if kind in ("center-crop-wide", "center-crop-tall"):
        return max(wide, high), max(wide, high)
    if kind == "tiles" and recipe.resolution is None:
        return recipe.transform.numbers[0], recipe.transform.numbers[0]
    return wide, high


def _resized(original: Image.Image, size: tuple[int, int], recipe: Recipe) -> Image.Image:
    return resized(original, size, recipe.filter, recipe.linear_light)


def _cut(original: Image.Image, box: Box, recipe: Recipe) -> Image.Image:
    left, top, width, height = box
    cut = original.crop((left, top, left + width, top + height))
    return _resized(cut, recipe.resolution or cut.size, recipe)


def _largest_box(size: tuple[int, int], shape: tuple[int, int]) -> Box:
    """The largest box of a shape in the middle of an image."""
    (width, height), (wide, high) = size, shape
    if width * high > height * wide:
        crop = max(round(height * wide / high), 1), height
    else:
        crop = width, max(round(width * high / wide), 1)
    return (width - crop[0]) // 2, (height - crop[1]) // 2, *crop


def _wide(original: Image.Image, recipe: Recipe) -> Image.Image | None:
    width, height = original.size
    wide, high = recipe.resolution or original.size
    rows = round(wide * height / width)
    if width < wide or rows < high:
        return None
    strip = original.crop((0, (height - rows) // 2, width, (height + rows) // 2))
    bars = Image.new(original.mode, (wide, wide), _black(original))
    bars.paste(_resized(strip, (wide, high), recipe), (0, (wide - high) // 2))
    return bars


def _tall(original: Image.Image, recipe: Recipe) -> Image.Image | None:
    width, height = original.size
    wide, high = recipe.resolution or original.size
    columns = round(height * wide / high)
    if height < high or columns > width or columns < wide:
        return None
    left = (width - columns) // 2
    bars = Image.new(original.mode, (high, high), _black(original))
    bars.paste(
        _resized(original.crop((left, 0, left + columns, height)), (wide, high), recipe), ((high - wide) // 2, 0)
    )
    return bars


def _fitted(original: Image.Image, recipe: Recipe) -> Image.Image:
    """The whole image, with bars at two sides."""
    wide, high = recipe.resolution or original.size
    factor = min(wide / original.width, high / original.height)
    size = tuple(
        max(min(round(side * factor), limit), 1) for side, limit in zip(original.size, (wide, high), strict=True)
    )
    small = _resized(original, (size[0], size[1]), recipe)
    left, top = (wide - size[0]) // 2, (high - size[1]) // 2
    if recipe.background == "edge":
        values = np.asarray(small)
        margins = [(top, high - size[1] - top), (left, wide - size[0] - left)] + [(0, 0)] * (values.ndim - 2)
        return Image.fromarray(np.pad(values, margins, mode="edge"))
    if recipe.background == "blur":
        box = _largest_box(original.size, (wide, high))
        ground = _cut(original, box, recipe).filter(ImageFilter.GaussianBlur(max(wide, high) / 16))
    else:
        ground = Image.new("RGB", (wide, high), recipe.background).convert(original.mode)
    ground.paste(small, (left, top))
    return ground


def _black(original: Image.Image) -> int | tuple[int, ...]:
    return 0 if original.mode == "L" else (0, 0, 0) if original.mode == "RGB" else (0, 0, 0, 255)


def _random_boxes(size: tuple[int, int], recipe: Recipe, name: str) -> list[Box]:
    """Boxes of the images' shape, between their size and the largest that fits, drawn from seed and name alone."""
    width, height = size
    wide, high = recipe.resolution or size
    largest = min(width / wide, height / high)
    if largest < 1:
        return []
    digest = hashlib.sha256(f"{recipe.seed} {name}".encode("utf-8", "surrogateescape")).digest()
    random = np.random.Generator(np.random.Philox(int.from_bytes(digest[:16], "little")))
    boxes: list[Box] = []
    for scale, x, y in random.random((recipe.transform.numbers[0], 3)):
        factor = 1 + scale * (largest - 1)
        crop = min(round(wide * factor), width), min(round(high * factor), height)
        boxes.append((int(x * (width - crop[0] + 1)), int(y * (height - crop[1] + 1)), *crop))
    return boxes


def _tiles(size: tuple[int, int], recipe: Recipe) -> list[Box]:
    """Whole tiles, row by row from the top left corner."""
    width, height = size
    side, stride = recipe.transform.numbers
    wide, high = recipe.resolution or (side, side)
    tall = max(round(side * high / wide), 1)
    return [
        (left, top, side, tall)
        for top in range(0, height - tall + 1, stride)
        for left in range(0, width - side + 1, stride)
    ]
