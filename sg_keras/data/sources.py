"""Where encoded images come from: a folder, or a zip file that is read through a memory map."""

from __future__ import annotations

import collections
import mmap
import os
import pathlib
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from sg_keras.data.zip_directory import read_zip_directory
from sg_keras.files.errors import explain_file_error

_IMAGE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg"))
_SYSTEM_FILES = ("Thumbs.db", "thumbs.db", "desktop.ini", "Desktop.ini")
_SYSTEM_NAMES = frozenset(("__MACOSX", *_SYSTEM_FILES))
_TAIL_BYTES = 12
_MEMBER_HEADER_BYTES = 30  # before the name
_INFLATE_SLACK = 512  # deflate may carry its code tables before the first bytes


class Ends(NamedTuple):
    """The first and last bytes of a file, and its size."""

    head: bytes
    tail: bytes | None  # None where getting there means inflating it all
    size: int


class ImageSource(Protocol):
    """Encoded images in a fixed order. Safe to read from several threads."""

    path: str
    names: list[str]  # of the images, sorted, relative to `path`, with forward slashes
    other_names: list[str]  # of the files beside them, hidden ones apart
    has_checksums: bool  # whether `checksum` costs nothing

    def where(self, index: int) -> str:
        """Name of an image for messages."""

    def read(self, index: int) -> bytes:
        """The whole encoded image. OSError, one line that names it, if it cannot be read."""

    def ends(self, index: int, head_bytes: int) -> Ends:
        """The first `head_bytes`, the last 12 bytes and the size. OSError as of `read`."""

    def checksum(self, index: int) -> int:
        """CRC-32 of the whole encoded image. OSError as of `read`."""

    def read_other(self, name: str) -> bytes:
        """A file of `other_names`. OSError as of `read`."""

    def close(self) -> None:
        """Release files. The source cannot be read afterwards."""


def open_source(path: str) -> ImageSource:
    """Open a folder or zip file of PNG and JPEG files.

    Hidden files and folders (name starts with a dot), macOS's __MACOSX, and Windows's Thumbs.db and desktop.ini are
    left out.

    Raises:
        OSError: Path missing or unreadable; zip truncated or damaged.
        ValueError: Neither folder nor zip, or no images in it.
    """
    if not pathlib.Path(path).exists():
        raise FileNotFoundError(f"{path}: found nothing there, expected a folder or zip file of images, or 'digits'")
    return FolderSource(path) if pathlib.Path(path).is_dir() else ZipSource(path)


class FolderSource:
    """PNG and JPEG files in a folder and all folders below it; links are followed."""

    has_checksums = False

    def __init__(self, path: str) -> None:
        self.path = path
        self.names, self.other_names = _select_images(_walk(path), path)

    def where(self, index: int) -> str:
        return str(pathlib.Path(self.path, self.names[index]))

    def read(self, index: int) -> bytes:
        return self.read_other(self.names[index])

    def ends(self, index: int, head_bytes: int) -> Ends:
        try:
            with pathlib.Path(self.path, self.names[index]).open("rb", buffering=0) as file:
                head = file.read(head_bytes)
                size = file.seek(0, os.SEEK_END)
                file.seek(max(size - _TAIL_BYTES, 0))
                return Ends(head, file.read(_TAIL_BYTES), size)
        except OSError as error:
            raise _unreadable(self.where(index), error) from error

    def checksum(self, index: int) -> int:
        return zlib.crc32(self.read(index))

    def read_other(self, name: str) -> bytes:
        try:
            return pathlib.Path(self.path, name).read_bytes()
        except OSError as error:
            raise _unreadable(str(pathlib.Path(self.path, name)), error) from error

    def close(self) -> None:
        pass


