"""Images in TFRecord files: StyleGAN2-ADA's layout (pixels), and Examples that hold whole image files."""

from __future__ import annotations

import contextlib
import mmap
import pathlib
import re
import zlib
from typing import Any

import numpy as np

from sg_keras.data.image_headers import netpbm, netpbm_header
from sg_keras.data.image_source import IMAGE_SUFFIXES, TAIL_BYTES, Ends, is_hidden, unreadable
from sg_keras.data.labels import Labels, class_labels, labels_of_images
from sg_keras.data.tfrecord_format import checked_record, decode_example, record_places

_SUFFIXES = (".tfrecords", ".tfrecord")
_LEVEL = re.compile(r"-r([0-9]{2})(?:-[0-9]{5}-of-[0-9]{5})?\.tfrecords?$")
LABELS_SUFFIX = ".labels"
_ENCODED = ("image/encoded", "image_raw", "image", "img", "encoded", "jpeg", "png")  # names that are in use
_LABELS = ("image/class/label", "label", "class", "labels")


def tfrecord_files(path: str) -> list[pathlib.Path]:
    """The TFRecord files at a path in their order, none where it is something else.

    A folder with folders or images in it is one of images. Of StyleGAN2-ADA's files, NAME-rNN.tfrecords with images of
    2^NN pixels a side, those of the highest level count.
    """
    place = pathlib.Path(path)
    if place.is_file():
        return [place] if place.name.endswith(_SUFFIXES) else []
    entries = [file for file in place.iterdir() if not is_hidden(file.name)] if place.is_dir() else []
    files = sorted(file for file in entries if file.name.endswith(_SUFFIXES))
    if not files or any(file.suffix.lower() in IMAGE_SUFFIXES or file.is_dir() for file in entries):
        return []
    levels = {file: int(match.group(1)) for file in files if (match := _LEVEL.search(file.name))}
    return [file for file in files if levels.get(file) == max(levels.values())] if levels else files


class TFRecordSource:
    """Images of TFRecord files, numbered in the order of the records, read through memory maps.

    Pixels are given as netpbm files, whole image files as they are. A record's check sum is compared when it is read.

    Attributes:
        has_labels: whether there are labels in the records or beside them.
    """

    has_checksums = False
    is_mapped = True

    def __init__(self, path: str) -> None:
        self.path = path
        self._files = tfrecord_files(path)
        self._maps: list[mmap.mmap] = []
        places: list[tuple[int, int, int]] = []
        try:
            for number, file in enumerate(self._files):
                self._maps.append(_mapped(file))
                places += [(number, *place) for place in _places(self._maps[number], file)]
            if not places:
                raise ValueError(f"{path}: found no records, expected images")
        except (OSError, ValueError):
            self.close()
            raise
        self._places = np.array(places, np.int64)
        self.names = [f"{index:08d}" for index in range(len(places))]
        folder = self._files[0].parent
        self.other_names = sorted(file.name for file in folder.iterdir() if file.suffix == ".json")
        self._label_files = sorted(folder.glob(f"*{LABELS_SUFFIX}"))
        self.has_labels = bool(self._label_files) or self._label_of(0) is not None

    def where(self, index: int) -> str:
        file = self._places[index, 0]
        return f"{self._files[file]}: record {index - int(np.argmax(self._places[:, 0] == file))}"

    def read(self, index: int) -> bytes:
        try:
            number, start, length = map(int, self._places[index])
            self._check_size(number)
            content = _image_of(decode_example(checked_record(self._maps[number], start, length)))
        except ValueError as error:
            raise OSError(f"{self.where(index)}: {error}") from error
        return netpbm(content) if isinstance(content, np.ndarray) else bytes(content)

    def ends(self, index: int, head_bytes: int) -> Ends:
        content = self._content(index)
        if isinstance(content, np.ndarray):
            return Ends(netpbm_header(*content.shape), None, content.size)
        return Ends(bytes(content[:head_bytes]), bytes(content[-TAIL_BYTES:]), len(content))

    def checksum(self, index: int) -> int:
        return zlib.crc32(self.read(index))

    def read_other(self, name: str) -> bytes:
        path = self._files[0].parent / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise unreadable(str(path), error) from error

    def labels(self) -> Labels:
        """The labels in the records or beside them. ValueError: they do not go together, in one line."""
        if self._label_files:
            return _label_array(self._label_files[0], len(self.names))
        labels = [self._label_of(index) for index in range(len(self.names))]
        return labels_of_images(self.names, labels, self.path)

    def close(self) -> None:
        for mapped in self._maps:
            with contextlib.suppress(BufferError):  # an error on its way still holds a part: freed with that
                mapped.close()
        self._maps.clear()

    def _content(self, index: int) -> Any:
        number, start, length = map(int, self._places[index])
        try:
            self._check_size(number)
            return _image_of(decode_example(memoryview(self._maps[number])[start : start + length]))
        except ValueError as error:
            raise OSError(f"{self.where(index)}: {error}") from error

    def _label_of(self, index: int) -> Any:
        number, start, length = map(int, self._places[index])
        try:
            features = decode_example(memoryview(self._maps[number])[start : start + length])
        except ValueError as error:
            raise OSError(f"{self.where(index)}: {error}") from error
        for name in _LABELS:
            values = features.get(name)
            if values and not isinstance(values[0], memoryview):
                return values[0] if len(values) == 1 and isinstance(values[0], int) else values
        return None

    def _check_size(self, number: int) -> None:
        """Reading pages of a file that was cut short would kill the process with SIGBUS."""
        if self._maps[number].size() < len(self._maps[number]):
            raise ValueError("found that the file was cut short while it was in use, expected it as it was")


