"""Images and labels in NumPy's files: .npz with arrays `images` and `labels`, .npy of images alone."""

from __future__ import annotations

import pathlib
import zipfile
import zlib
from collections.abc import Container
from typing import Any, NamedTuple

import numpy as np

from sg_keras.data.image_source import unreadable_source

_SUFFIXES = (".npz", ".npy")
_MAX_ARRAY_BYTES = 2**35
_IMAGES, _LABELS = ("images", "x_train", "train_images", "x", "data", "arr_0"), ("labels", "y_train", "y", "arr_1")
_FILE_CHANNELS = (1, 3, 4)  # of images as files; where they come second, that is what they are
_ERRORS = (ValueError, EOFError, OSError, zlib.error, zipfile.BadZipFile, KeyError)


class Kinds(NamedTuple):
    """Which images are taken: NumPy's types, numbers of channels, and all of that in words."""

    types: Container[Any]
    channels: Container[int]
    expected: str


class NumpyFile(NamedTuple):
    """What is in a file.

    Attributes:
        images: [n,H,W] (gray) or [n,H,W,C]; of .npy files a memory map.
        labels: of each image a class index or a list of numbers; None where they were not asked for or are not there.
        has_labels: whether there is an array of them.
    """

    images: np.ndarray
    labels: list[Any] | None
    has_labels: bool


def is_numpy_file(path: str) -> bool:
    """Whether a name is that of a NumPy file, and not of a folder."""
    return path.lower().endswith(_SUFFIXES) and not pathlib.Path(path).is_dir()


def read_numpy_file(path: str, kinds: Kinds, with_labels: bool = True) -> NumpyFile:
    """Read a file. Channels may come first, [n,C,H,W], where C is 1, 3 or 4 and the last number is none of these.

    Raises:
        OSError: it cannot be read.
        ValueError: it is something else, or what is in it is not taken. Both one line.
    """
    try:
        if path.lower().endswith(".npy"):
            found = np.load(path, mmap_mode="r", allow_pickle=False)
            if not isinstance(found, np.ndarray):
                raise ValueError("it is an archive of arrays, whose name should end in .npz")
            return NumpyFile(_images(found, kinds), None, False)
        with zipfile.ZipFile(path) as archive:
            total = sum(info.file_size for info in archive.infolist())
        if total > _MAX_ARRAY_BYTES:
            raise ValueError(f"it inflates to {total} bytes, above {_MAX_ARRAY_BYTES}; a .npy may be larger")
        with np.load(path, allow_pickle=False) as arrays:
            images = next((name for name in _IMAGES if name in arrays.files), None)
            labels = next((name for name in _LABELS if name in arrays.files), None)
            if images is None:
                raise ValueError(f"it has {', '.join(arrays.files) or 'nothing'} in it and no 'images'")
            pixels = _images(arrays[images], kinds)
            wanted = labels is not None and with_labels
            return NumpyFile(pixels, _listed(arrays[labels], len(pixels)) if wanted else None, labels is not None)
    except _ERRORS as error:
        raise unreadable_source(path, error, kinds.expected) from error


def _images(array: np.ndarray, kinds: Kinds) -> np.ndarray:
    if array.ndim == 4 and array.shape[3] not in _FILE_CHANNELS and array.shape[1] in _FILE_CHANNELS:
        array = array.transpose(0, 2, 3, 1)
    if array.dtype not in kinds.types or array.ndim not in (3, 4) or 0 in array.shape:
        raise ValueError(f"it has {array.dtype} of shape {list(array.shape)}")
    if array.ndim == 4 and array.shape[3] not in kinds.channels:
        raise ValueError(f"it has {array.shape[3]} channels")
    return array


def _listed(array: np.ndarray, count: int) -> list[Any]:
    """Of each image a class index or a list of numbers."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind not in "iuf" or array.ndim not in (1, 2) or len(array) != count:
        raise ValueError(f"it has labels of {array.dtype} and shape {list(array.shape)} for {count} images")
    values: list[Any] = array.tolist()
    return [[value] for value in values] if array.ndim == 1 and array.dtype.kind == "f" else values
