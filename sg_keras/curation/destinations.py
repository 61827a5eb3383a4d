"""Where images go: a zip file, a folder, TFRecords or an LMDB, all of which training reads.

Everything is written beside its place. What `add` returns and `flush` has made safe is enough to go on from there in
another process; what was written after that is cut off. The bytes at the end are the same either way.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import zipfile
from collections.abc import Sequence
from typing import IO, Any, Protocol

import numpy as np

from sg_keras.data.label_file import LABEL_FILE
from sg_keras.data.tfrecord_source import LABELS_SUFFIX
from sg_keras.files.errors import PARTIAL

_DATE = (1980, 1, 1, 0, 0, 0)  # the first that zip files know: bytes must not depend on the clock
_ATTRIBUTES = 0o644 << 16
_SHARD_BYTES = 2**28
_FIRST_MAP_BYTES = 2**26
_FOREIGN = (".tar", ".gz", ".tgz", ".7z", ".rar", ".npz", ".npy", ".h5", ".hdf5", ".parquet")

Receipt = list[Any]  # JSON


class Destination(Protocol):
    """Takes images in their order."""

    def add(self, name: str, content: bytes) -> Receipt:
        """Write an image."""

    def flush(self) -> None:
        """All that was added can be gone on from."""

    def finish(self, labels: Sequence[Any] | None, dataset_json: bytes) -> None:
        """Write labels (one of each image, None = there are none) and what was done, and take the place."""

    def close(self) -> None:
        """Release files; what is there stays for another process to go on from."""


def destination_kind(path: pathlib.Path) -> str:
    """zip, tfrecords, lmdb or folder, by the name. ValueError: it is that of something else."""
    ending = path.suffix.lower()
    if ending in _FOREIGN:
        raise ValueError(f"{path}: found the ending {ending}, expected .zip, .tfrecords, .lmdb, or a folder's name")
    return ending[1:] if ending in (".zip", ".tfrecords", ".lmdb") else "folder"


def partial_path(path: pathlib.Path) -> pathlib.Path:
    """Where a destination is written before it takes its place."""
    return path.with_name(PARTIAL + path.name)


def open_destination(path: pathlib.Path, receipts: Sequence[Receipt], side: int) -> Destination:
    """The destination for a path, behind what the receipts are for; without any, anew.

    Args:
        path: which nothing has yet.
        receipts: of all images that were written.
        side: of the images, the longer one in pixels.

    Raises:
        OSError: it cannot be written, or what the receipts are for is not there.
    """
    if not receipts:
        discard_partial(path)
    kind = destination_kind(path)
    if kind == "zip":
        return _Zip(path, receipts)
    if kind == "tfrecords":
        return _TFRecords(path, receipts, side)
    return _LMDB(path) if kind == "lmdb" else _Folder(path)


def discard_partial(path: pathlib.Path) -> None:
    """Remove what was written for a destination that has not taken its place."""
    partial = partial_path(path)
    if partial.is_dir():
        shutil.rmtree(partial)
    else:
        partial.unlink(missing_ok=True)


class _Zip:
    """Stored members with a fixed date."""

    def __init__(self, path: pathlib.Path, receipts: Sequence[Receipt]) -> None:
        self._path, self._partial = path, partial_path(path)
        end = sum(receipts[-1][3:]) if receipts else 0
        self._file = _opened_at(self._partial, end)
        # Given a file, zipfile starts where that stands.
        self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        for name, size, checksum, offset, _ in receipts:
            member = _member(name)
            member.file_size = member.compress_size = size
            member.CRC, member.header_offset = checksum, offset
            self._archive.filelist.append(member)
            self._archive.NameToInfo[name] = member

    def add(self, name: str, content: bytes) -> Receipt:
        start = self._file.tell()
        member = _member(name)
        self._archive.writestr(member, content)
        return [name, len(content), member.CRC, start, self._file.tell() - start]

    def flush(self) -> None:
        self._file.flush()

    def finish(self, labels: Sequence[Any] | None, dataset_json: bytes) -> None:
        self._archive.writestr(_member(LABEL_FILE), dataset_json)
        self._archive.close()
        self._file.close()
        _take_place(self._partial, self._path)

    def close(self) -> None:
        self._archive.fp = None  # no directory of what is not complete
        self._file.close()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _DATE)
    member.external_attr, member.create_system = _ATTRIBUTES, 3
    return member


class _Folder:
    """A file for each image."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path, self._partial = path, partial_path(path)
        self._partial.mkdir(exist_ok=True)

    def add(self, name: str, content: bytes) -> Receipt:
        file = self._partial / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        return []

    def flush(self) -> None:
        pass

    def finish(self, labels: Sequence[Any] | None, dataset_json: bytes) -> None:
        (self._partial / LABEL_FILE).write_bytes(dataset_json)
        _take_place(self._partial, self._path)

    def close(self) -> None:
        pass


