"""Draws what filters of curate keep and drop: a row for each, kept images on the left, dropped ones on the right.

    python -m examples.mixed_images --out=mixed
    python -m examples.curation_sheet --data=mixed --out=docs/images/curation.png

Prints how many images each filter drops. Images are drawn evenly from those that are kept, and from those dropped.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from sg_keras.curation.audit import Audit, audit
from sg_keras.curation.curate import Rules, curate
from sg_keras.curation.decode import decode_original
from sg_keras.curation.encode import is_transparent, without_alpha
from sg_keras.curation.original_source import OriginalSource
from sg_keras.curation.sources import open_originals
from sg_keras.features import EfficientNetLite0

FILTERS = {
    "--max_brisque=45": Rules(max_brisque=45),
    "--min_symmetry=0.7": Rules(min_symmetry=0.7),
    "--drop_duplicates": Rules(drop_duplicates=True),
    "--outliers": Rules(outliers=True),
}
_SIDE, _GAP, _EACH, _TITLE = 80, 4, 6, 18
_GROUND, _TEXT, _DROPPED = "#ffffff", "#1d2126", "#b3382c"


def draw_sheet(source: OriginalSource, found: Audit) -> tuple[Image.Image, list[str]]:
    """The sheet, and a line on each filter."""
    row, half = _SIDE + 2 * _GAP + _TITLE, _EACH * (_SIDE + _GAP)
    sheet = Image.new("RGB", (2 * half + 5 * _GAP, len(FILTERS) * row), _GROUND)
    pen, lines = ImageDraw.Draw(sheet), []
    for place, (title, rules) in enumerate(FILTERS.items()):
        curation = curate(found, rules)
        dropped = [index for index in curation.dropped if index not in found.bad]
        lines.append(f"{title}: {len(curation.kept)} kept, {len(dropped)} dropped")
        for left, indices, text, colour in (
            (_GAP, list(curation.kept), f"{title} keeps {len(curation.kept)}", _TEXT),
            (half + 4 * _GAP, dropped, f"drops {len(dropped)}", _DROPPED),
        ):
            pen.text((left, place * row + 2), text, fill=colour, font_size=13)
            for number, index in enumerate(_some(indices)):
                sheet.paste(_image(source, index), (left + number * (_SIDE + _GAP), place * row + _TITLE + _GAP))
    return sheet, lines


def _some(indices: list[int]) -> list[int]:
    places = np.unique(np.linspace(0, len(indices) - 1, min(_EACH, len(indices))).astype(int))
    return [indices[place] for place in places]


def _image(source: OriginalSource, index: int) -> Image.Image:
    image = decode_original(source.read(index)).image
    image = without_alpha(image, "white" if is_transparent(image) else None).convert("RGB")
    image.thumbnail((_SIDE, _SIDE))
    framed = Image.new("RGB", (_SIDE, _SIDE), "#e8e8e6")
    framed.paste(image, ((_SIDE - image.width) // 2, (_SIDE - image.height) // 2))
    return framed


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--data", required=True, metavar="PATH", help="the images")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the sheet, a PNG file")
    options = parser.parse_args(argv)
    try:
        source = open_originals(options.data)
        try:
            found = audit(source, options.data, EfficientNetLite0(), map_method="pca")
            sheet, lines = draw_sheet(source, found)
        finally:
            source.close()
        sheet.quantize(128).save(options.out, optimize=True)
    except (OSError, ValueError) as error:
        print(f"curation_sheet: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
