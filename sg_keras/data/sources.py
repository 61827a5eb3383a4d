"""Where encoded pictures come from: a folder, or a zip file that is read through a memory map."""

from __future__ import annotations

import collections
import mmap
import os
import pathlib
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import Protocol

_IMAGE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg"))
_TAIL_BYTES = 12
_MEMBER_HEADER_BYTES = 30  # before the name
_INFLATE_SLACK = 512  # deflate may carry its code tables before the first bytes


class ImageSource(Protocol):
    """Encoded pictures in a fixed order. Safe to read from several threads."""

    path: str
    names: list[str]  # of the pictures, sorted, relative to `path`, with forward slashes

    def where(self, index: int) -> str:
        """Name of a picture for messages."""

    def read(self, index: int) -> bytes:
        """The whole encoded picture. OSError, one line that names it, if it cannot be read."""

    def ends(self, index: int, head_bytes: int) -> tuple[bytes, bytes | None]:
        """The first `head_bytes` and the last 12 bytes. The latter None where getting there means inflating it all."""

    def read_text(self, name: str) -> str | None:
        """A text file beside the pictures, None if there is none."""

    def close(self) -> None:
        """Release files. The source cannot be read afterwards."""


def open_source(path: str) -> ImageSource:
    """Open a folder or zip file of PNG and JPEG files.

    Hidden files and folders (name starts with a dot) and macOS's __MACOSX are left out.

    Raises:
        OSError: Path missing or unreadable; zip truncated or damaged.
        ValueError: Neither folder nor zip, or no pictures in it.
    """
    if not pathlib.Path(path).exists():
        raise FileNotFoundError(f"{path}: found nothing there, expected a folder or zip file of images, or 'digits'")
    return FolderSource(path) if pathlib.Path(path).is_dir() else ZipSource(path)


class FolderSource:
    """PNG and JPEG files in a folder and all folders below it; links are followed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.names = _select_images(_walk(path), path)

    def where(self, index: int) -> str:
        return str(pathlib.Path(self.path, self.names[index]))

    def read(self, index: int) -> bytes:
        try:
            return pathlib.Path(self.path, self.names[index]).read_bytes()
        except OSError as error:
            raise _unreadable(self.where(index), error) from error

    def ends(self, index: int, head_bytes: int) -> tuple[bytes, bytes | None]:
        try:
            with pathlib.Path(self.path, self.names[index]).open("rb", buffering=0) as file:
                head = file.read(head_bytes)
                size = file.seek(0, os.SEEK_END)
                file.seek(max(size - _TAIL_BYTES, 0))
                return head, file.read(_TAIL_BYTES)
        except OSError as error:
            raise _unreadable(self.where(index), error) from error

    def read_text(self, name: str) -> str | None:
        file = pathlib.Path(self.path, name)
        try:
            return file.read_text(encoding="utf-8-sig") if file.exists() else None
        except OSError as error:
            raise _unreadable(str(file), error) from error

    def close(self) -> None:
        pass


class ZipSource:
    """PNG and JPEG members of a zip file, by member offset from a memory map.

    `zipfile` reads the directory once (zip64 too); it takes a lock for every read of a member, the memory map needs
    none. Stored members are one copy, deflated ones are inflated; check sums are compared.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._members = _zip_directory(path)
        self.names = _select_images(self._members, path)
        with pathlib.Path(path).open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def where(self, index: int) -> str:
        return f"{self.path}/{self.names[index]}"

    def read(self, index: int) -> bytes:
        return self._read_member(self._members[self.names[index]])

    def ends(self, index: int, head_bytes: int) -> tuple[bytes, bytes | None]:
        member = self._members[self.names[index]]
        if member.compress_type != zipfile.ZIP_STORED:
            return self._inflate_head(member, head_bytes), None
        start = self._data_offset(member)
        end = start + member.compress_size
        return self._map[start : min(end, start + head_bytes)], self._map[max(start, end - _TAIL_BYTES) : end]

    def read_text(self, name: str) -> str | None:
        return self._read_member(self._members[name]).decode("utf-8-sig") if name in self._members else None

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


def _zip_directory(path: str) -> dict[str, zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: found a file name in it that is marked as UTF-8 and is none, expected an intact zip file, or the "
            "folder that it is unpacked to"
        ) from error
    except (zipfile.BadZipFile, struct.error, NotImplementedError) as error:
        if not path.lower().endswith(".zip"):
            raise ValueError(
                f"{path}: found a file that is not a zip, expected a folder or zip file of images, or 'digits'"
            ) from error
        size = pathlib.Path(path).stat().st_size
        raise OSError(
            f"{path}: found a truncated or damaged zip file of {size} bytes ({error}), expected a complete one"
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    for info in members.values():
        if info.flag_bits & 1:
            raise ValueError(f"{path}/{info.filename}: found an encrypted member, expected none")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(
                f"{path}/{info.filename}: found zip compression method {info.compress_type}, "
                "expected stored or deflated"
            )
    return members


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
            yield pathlib.PurePath(relative, file).as_posix()


def _select_images(names: Iterable[str], path: str) -> list[str]:
    visible = [name for name in names if not any(map(_is_hidden, name.split("/")))]
    images = sorted(name for name in visible if pathlib.PurePosixPath(name).suffix.lower() in _IMAGE_SUFFIXES)
    if not images:
        suffixes = collections.Counter(pathlib.PurePosixPath(name).suffix or name for name in visible)
        found = ", ".join(f"{count} {suffix}" for suffix, count in suffixes.most_common(3)) or "no files"
        raise ValueError(f"{path}: found no images ({found}), expected .png, .jpg or .jpeg files")
    return images


def _is_hidden(part: str) -> bool:
    return part == "__MACOSX" or (part.startswith(".") and part not in (".", ".."))


def _unreadable(where: str | None, error: OSError) -> OSError:
    return OSError(f"{where}: found an unreadable file ({error.strerror or error}), expected a readable one")


def _raise_unreadable(error: OSError) -> None:
    raise _unreadable(error.filename, error) from error