def _mapped(file: pathlib.Path) -> mmap.mmap:
    try:
        with file.open("rb") as opened:
            return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError as error:  # it is empty
        raise ValueError(f"{file}: found an empty file, expected TFRecords") from error
    except OSError as error:
        raise unreadable(str(file), error) from error


def _places(mapped: mmap.mmap, file: pathlib.Path) -> list[tuple[int, int]]:
    try:
        return list(record_places(mapped))
    except ValueError as error:
        raise OSError(f"{file}: {error}") from error


def _image_of(features: dict[str, list[Any]]) -> np.ndarray | memoryview:
    """Pixels, uint8 [H,W,C], or an image file."""
    if "data" in features and "shape" in features:
        (data,), shape = features["data"], features["shape"]
        if len(shape) != 3 or shape[0] not in (1, 3, 4) or len(data) != np.prod(shape) or 0 in shape:
            raise ValueError(f"found {len(data)} bytes for the shape {shape}, expected 1, 3 or 4 x H x W")
        return np.frombuffer(data, np.uint8).reshape(shape).transpose(1, 2, 0)
    for name in _ENCODED:
        if features.get(name) and isinstance(features[name][0], memoryview):
            return features[name][0]
    found = ", ".join(features) or "nothing"
    raise ValueError(f"found a record with {found} in it, expected data and shape, or an image file")


def _label_array(file: pathlib.Path, count: int) -> Labels:
    """Labels as StyleGAN2-ADA keeps them, float32 [N,L]; rows with a single one are classes."""
    try:
        values = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{file}: found no array, expected a NumPy file of labels") from error
    except OSError as error:
        raise unreadable(str(file), error) from error
    if values.ndim == 1 and values.dtype.kind in "iu" and len(values) == count:
        return class_labels(values)
    if values.ndim != 2 or len(values) != count or values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise ValueError(
            f"{file}: found {values.dtype} labels of shape {list(values.shape)}, expected a row of finite numbers for "
            f"each of {count} images"
        )
    values = values.astype(np.float32)
    if values.shape[1] and ((values == 1).sum(1) == 1).all() and ((values != 0).sum(1) == 1).all():
        return Labels(values.argmax(1), values.shape[1])
    return Labels(values)
