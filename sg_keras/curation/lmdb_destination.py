"""Images as an LMDB, with the same bytes each time."""

from __future__ import annotations

import mmap
import pathlib
import shutil
import struct
from collections.abc import Sequence
from typing import Any

from sg_keras.curation.partial_files import Receipt, partial_path, take_place
from sg_keras.data.label_file import LABEL_FILE

_FIRST_MAP_BYTES = 2**26
_GROWING, _DATA_FILE = "growing", "data.mdb"
_HEADER = 16  # of a page: its flags at 10; where offsets of nodes end, and where nodes begin, at 12
_BRANCH, _LEAF, _OVERFLOW = 1, 2, 4
_BIG = 1  # flag of a node whose value is in overflow pages


class LMDBDestination:
    """Image files by name, and dataset.json among them."""

    def __init__(self, path: pathlib.Path, receipts: Sequence[Receipt]) -> None:
        try:
            import lmdb
        except ImportError as error:
            raise ValueError(
                f"{path}: found no package lmdb to write it with, expected it: pip install 'sg-keras[lmdb]'"
            ) from error
        self._path, self._partial = path, partial_path(path)
        self._partial.mkdir(exist_ok=True)
        (self._partial / _GROWING).mkdir(exist_ok=True)
        self._errors = (lmdb.Error,)
        self._full = lmdb.MapFullError
        # Not synchronised: what counts is that another process sees it, not that it survives a power cut.
        self._lmdb = lmdb.open(
            str(self._partial / _GROWING), map_size=_FIRST_MAP_BYTES, sync=False, metasync=False, lock=False
        )
        self._waiting: list[tuple[bytes, bytes]] = []
        if self._lmdb.stat()["entries"] < len(receipts):
            self._lmdb.close()
            raise FileNotFoundError(f"{self._partial}: found fewer images than were written, expected {len(receipts)}")

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
        page_bytes = self._lmdb.stat()["psize"]
        # Page by page in the order of the keys: the same pages, whatever was written when.
        (self._partial / _DATA_FILE).unlink(missing_ok=True)  # of a process that came as far
        self._lmdb.copy(str(self._partial), compact=True)
        self._lmdb.close()
        clear_unused(self._partial / _DATA_FILE, page_bytes)
        shutil.rmtree(self._partial / _GROWING)
        take_place(self._partial, self._path)

    def close(self) -> None:
        self._lmdb.close()


def clear_unused(path: pathlib.Path, page_bytes: int) -> None:
    """Clear the bytes of a compact LMDB that mean nothing: behind nodes of odd length, and between them and offsets.

    LMDB leaves there what was in memory. The layout of pages is that of its data format 1.
    """
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as pages:
        start = 2 * page_bytes  # behind the two that describe the whole
        while start < len(pages):
            flags, lower, upper = struct.unpack_from("<HHH", pages, start + 10)
            if flags & _OVERFLOW:
                start += page_bytes * (lower | upper << 16)
                continue
            if flags & (_BRANCH | _LEAF):
                pages[start + lower : start + upper] = bytes(upper - lower)
                for place in struct.unpack_from(f"<{(lower - _HEADER) // 2}H", pages, start + _HEADER):
                    _clear_behind(pages, start + place, bool(flags & _LEAF))
            start += page_bytes


def _clear_behind(pages: mmap.mmap, node: int, is_leaf: bool) -> None:
    low, high, flags, key_bytes = struct.unpack_from("<4H", pages, node)
    value_bytes = (8 if flags & _BIG else low | high << 16) if is_leaf else 0
    end = node + 8 + key_bytes + value_bytes
    if (end - node) % 2:
        pages[end] = 0