class _TFRecords:
    """A folder of NAME-rNN.tfrecords, in shards if it is large, with NAME-rxx.labels: StyleGAN2-ADA's layout."""

    def __init__(self, path: pathlib.Path, receipts: Sequence[Receipt], side: int) -> None:
        self._path, self._partial = path, partial_path(path)
        self._partial.mkdir(exist_ok=True)
        self._level = max(side - 1, 0).bit_length()
        last: Receipt = receipts[-1] if receipts else [0, 0]
        self._shard, end = int(last[0]), int(last[1])
        for file in self._partial.iterdir():
            if file.name > self._shard_file(self._shard).name:
                file.unlink()
        self._file = _opened_at(self._shard_file(self._shard), end)

    def add(self, name: str, content: bytes) -> Receipt:
        if self._file.tell() and self._file.tell() + len(content) > _SHARD_BYTES:
            self._file.close()
            self._shard += 1
            self._file = _opened_at(self._shard_file(self._shard), 0)
        self._file.write(content)
        return [self._shard, self._file.tell()]

    def flush(self) -> None:
        self._file.flush()

    def finish(self, labels: Sequence[Any] | None, dataset_json: bytes) -> None:
        self._file.close()
        stem, count = self._path.stem, self._shard + 1
        for shard in range(count):
            part = f"-{shard:05d}-of-{count:05d}" if count > 1 else ""
            self._shard_file(shard).rename(self._partial / f"{stem}-r{self._level:02d}{part}.tfrecords")
        if labels is not None:
            with (self._partial / f"{stem}-rxx{LABELS_SUFFIX}").open("wb") as file:
                np.save(file, _label_rows(labels), allow_pickle=False)
        (self._partial / LABEL_FILE).write_bytes(dataset_json)
        _take_place(self._partial, self._path)

    def close(self) -> None:
        self._file.close()

    def _shard_file(self, shard: int) -> pathlib.Path:
        return self._partial / f"shard-{shard:05d}"


def _label_rows(labels: Sequence[Any]) -> np.ndarray:
    """float32 [N,L], one-hot for classes."""
    if not isinstance(labels[0], int):
        return np.array(labels, np.float32)
    rows = np.zeros((len(labels), max(labels) + 1), np.float32)
    rows[np.arange(len(labels)), labels] = 1
    return rows


class _LMDB:
    """Image files by name, and dataset.json among them."""

    def __init__(self, path: pathlib.Path) -> None:
        try:
            import lmdb
        except ImportError as error:
            raise ValueError(
                f"{path}: found no package lmdb to write it with, expected it: pip install 'sg-keras[lmdb]'"
            ) from error
        self._path, self._partial = path, partial_path(path)
        self._partial.mkdir(exist_ok=True)
        (self._partial / "growing").mkdir(exist_ok=True)
        self._errors = (lmdb.Error,)
        self._full = lmdb.MapFullError
        # Not synchronised: what counts is that another process sees it, not that it survives a power cut.
        self._lmdb = lmdb.open(
            str(self._partial / "growing"), map_size=_FIRST_MAP_BYTES, sync=False, metasync=False, lock=False
        )
        self._waiting: list[tuple[bytes, bytes]] = []

    def add(self, name: str, content: bytes) -> Receipt:
        self._waiting.append((name.encode("utf-8", "surrogateescape"), content))
        return []

    def flush(self) -> None:
        while self._waiting:
            try:
                with self._lmdb.begin(write=True) as transaction:
                    for key, value in self._waiting:
                        transaction.put(key, value)
                self._waiting.clear()
            except self._full:
                self._lmdb.set_mapsize(2 * self._lmdb.info()["map_size"])
            except self._errors as error:
                raise OSError(
                    f"{self._path}: found that it cannot be written ({error}), expected space left"
                ) from error

    def finish(self, labels: Sequence[Any] | None, dataset_json: bytes) -> None:
        self.add(LABEL_FILE, dataset_json)
        self.flush()
        # Page by page in the order of the keys: the same bytes, whatever was written when.
        self._lmdb.copy(str(self._partial), compact=True)
        self._lmdb.close()
        shutil.rmtree(self._partial / "growing")
        _take_place(self._partial, self._path)

    def close(self) -> None:
        self._lmdb.close()


def _opened_at(path: pathlib.Path, end: int) -> IO[bytes]:
    """A file to write on from an offset; what is behind it is cut off."""
    file = path.open("r+b" if end else "wb")
    if file.seek(0, os.SEEK_END) < end:
        file.close()
        raise OSError(f"{path}: found fewer bytes than were written, expected {end}")
    file.truncate(end)
    file.seek(end)
    return file


def _take_place(partial: pathlib.Path, path: pathlib.Path) -> None:
    refuse_existing(path)
    partial.rename(path)


def refuse_existing(path: pathlib.Path) -> None:
    """Raise a FileExistsError of one line where there is something already."""
    if path.exists() or path.is_symlink():
        raise FileExistsError(f"{path}: found it there already, expected a new name: move it away, or choose another")
