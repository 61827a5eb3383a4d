"""Where images go: a zip file, a folder, TFRecords or an LMDB, all of which training reads.

Everything is written beside its place. What `add` returns and `flush` has made safe is enough to go on from there in
another process; what was written after that is cut off. The bytes at the end are the same either way.
"""

from __future__ import annotations

import pathlib
import zipfile
from collections.abc import Sequence
from typing import Any, Protocol

from sg_keras.curation.lmdb_destination import LMDBDestination
from sg_keras.curation.partial_files import Receipt, discard_partial, opened_at, partial_path, take_place
from sg_keras.curation.tfrecord_destination import TFRecordDestination
from sg_keras.data.label_file import LABEL_FILE

_DATE = (1980, 1, 1, 0, 0, 0)  # the first that zip files know: bytes must not depend on the clock
_ATTRIBUTES = 0o644 << 16
_FOREIGN = (".tar", ".gz", ".tgz", ".7z", ".rar", ".npz", ".npy", ".h5", ".hdf5", ".parquet")


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
        return TFRecordDestination(path, receipts, side)
    return LMDBDestination(path, receipts) if kind == "lmdb" else _Folder(path, receipts)


class _Zip:
    """Stored members with a fixed date."""

    def __init__(self, path: pathlib.Path, receipts: Sequence[Receipt]) -> None:
        self._path, self._partial = path, partial_path(path)
        end = sum(receipts[-1][3:]) if receipts else 0
        self._file = opened_at(self._partial, end)
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
        take_place(self._partial, self._path)

    def close(self) -> None:
        self._archive.fp = None  # no directory of what is not complete
        self._file.close()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _DATE)
    member.external_attr, member.create_system = _ATTRIBUTES, 3
    return member


class _Folder:
    """A file for each image."""

    def __init__(self, path: pathlib.Path, receipts: Sequence[Receipt]) -> None:
        self._path, self._partial = path, partial_path(path)
        self._partial.mkdir(exist_ok=True)
        for name, size in receipts:
            if (self._partial / name).stat().st_size != size:
                raise FileNotFoundError(f"{self._partial / name}: found another size, expected {size} bytes")

    def add(self, name: str, content: bytes) -> Receipt:
        file = self._partial / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        return [name, len(content)]

    def flush(self) -> None:
        pass

    def finish(self, labels: Sequence[Any] | None, dataset_json: bytes) -> None:
        (self._partial / LABEL_FILE).write_bytes(dataset_json)
        take_place(self._partial, self._path)

    def close(self) -> None:
        pass
