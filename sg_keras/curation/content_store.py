"""Small results, each known by the content that it follows from, in blocks, for any process that asks again.

A block is a file that is there as a whole or not at all, under a name that follows from its keys. So processes may use
a folder at the same time: what two of them find out is in there twice, and the same.
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import pathlib
import zipfile
import zlib

import numpy as np

from sg_keras.files.atomic import atomic_shared_file
from sg_keras.files.cache import cache_errors_explained, prepare_cache
from sg_keras.files.errors import PARTIAL

#: Results of a block: a killed process loses fewer than so many.
BLOCK = 128
_LOADED = 4  # blocks in memory: what is asked for again comes in the order in which it was kept
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


class ContentStore:
    """Results by key in a folder; what is damaged there counts as missing.

    Args:
        folder: which is made; None = nothing is kept.
        block: results that are written at a time.

    Raises:
        OSError: the folder cannot be used; one line, also of `put` and `flush`.
    """

    def __init__(self, folder: pathlib.Path | None, block: int = BLOCK) -> None:
        self._folder, self._block = folder, block
        self._new: dict[bytes, bytes] = {}
        self._places: dict[bytes, pathlib.Path] = {}
        self._loaded: collections.OrderedDict[pathlib.Path, dict[bytes, bytes]] = collections.OrderedDict()
        if folder is None:
            return
        prepare_cache(folder)
        for path in sorted(folder.glob("*.npz")):
            if not path.name.startswith(PARTIAL):
                self._places.update(dict.fromkeys(_keys(path), path))

    def __contains__(self, key: str) -> bool:
        """Whether there is a result, as far as can be seen without reading it."""
        found = bytes.fromhex(key)
        return found in self._new or found in self._places

    def get(self, key: str) -> bytes | None:
        """The result of a key, 64 hexadecimal digits; None where there is none."""
        found = bytes.fromhex(key)
        if found in self._new:
            return self._new[found]
        path = self._places.get(found)
        return None if path is None else self._content(path).get(found)

    def put(self, key: str, value: bytes) -> None:
        """Keep a result, unless there is one."""
        if self._folder is None or key in self:
            return
        self._new[bytes.fromhex(key)] = value
        if len(self._new) >= self._block:
            self.flush()

    def flush(self) -> None:
        """Write what is new."""
        if self._folder is None or not self._new:
            return
        keys, values = list(self._new), list(self._new.values())
        path = self._folder / f"{hashlib.sha256(b''.join(keys)).hexdigest()[:32]}.npz"
        arrays = {
            "keys": np.frombuffer(b"".join(keys), np.uint8).reshape([len(keys), -1]),
            "ends": np.cumsum([len(value) for value in values]),
            "values": np.frombuffer(b"".join(values), np.uint8),
        }
        with cache_errors_explained(self._folder), atomic_shared_file(path) as beside, beside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        self._loaded.pop(path, None)
        self._places.update(dict.fromkeys(keys, path))
        self._new.clear()

    def _content(self, path: pathlib.Path) -> dict[bytes, bytes]:
        if path not in self._loaded:
            self._loaded[path] = _read(path)
            while len(self._loaded) > _LOADED:
                self._loaded.popitem(last=False)
        found = self._loaded[path]
        if not found:  # its results are to be found anew, and take their place
            self._places = {key: place for key, place in self._places.items() if place != path}
        return found


def _keys(path: pathlib.Path) -> list[bytes]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return [key.tobytes() for key in arrays["keys"]]
    except _DAMAGED:
        return []


def _read(path: pathlib.Path) -> dict[bytes, bytes]:
    """Results by key; none of a damaged file, which is removed, as other blocks may have the same keys."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            keys, ends, values = arrays["keys"], arrays["ends"].tolist(), arrays["values"].tobytes()
    except OSError:
        return {}
    except _DAMAGED:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        return {}
    starts = [0, *ends[:-1]]
    return {key.tobytes(): values[start:end] for key, start, end in zip(keys, starts, ends, strict=True)}
