"""Images that a tool shows together, as far as they fit: grid.png, and sheet.png with words."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from sg_keras.config.sizes import ImageSize

_LARGEST_SIDE = 8192  # pixels, of a grid


class ShownImages:
    """Collects those of some rows of images that fit in one image; a single row is shown as a nearly square grid.

    Args:
        size: of the images.
        rows, columns: how many there are.
    """

    def __init__(self, size: ImageSize, rows: int, columns: int) -> None:
        from sg_keras.inference import grid_columns

        across, down = max(_LARGEST_SIDE // size.width, 1), max(_LARGEST_SIDE // size.height, 1)
        self._columns, self._seen = columns, 0
        if rows > 1:
            self._across, self._down = min(across, columns), min(down, rows)
        else:
            fitting = min(columns, min(across, down) ** 2)
            self._columns, self._across, self._down = fitting, fitting, 1
        self._in_a_row = self._across if rows > 1 else grid_columns(self._across)
        self.images: list[np.ndarray] = []
        self._captions: list[Sequence[str]] = []

    def add(self, image: np.ndarray, words: Sequence[str]) -> None:
        """The next image uint8 [H,W,C], row after row, with the lines below it."""
        from sg_keras.inference import viewable

        row, column = divmod(self._seen, self._columns)
        self._seen += 1
        if row < self._down and column < self._across:
            self.images.append(viewable(image[None])[0])
            self._captions.append(words)

    def write(self, folder: pathlib.Path, with_sheet: bool) -> str:
        """Write grid.png and, if asked for, sheet.png.

        Returns:
            Their names, to go on with after the number of images.
        """
        import numpy as np

        from sg_keras.files.atomic import atomic_file
        from sg_keras.inference import contact_sheet, png_bytes, tile

        with atomic_file(folder / "grid.png") as path:
            path.write_bytes(png_bytes(tile(np.stack(self.images), self._in_a_row)))
        if not with_sheet:
            return " and grid.png"
        with atomic_file(folder / "sheet.png") as path:
            path.write_bytes(png_bytes(contact_sheet(self.images, self._captions, self._in_a_row)))
        return ", grid.png and sheet.png"
