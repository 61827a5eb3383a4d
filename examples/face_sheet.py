"""Draws what convert makes of faces: images as they are, boxes around faces, and faces aligned as in FFHQ.

    python -m examples.face_sheet --data=portraits --out=docs/images/faces.png

Columns are images; those whose eyes are not level (eye_height of 0.10 or more) have a red frame.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence

from PIL import Image, ImageDraw

from sg_keras.curation.alignment import aligned, box_around
from sg_keras.curation.decode import decode_original
from sg_keras.curation.faces import FaceMemory, MTCNNDetector, face_measures
from sg_keras.curation.sources import open_originals

_SIDE, _GAP, _MOST = 128, 6, 6


def draw_sheet(path: str) -> Image.Image:
    """The sheet of the first images of a set that have faces."""
    memory, source = FaceMemory(MTCNNDetector("--data")), open_originals(path)
    columns = []
    for index in range(len(source.names)):
        data = source.read(index)
        faces = memory.faces(data)
        if faces and len(columns) < _MOST:
            image = decode_original(data).image.convert("RGB")
            left, top, width, height = box_around(faces[0], image.size, (1, 1))
            cut = image.crop((left, top, left + width, top + height))
            tilted = face_measures(faces, image.size)["eye_height"] >= 0.1
            columns.append(([image, cut, aligned(image, faces[0])], tilted))
    source.close()
    step = _SIDE + _GAP
    sheet = Image.new("RGB", (step * len(columns) + _GAP, 3 * step + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for x, (images, tilted) in enumerate(columns):
        for y, image in enumerate(images):
            image.thumbnail((_SIDE, _SIDE))
            corner = (_GAP + x * step + (_SIDE - image.width) // 2, _GAP + y * step + (_SIDE - image.height) // 2)
            sheet.paste(image.resize((_SIDE, _SIDE)) if y else image, (_GAP + x * step, corner[1]) if y else corner)
        if tilted:
            pen.rectangle((_GAP + x * step - 3, 3, (x + 1) * step + 2, step + 2), outline="#b3382c", width=3)
    return sheet


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--data", required=True, metavar="PATH", help="the images")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the sheet, a PNG file")
    options = parser.parse_args(argv)
    try:
        draw_sheet(options.data).quantize(128).save(options.out, optimize=True)
    except (OSError, ValueError) as error:
        print(f"face_sheet: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
