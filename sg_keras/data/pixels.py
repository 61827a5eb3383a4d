"""Decoded images by index: from encoded files, from memory, and from files through memory."""

from __future__ import annotations

import pathlib
from typing import Protocol

import numpy as np

from sg_keras.data.image_decoding import decode_image
from sg_keras.data.image_headers import netpbm
from sg_keras.data.image_source import ImageSource


class Pixels(Protocol):
    """Images of one shape. Safe to use from several threads."""

    shape: tuple[int, int, int]  # H, W, C

    def __len__(self) -> int:
        """Number of images."""

    def gather(self, indices: np.ndarray) -> np.ndarray:
        """uint8 [n,H,W,C], a new array. OSError, one line that names the file, if one cannot be read."""

    def file(self, index: int) -> bytes:
        """The whole file of an image; of one that is in memory, netpbm. OSError as of `gather`."""

    def close(self) -> None:
        """Release files."""


class ArrayPixels:
    """Images that are in memory already: uint8 [n,H,W,C]."""

    def __init__(self, images: np.ndarray) -> None:
        self._images = images
        self.shape = images.shape[1:]

    def __len__(self) -> int:
        return len(self._images)

    def gather(self, indices: np.ndarray) -> np.ndarray:
        return self._images.take(indices, axis=0)

    def file(self, index: int) -> bytes:
        return netpbm(self._images[index])

    def close(self) -> None:
        pass


class MappedPixels(ArrayPixels):
    """Images in a file that is mapped into memory: uint8 [n,H,W,C]."""

    def __init__(self, images: np.ndarray, path: str) -> None:
        super().__init__(images)
        self._path = path
        self._size = pathlib.Path(path).stat().st_size

    def gather(self, indices: np.ndarray) -> np.ndarray:
        # Reading pages of a file that was cut short would kill the process with SIGBUS.
        if pathlib.Path(self._path).stat().st_size < self._size:
            raise OSError(f"{self._path}: found that the file was cut short while it was in use, expected it as it was")
        return np.asarray(super().gather(indices))


class EncodedPixels:
    """Images that are read and decoded each time."""

    def __init__(self, source: ImageSource, shape: tuple[int, int, int]) -> None:
        self._source = source
        self.shape = shape

    def __len__(self) -> int:
        return len(self._source.names)

    def gather(self, indices: np.ndarray) -> np.ndarray:
        images = np.empty((len(indices), *self.shape), np.uint8)
        for row, index in enumerate(indices):
            images[row] = self._decode(int(index))
        return images

    def file(self, index: int) -> bytes:
        return self._source.read(index)

    def close(self) -> None:
        self._source.close()

    def _decode(self, index: int) -> np.ndarray:
        where = self._source.where(index)
        image = decode_image(self._source.read(index), where)
        if image.shape != self.shape:  # the file was replaced after the data set was opened
            raise OSError(f"{where}: found an image of shape {image.shape}, expected {self.shape}")
        return image


class CachedPixels:
    """Images that are decoded at their first use and kept in memory from then on.

    The array is as large as the whole set, but the operating system provides its pages only as they are filled.
    """

    def __init__(self, encoded: EncodedPixels) -> None:
        self._encoded = encoded
        self.shape = encoded.shape
        self._images = np.empty((len(encoded), *self.shape), np.uint8)
        self._present = np.zeros(len(encoded), bool)
        self._complete = False

    def __len__(self) -> int:
        return len(self._encoded)

    def gather(self, indices: np.ndarray) -> np.ndarray:
        if not self._complete:
            self._fill(indices)
        return self._images.take(indices, axis=0)

    def file(self, index: int) -> bytes:
        return self._encoded.file(index)

    def close(self) -> None:
        self._encoded.close()

    def _fill(self, indices: np.ndarray) -> None:
        # Two threads may decode the same image: both write the same bytes, and the mark comes after them.
        missing = np.unique(indices[~self._present[indices]])
        if len(missing):
            self._images[missing] = self._encoded.gather(missing)
            self._present[missing] = True
        else:
            self._complete = bool(self._present.all())
