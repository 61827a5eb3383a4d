"""A sheet that shows what directions change: a row each, from far on the one side of an image to far on the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from PIL import Image

from sg_keras.inference.column_names import named_columns
from sg_keras.inference.directions import Direction, moved_styles
from sg_keras.inference.images import tile, viewable
from sg_keras.inference.row_names import named_rows

_LEAST_SIDE, _MOST_SIDE = 64, 256  # pixels of an image on the sheet: small ones are enlarged, large ones reduced
_EDGE, _PAPER = 2, 255  # pixels round each image, and their gray: images with dark edges would run together


def sheet_styles(ws: np.ndarray, directions: Sequence[Direction], amounts: Sequence[float]) -> Iterator[np.ndarray]:
    """Styles of the images of a sheet, row after row.

    Args:
        ws: [num_ws,w_dim], which all rows move.
        directions: of the rows.
        amounts: of the columns, in sigmas.

    Yields:
        [num_ws,w_dim], len(directions) * len(amounts) of them.
    """
    for direction in directions:
        for amount in amounts:
            yield moved_styles(ws[np.newaxis], [direction], [amount])[0]


def labelled_sheet(images: Iterable[np.ndarray], rows: Sequence[str], columns: Sequence[str]) -> np.ndarray:
    """Images in rows and columns with their names.

    Args:
        images: uint8 [H,W,C], row after row.
        rows, columns: their names.

    Returns:
        uint8 [height,width,1 or 3].

    Raises:
        ValueError: there are more or fewer images than places.
    """
    cells = [_cell(image) for image in images]
    if len(cells) != len(rows) * len(columns):
        raise ValueError(f"images: found {len(cells)}, expected {len(rows)} rows of {len(columns)}")
    grid = tile(np.stack(cells), len(columns))
    named = named_rows(grid, rows)
    return named_columns(named, columns, margin=named.shape[1] - grid.shape[1])


def _cell(image: np.ndarray) -> np.ndarray:
    shown = _in_size(viewable(image[np.newaxis])[0])
    return np.pad(shown, ((_EDGE, _EDGE), (_EDGE, _EDGE), (0, 0)), constant_values=_PAPER)


def _in_size(shown: np.ndarray) -> np.ndarray:
    height, width, channels = shown.shape
    if max(height, width) <= _MOST_SIDE:
        factor = -(-_LEAST_SIDE // max(height, width))
        return shown.repeat(factor, axis=0).repeat(factor, axis=1)
    scale = _MOST_SIDE / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    reduced = Image.fromarray(shown[:, :, 0] if channels == 1 else shown).resize(size, Image.Resampling.LANCZOS)
    return np.asarray(reduced).reshape([size[1], size[0], channels])