class ZipSource:
    """PNG and JPEG members of a zip file, by member offset from a memory map.

    `zipfile` reads the directory once (zip64 too); it takes a lock for every read of a member, the memory map needs
    none. Stored members are one copy, deflated ones are inflated; check sums are compared.
    """

    has_checksums = True

    def __init__(self, path: str) -> None:
        self.path = path
        self._members = read_zip_directory(path)
        self.names, self.other_names = _select_images(self._members, path)
        with pathlib.Path(path).open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def where(self, index: int) -> str:
        return f"{self.path}/{self.names[index]}"

    def read(self, index: int) -> bytes:
        return self.read_other(self.names[index])

    def ends(self, index: int, head_bytes: int) -> Ends:
        member = self._members[self.names[index]]
        if member.compress_type != zipfile.ZIP_STORED:
            return Ends(self._inflate_head(member, head_bytes), None, member.file_size)
        start = self._data_offset(member)
        end = start + member.compress_size
        head, tail = self._map[start : min(end, start + head_bytes)], self._map[max(start, end - _TAIL_BYTES) : end]
        return Ends(head, tail, member.file_size)

    def checksum(self, index: int) -> int:
        return self._members[self.names[index]].CRC

    def read_other(self, name: str) -> bytes:
        return self._read_member(self._members[name])

    def close(self) -> None:
        self._map.close()

    def _inflate_head(self, member: zipfile.ZipInfo, head_bytes: int) -> bytes:
        start = self._data_offset(member)
        compressed = self._map[start : start + min(member.compress_size, head_bytes + _INFLATE_SLACK)]
        try:
            return zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(compressed, head_bytes)
        except zlib.error as error:
            raise self._damaged(member, f"damaged compressed data ({error})") from error

    def _read_member(self, member: zipfile.ZipInfo) -> bytes:
        start = self._data_offset(member)
        data = self._map[start : start + member.compress_size]
        if member.compress_type == zipfile.ZIP_DEFLATED:
            try:
                data = zlib.decompress(data, wbits=-zlib.MAX_WBITS)
            except zlib.error as error:
                raise self._damaged(member, f"damaged compressed data ({error})") from error
        if len(data) != member.file_size or zlib.crc32(data) != member.CRC:
            raise self._damaged(member, "a wrong check sum")
        return data

    def _data_offset(self, member: zipfile.ZipInfo) -> int:
        """Offset of a member's data. The local header's own name and extra field lengths count, not the directory's."""
        if self._map.size() < len(self._map):  # size() asks for the file's size now
            # Reading pages that are gone would kill the process with SIGBUS, without a word.
            raise OSError(
                f"{self.path}: found that the zip file was cut short while it was in use, "
                f"expected {len(self._map)} bytes"
            )
        header = self._map[max(member.header_offset, 0) : member.header_offset + _MEMBER_HEADER_BYTES]
        if member.header_offset < 0 or len(header) < _MEMBER_HEADER_BYTES or header[:4] != b"PK\x03\x04":
            raise self._damaged(member, "no member header at its offset")
        name_length, extra_length = struct.unpack_from("<HH", header, 26)
        start = member.header_offset + _MEMBER_HEADER_BYTES + name_length + extra_length
        if start + member.compress_size > len(self._map):
            raise self._damaged(member, "that its data reaches beyond the end of the zip file")
        return start

    def _damaged(self, member: zipfile.ZipInfo, found: str) -> OSError:
        return OSError(f"{self.path}/{member.filename}: found {found}, expected an intact zip member")


def _walk(path: str) -> Iterable[str]:
    visited = set()
    for folder, subfolders, files in os.walk(path, followlinks=True, onerror=_raise_unreadable):
        real = os.path.realpath(folder)
        if real in visited:  # a link back up
            subfolders.clear()
            continue
        visited.add(real)
        subfolders.sort()  # which of two links to one folder counts must not depend on the file system's order
        relative = os.path.relpath(folder, path)
        for file in files:
            yield file if relative == os.curdir else f"{relative}/{file}"


def _select_images(names: Iterable[str], path: str) -> tuple[list[str], list[str]]:
    """Images and other files, both sorted; hidden ones are in neither."""
    images: list[str] = []
    others: list[str] = []
    for name in names:
        if not is_hidden(name):
            (images if suffix(name).lower() in _IMAGE_SUFFIXES else others).append(name)
    if not images:
        found = count_by_suffix(others) or "no files"
        raise ValueError(f"{path}: found no images ({found}), expected .png, .jpg or .jpeg files")
    return sorted(images), sorted(others)


def count_by_suffix(names: Iterable[str]) -> str:
    """How many files of which kind, the three most frequent ones: "30 .webp, 2 .txt"."""
    counts = collections.Counter(suffix(name).lower() or name for name in names)
    rest = sum(counts.values()) - sum(count for _, count in counts.most_common(3))
    kinds = [f"{count} {kind}" for kind, count in counts.most_common(3)]
    return ", ".join([*kinds, *([f"{rest} more"] if rest else [])])


def suffix(name: str) -> str:
    """The ending of a file name, with its dot."""
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return dot + ending if stem else ""


def is_hidden(name: str) -> bool:
    """Whether a file, or a folder on the way to it, is hidden or of an operating system's own."""
    if "/." not in name and not name.startswith((".", "_")) and "/_" not in name and not name.endswith(_SYSTEM_FILES):
        return False  # nearly all: 100,000 names have to be quick
    return any(part in _SYSTEM_NAMES or (part.startswith(".") and part not in (".", "..")) for part in name.split("/"))


def _unreadable(where: str | None, error: OSError) -> OSError:
    return OSError(explain_file_error(error, where))


def _raise_unreadable(error: OSError) -> None:
    raise _unreadable(error.filename, error) from error
