"""Images that are arrays: NumPy files, MNIST's idx files, CIFAR's archives, and the built-in digits."""

from __future__ import annotations

import gzip
import io
import math
import pathlib
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import IO, Any, cast

import numpy as np
from PIL import Image

from sg_keras.curation.original_source import OwnLabels
from sg_keras.curation.tar_originals import TarFile
from sg_keras.data.digits import DIGITS_NAME, load_digits
from sg_keras.data.image_headers import netpbm
from sg_keras.data.image_source import unreadable_source
from sg_keras.data.numpy_file import Kinds, read_numpy_file
from sg_keras.data.pickled_arrays import ArrayRecord, array_names, named
from sg_keras.files.bounded_reader import BoundedReader, Budget
from sg_keras.files.pickle_machine import unpickle

_MAX_ARRAY_BYTES = 2**35
_KINDS = Kinds((np.uint8, np.uint16), (1, 3, 4), "uint8 images [n,H,W,C], C 1, 3 or 4")
_IDX_UINT8 = 0x08
_CIFAR_SIDE = 32
_TRAIN = re.compile(r"(?:.*/)?(?:data_batch_[0-9]+|train)")
_META = re.compile(r"(?:.*/)?(?:batches\.meta|meta)")


class ArrayOriginals:
    """Images of arrays [n,H,W] or [n,H,W,C] of 8 or 16 bits, C 1, 3 or 4, one array after another."""

    def __init__(self, path: str, arrays: Sequence[np.ndarray], labels: OwnLabels | None = None) -> None:
        self.path = path
        self._arrays = [np.asarray(array) for array in arrays]
        self._starts = np.cumsum([0, *map(len, self._arrays)])
        self.names = [f"{index:08d}" for index in range(int(self._starts[-1]))]
        self.other_names: list[str] = []
        self.refused: dict[int, str] = {}
        self.notes: list[str] = []
        self._labels = labels
        if not self.names:
            raise ValueError(f"{path}: found no images in it, expected some")

    def read(self, index: int) -> bytes:
        number = int(np.searchsorted(self._starts, index, side="right")) - 1
        pixels = np.asarray(self._arrays[number][index - self._starts[number]])
        if pixels.dtype == np.uint16:
            pixels = (pixels >> 8).astype(np.uint8)
        pixels = np.atleast_3d(pixels)
        if pixels.shape[2] in (1, 3):
            return netpbm(pixels)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=0)
        return buffer.getvalue()

    def head(self, index: int, count: int) -> bytes:
        return self.read(index)

    def read_other(self, name: str) -> bytes:
        raise OSError(f"{self.path}: found no file {name} in it, expected one that is there")

    def own_labels(self) -> OwnLabels | None:
        return self._labels

    def close(self) -> None:
        self._arrays = []


def digits_originals() -> ArrayOriginals:
    """The built-in digits, 32x32."""
    images, classes = load_digits()
    return ArrayOriginals(DIGITS_NAME, [images], OwnLabels(classes.tolist()))


def numpy_originals(path: str) -> ArrayOriginals:
    """Images and labels of an .npz file, images of an .npy file, which is read piece by piece."""
    found = read_numpy_file(path, _KINDS)
    return ArrayOriginals(path, [found.images], None if found.labels is None else OwnLabels(found.labels))


def idx_originals(path: str) -> ArrayOriginals:
    """Images of an idx3 file, 28x28 padded to 32x32 as published; labels of the idx1 file beside it."""
    images = _read_idx(path, 3)
    if images.shape[1:] == (28, 28):
        images = np.pad(images, [(0, 0), (2, 2), (2, 2)])
    place = pathlib.Path(path)
    beside = place.with_name(place.name.replace("images", "labels").replace("idx3", "idx1"))
    if beside == place or not beside.exists():
        return ArrayOriginals(path, [images])
    classes = _read_idx(str(beside), 1)
    if len(classes) != len(images):
        raise ValueError(f"{beside}: found {len(classes)} labels for {len(images)} images, expected one for each")
    return ArrayOriginals(path, [images], OwnLabels(classes.tolist()))


def _read_idx(path: str, dimensions: int) -> np.ndarray:
    try:
        with pathlib.Path(path).open("rb") as plain, _unpacked(plain, path) as file:
            head = file.read(4 + 4 * dimensions)
            shape = [int.from_bytes(head[at : at + 4], "big") for at in range(4, len(head), 4)]
            size = math.prod(shape)
            if head[:4] != bytes((0, 0, _IDX_UINT8, dimensions)) or len(shape) != dimensions or size > _MAX_ARRAY_BYTES:
                raise ValueError("its header is not of that kind")
            data = file.read(size)
            if len(data) < size:
                raise ValueError("it ends too early")
            return np.frombuffer(data, np.uint8).reshape(shape)
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise unreadable_source(path, error, f"an idx{dimensions} file of bytes, as of MNIST") from error


def _unpacked(file: IO[bytes], path: str) -> IO[bytes]:
    return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if path.endswith(".gz") else file


def is_cifar(archive: TarFile) -> bool:
    """Whether a tar archive is the Python version of CIFAR-10 or CIFAR-100."""
    return any(map(_META.fullmatch, archive.members)) and any(map(_TRAIN.fullmatch, archive.members))


def cifar_originals(archive: TarFile) -> ArrayOriginals:
    """The training images of CIFAR-10 or CIFAR-100 with their (fine) classes. Nothing in the pickles is run."""
    images, classes = [], []
    for name in sorted(filter(_TRAIN.fullmatch, archive.members)):
        batch = _read_pickle(archive, name)
        labels = batch.get("labels", batch.get("fine_labels"))
        data = batch.get("data")
        pixels = data.array if isinstance(data, ArrayRecord) else data
        shape = (3, _CIFAR_SIDE, _CIFAR_SIDE)
        if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[1:] != (math.prod(shape),):
            raise ValueError(f"{archive.path}/{name}: found no pixels, expected a batch of CIFAR")
        if not isinstance(labels, list) or len(labels) != len(pixels):
            raise ValueError(f"{archive.path}/{name}: found no label for each image, expected a batch of CIFAR")
        images.append(pixels.reshape(-1, *shape).transpose(0, 2, 3, 1))
        classes += [int(label) for label in labels]
    meta = _read_pickle(archive, next(filter(_META.fullmatch, archive.members)))
    names = meta.get("label_names", meta.get("fine_label_names")) or []
    return ArrayOriginals(archive.path, images, OwnLabels(classes, tuple(map(_text, names))))


def _read_pickle(archive: TarFile, name: str) -> Mapping[str, Any]:
    content = archive.read(name)
    reader = BoundedReader(io.BytesIO(content), len(content), Budget(len(content)))
    try:
        found = unpickle(reader, {**array_names(), **named(_as_latin_1, "_codecs.encode")}, what="file of CIFAR")
    except ValueError as error:
        raise ValueError(f"{archive.path}/{name}: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{archive.path}/{name}: found a {type(found).__name__}, expected a file of CIFAR")
    return {_text(key): value for key, value in found.items()}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _as_latin_1(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes for Python 2."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"the encoding {encoding}")
    return text.encode("latin-1")
