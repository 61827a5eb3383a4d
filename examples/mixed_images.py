"""Makes a mixed set of images with every kind of flaw in it, to see what the tools for data sets do.

    python -m examples.mixed_images --out=mixed --count=300
    python -m sg_keras.tools.dataset audit --data=mixed --out=mixed.html --labels=folders

Crops of scikit-learn's two photographs and drawings, in three folders as classes. Of every 25 images one is there
again as a copy, nearly as a copy, blurred and dark; some are noise, flat, transparent, or cannot be read. With --icons
npm brings a package of icons, of which so many are added, transparent around, in a folder for each category. Equal
arguments make equal files.
"""

from __future__ import annotations

import argparse
import io
import itertools
import pathlib
import sys
from collections.abc import Iterator, Sequence

import numpy as np
import sklearn.datasets
from PIL import Image, ImageDraw, ImageFilter

from examples.icon_package import icons_from_npm

_SIDE = 128
_FLAWS_EVERY = 25
_SUBJECTS = ("temple", "flower")  # of the photographs


def mixed_images(count: int) -> Iterator[tuple[str, bytes]]:
    """Name and content of `count` files and more, flawed ones included."""
    random = np.random.default_rng(0)
    photographs = [Image.fromarray(pixels) for pixels in sklearn.datasets.load_sample_images().images]
    for index in range(count):
        name = f"p{index:05d}"
        if index % 5 == 4:
            yield f"drawing/{name}.png", _file(_drawing(random, index))
            continue
        subject = index % 2
        crop = _crop(photographs[subject], random)
        yield f"{_SUBJECTS[subject]}/{name}.png", _file(crop)
        if index % _FLAWS_EVERY == 0:
            for flaw, content in _flawed(crop, random):
                yield f"{_SUBJECTS[subject]}/{name}-{flaw}", content


def some_icons(icons: Sequence[tuple[str, str, bytes]], count: int) -> Iterator[tuple[str, bytes]]:
    """Name and content of `count` icons at most; an icon is given as its category, its name and its file."""
    order = np.random.default_rng(1).permutation(len(icons))  # their own numbers: the other images stay as they are
    for place in sorted(order[:count]):
        category, name, content = icons[place]
        yield f"{category}/{name}", content


def _flawed(crop: Image.Image, random: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    yield "copy.png", _file(crop)
    yield "nearly.jpg", _file(crop, "JPEG")
    yield "blurred.png", _file(crop.filter(ImageFilter.GaussianBlur(4)))
    yield "dark.png", _file(crop.point(lambda value: value // 12))
    kind = int(random.integers(4))
    if kind == 0:
        yield "noise.png", _file(Image.fromarray(random.integers(0, 256, [_SIDE, _SIDE, 3], dtype=np.uint8)))
    elif kind == 1:
        yield "flat.png", _file(Image.new("RGB", (200, 100), (120, 130, 140)))
    elif kind == 2:
        crop.putalpha(90)
        yield "transparent.png", _file(crop)
    else:
        yield "cut.png", _file(crop)[:3000]


def _crop(photograph: Image.Image, random: np.random.Generator) -> Image.Image:
    side = int(random.integers(_SIDE, 2 * _SIDE))
    left, top = (int(random.integers(0, length - side)) for length in photograph.size)
    return photograph.crop((left, top, left + side, top + side)).resize((_SIDE, _SIDE))


def _drawing(random: np.random.Generator, index: int) -> Image.Image:
    image = Image.new("RGB", (_SIDE, _SIDE), "white")
    pen, half, middle = ImageDraw.Draw(image), int(random.integers(20, 55)), _SIDE // 2
    colour = tuple(int(value) for value in random.integers(0, 200, 3))
    shape = pen.ellipse if index % 2 else pen.rectangle
    shape((middle - half, middle - half, middle + half, middle + half), fill=colour)
    pen.polygon([(10, 10), (10 + half, 20), (20, 60)], fill=colour)
    return image


def _file(image: Image.Image, file_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, compress_level=1)  # of PNG: the set is made in half the time
    return buffer.getvalue()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument("--count", type=int, default=300, metavar="N", help="images without flaws (default: 300)")
    parser.add_argument("--icons", type=int, default=0, metavar="N", help="icons of a package (default: 0; needs npm)")
    options = parser.parse_args(argv)
    try:
        icons = icons_from_npm() if options.icons else []
        options.out.mkdir()
        for name, content in itertools.chain(mixed_images(options.count), some_icons(icons, options.icons)):
            (options.out / name).parent.mkdir(exist_ok=True)
            (options.out / name).write_bytes(content)
    except (OSError, ValueError) as error:
        print(f"mixed_images: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
