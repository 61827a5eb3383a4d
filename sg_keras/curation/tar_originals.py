"""Images in tar archives. A compressed one is unpacked once to a temporary file, as it cannot be read in parts."""

from __future__ import annotations

import bz2
import collections
import contextlib
import gzip
import lzma
import pathlib
import tarfile
import tempfile
import zlib
from typing import IO, Any

from sg_keras.curation.decode import original_suffixes
from sg_keras.curation.original_source import OwnLabels, duplicate_names, unsafe_names
from sg_keras.data.image_source import count_by_suffix, is_hidden, suffix, unreadable_source
from sg_keras.data.label_file import is_label_file

_OPENERS: dict[str, Any] = {".gz": gzip.open, ".tgz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_MAX_MEMBER_BYTES = 2**30
_CHUNK = 1 << 20
_DAMAGES = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError)
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


class TarFile:
    """Members of a tar archive by name, read in any order.

    Attributes:
        members: those that are files; of several of one name the last.
        counts: how many members have each name.
        num_links: members that are links or devices, which are never read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        with contextlib.ExitStack() as stack:
            try:
                self._file = stack.enter_context(_opened(path))
                self._archive = stack.enter_context(tarfile.TarFile(fileobj=self._file))
                members = self._archive.getmembers()
            except _DAMAGES as error:
                raise unreadable_source(path, error, "an intact tar archive") from error
            self._release = stack.pop_all()
        self.members = {member.name.removeprefix("./"): member for member in members if member.isreg()}
        self.counts = collections.Counter(member.name.removeprefix("./") for member in members if member.isreg())
        self.num_links = sum(not member.isreg() and not member.isdir() for member in members)

    def read(self, name: str, count: int | None = None) -> bytes:
        """A member, or its first bytes. OSError, one line, where it cannot be read."""
        member = self.members[name]
        if member.size > _MAX_MEMBER_BYTES:
            raise OSError(f"{self.path}/{name}: found {member.size} bytes, expected {_MAX_MEMBER_BYTES} at most")
        wanted = member.size if count is None else min(count, member.size)
        try:
            if member.issparse():
                extracted = self._archive.extractfile(member)
                data = extracted.read(wanted) if extracted is not None else b""
            else:
                self._file.seek(member.offset_data)
                data = self._file.read(wanted)
        except _DAMAGES as error:
            raise OSError(f"{self.path}/{name}: found it unreadable ({error}), expected an intact archive") from error
        if len(data) < wanted:
            raise OSError(f"{self.path}/{name}: found that the archive ends within it, expected a complete archive")
        return data

    def close(self) -> None:
        """Release files."""
        self._release.close()


class TarOriginals:
    """Images of a tar archive, in the order of their names."""

    def __init__(self, archive: TarFile) -> None:
        self._archive = archive
        self.path = archive.path
        names = [name for name in archive.members if not is_hidden(name)]
        self.names = sorted(name for name in names if suffix(name).lower() in original_suffixes())
        self.other_names = sorted(set(names) - set(self.names))
        self.refused = unsafe_names(self.names)
        if not self.names:
            found = count_by_suffix(self.other_names) or "no files"
            raise ValueError(f"{self.path}: found no images ({found}), expected some")
        others = [name for name in self.other_names if not is_label_file(name)]
        self.notes = duplicate_names(self.path, archive.counts)
        if others:
            self.notes.append(f"{self.path}: files that are no images are left out ({count_by_suffix(others)})")
        if archive.num_links:
            self.notes.append(f"{self.path}: links and devices are left out ({archive.num_links})")

    def read(self, index: int) -> bytes:
        return self._archive.read(self.names[index])

    def head(self, index: int, count: int) -> bytes:
        return self._archive.read(self.names[index], count)

    def read_other(self, name: str) -> bytes:
        return self._archive.read(name)

    def own_labels(self) -> OwnLabels | None:
        return None

    def close(self) -> None:
        self._archive.close()


def _opened(path: str) -> IO[bytes]:
    opener = _OPENERS.get(pathlib.PurePath(path).suffix)
    if opener is None:
        return pathlib.Path(path).open("rb")
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the archive
    try:
        with opener(path, "rb") as packed:
            while chunk := packed.read(_CHUNK):
                unpacked.write(chunk)
    except BaseException:
        unpacked.close()
        raise
    unpacked.seek(0)
    return unpacked
