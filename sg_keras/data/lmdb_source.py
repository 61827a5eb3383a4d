"""Encoded images in an LMDB: ours (values by file name), LSUN's (by any key), and those with keys such as 256-00042."""

from __future__ import annotations

import contextlib
import pathlib
import re
import weakref
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from sg_keras.data.image_source import TAIL_BYTES, Ends, suffix
from sg_keras.files.errors import explain_file_error
from sg_keras.files.optional import optional_package

_DATA_FILE = "data.mdb"
_NUMBERED = re.compile(r"([0-9]+)-([0-9]{5,})")  # size and index
_COUNTS = ("length", "num-samples", "__len__", "__keys__")  # entries about the others
_OTHER_SUFFIXES = (".json", ".txt", ".csv")


def is_lmdb(path: str) -> bool:
    """Whether there is an LMDB at a path: a folder with data.mdb, or such a file."""
    place = pathlib.Path(path)
    return (place / _DATA_FILE).is_file() or (place.suffix in (".mdb", ".lmdb") and place.is_file())


class LMDBSource:
    """Images of an LMDB by key. Of images in several sizes (keys such as 256-00042) the largest count."""

    has_checksums = False
    is_mapped = True

    def __init__(self, path: str) -> None:
        self.path = path
        self._environment: _Environment | None = _Environment.of(path)
        keys = [key.decode("utf-8", "surrogateescape") for key in self._environment.all_keys()]
        self.names, self.other_names = _select(keys)
        if not self.names:
            self.close()
            raise ValueError(f"{path}: found no images in it ({len(keys)} entries), expected encoded images by key")

    def where(self, index: int) -> str:
        return f"{self.path}/{self.names[index]}"

    def read(self, index: int) -> bytes:
        return self.read_other(self.names[index])

    def ends(self, index: int, head_bytes: int) -> Ends:
        with self._value(self.names[index]) as value:
            return Ends(bytes(value[:head_bytes]), bytes(value[-TAIL_BYTES:]), len(value))

    def checksum(self, index: int) -> int:
        with self._value(self.names[index]) as value:
            return zlib.crc32(value)

    def read_other(self, name: str) -> bytes:
        with self._value(name) as value:
            return bytes(value)

    def close(self) -> None:
        self._environment = None

    @contextlib.contextmanager
    def _value(self, name: str) -> Iterator[Any]:
        if self._environment is None:
            raise OSError(f"{self.path}: found it closed, expected an open data set")
        with self._environment.value(name.encode("utf-8", "surrogateescape")) as value:
            if value is None:
                raise OSError(f"{self.path}/{name}: found nothing under this key any more, expected an image")
            yield value


class _Environment:
    """An open LMDB. A process may open each but once, so that all who read it share one of these."""

    def __init__(self, path: str) -> None:
        lmdb = optional_package("lmdb", "lmdb", path)
        self._errors = lmdb.Error
        self._path = path
        try:
            self._lmdb = lmdb.open(
                path, subdir=pathlib.Path(path).is_dir(), readonly=True, lock=False, readahead=False, max_spare_txns=8
            )
        except lmdb.Error as error:
            raise OSError(
                f"{path}: found an LMDB that cannot be opened ({explain_file_error(error)}), expected one"
            ) from error
        weakref.finalize(self, self._lmdb.close)

    @classmethod
    def of(cls, path: str) -> _Environment:
        """The environment at a path."""
        key = str(pathlib.Path(path).resolve())
        found = _OPENED.get(key)
        if found is None:
            found = _OPENED[key] = cls(path)
        return found

    def all_keys(self) -> list[bytes]:
        """All keys in their order."""
        try:
            with self._lmdb.begin() as transaction:
                return [bytes(key) for key in transaction.cursor().iternext(values=False)]
        except self._errors as error:
            raise self._damaged(error) from error

    @contextlib.contextmanager
    def value(self, key: bytes) -> Iterator[Any]:
        """Within, the memory of a value; None where there is none."""
        try:
            with self._lmdb.begin(buffers=True) as transaction:
                yield transaction.get(key)
        except self._errors as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> OSError:
        return OSError(f"{self._path}: found a damaged LMDB ({error}), expected an intact one")


_OPENED: weakref.WeakValueDictionary[str, _Environment] = weakref.WeakValueDictionary()


def _select(keys: Iterable[str]) -> tuple[list[str], list[str]]:
    """Names of images in their order, and of files beside them."""
    images: list[str] = []
    others: list[str] = []
    for key in keys:
        if key not in _COUNTS:
            (others if suffix(key) in _OTHER_SUFFIXES else images).append(key)
    numbered = [_NUMBERED.fullmatch(key) for key in images]
    if images and all(numbered):
        pairs = [(int(match.group(1)), int(match.group(2)), match.group()) for match in numbered if match]
        largest = max(size for size, _, _ in pairs)
        return [key for size, _, key in sorted(pairs) if size == largest], sorted(others)
    return sorted(images), sorted(others)
