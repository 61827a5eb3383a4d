"""The command that makes a data set of images that cannot be trained on as they are."""

from __future__ import annotations

import collections
import io
import pathlib
import shlex
import warnings

import numpy as np
from PIL import Image

from sg_keras.config.sizes import LEAST_SIDE
from sg_keras.data.folder_source import FolderSource
from sg_keras.data.image_checks import CheckedImages, ExpectedSize, check_images
from sg_keras.data.image_source import ImageSource
from sg_keras.data.sources import open_source
from sg_keras.data.zip_source import ZipSource

_LOOKED_AT = 500  # images, spread evenly
_HEAD_BYTES = 1 << 16
_LARGEST_SIDE = 1024  # that is proposed
_WITH_ALPHA = ("RGBA", "LA", "PA")
#: Endings of images that conversions read and training does not.
_CONVERTIBLE = frozenset(
    (".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif", ".jfif", ".jpe", ".jp2", ".ppm", ".pgm", ".tga", ".mpo", ".ico")
)


class UnpreparedImagesError(ValueError):
    """Images cannot be trained on as they are, and a conversion mends it.

    Attributes:
        command: that converts them, filled in; "" where none can be said.
    """

    def __init__(self, text: str, command: str) -> None:
        super().__init__(text)
        self.command = command


def open_convertible(path: str) -> ImageSource:
    """As open_source. UnpreparedImagesError: there are images, but none that training reads."""
    try:
        return open_source(path)
    except ValueError as error:
        try:
            originals = (FolderSource if pathlib.Path(path).is_dir() else ZipSource)(path, _CONVERTIBLE)
        except (OSError, ValueError):
            raise error from None
        command = convert_command(originals, path)
        originals.close()
        raise UnpreparedImagesError(str(error), command) from error


def check_convertible(source: ImageSource, expected: ExpectedSize, skip_bad: bool, path: str) -> CheckedImages:
    """As check_images. UnpreparedImagesError: what is wrong can be mended by a conversion.

    Args:
        source, expected, skip_bad: as of `check_images`.
        path: of the source as people typed it.
    """
    try:
        return check_images(source, expected, skip_bad)
    except ValueError as error:
        command = convert_command(source, path) if expected.size is None else ""
        raise UnpreparedImagesError(str(error), command) from error


def convert_command(source: ImageSource, path: str) -> str:
    """The command, filled in: the largest size that the most frequent size has pixels for; "" where none is readable.

    Args:
        source: of images, or of the files that would be originals.
        path: of the source as people typed it.
    """
    sizes: collections.Counter[tuple[int, int]] = collections.Counter()
    has_alpha = False
    for index in np.unique(np.linspace(0, len(source.names) - 1, min(len(source.names), _LOOKED_AT)).astype(int)):
        found = _size_and_alpha(source, int(index))
        if found is not None:
            sizes[found[0]] += 1
            has_alpha = has_alpha or found[1]
    if not sizes:
        return ""
    return command_of_size(path, sizes.most_common(1)[0][0], has_alpha)


def command_of_size(path: str, size: tuple[int, int], has_alpha: bool = False) -> str:
    """The command for originals of a size (width, height) at a path."""
    width, height = size
    side = max(LEAST_SIDE, min(_LARGEST_SIDE, 1 << (min(width, height).bit_length() - 1)))
    place = pathlib.Path(path).absolute()
    stem = place.name if place.is_dir() else place.stem
    words = [
        *("python", "-m", "sg_keras.tools.dataset", "convert", f"--source={path}", f"--dest={stem}-{side}.zip"),
        *(f"--resolution={side}x{side}", "--transform=center-crop", *(["--alpha=white"] if has_alpha else [])),
    ]
    return shlex.join(words)


def _size_and_alpha(source: ImageSource, index: int) -> tuple[tuple[int, int], bool] | None:
    try:
        # The whole file is read only where its beginning says nothing.
        for read in (lambda: source.ends(index, _HEAD_BYTES).head, lambda: source.read(index)):
            data = read()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    with Image.open(io.BytesIO(data)) as image:
                        return image.size, image.mode in _WITH_ALPHA or "transparency" in image.info
                except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
                    continue
    except OSError:
        pass
    return None
