"""Encoded images in a zip file, which is read through a memory map."""

from __future__ import annotations

import mmap
import pathlib
import struct
import zipfile
import zlib

from sg_keras.data.image_source import IMAGE_SUFFIXES, TAIL_BYTES, Ends, select_images
from sg_keras.data.zip_directory import read_zip_directory

_MEMBER_HEADER_BYTES = 30  # before the name
_INFLATE_SLACK = 512  # deflate may carry its code tables before the first bytes
_MAX_MEMBER_BYTES = 2**30  # inflated: no image of Pillow's largest size needs more, and a zip bomb would


class ZipSource:
    """Image members of a zip file, by member offset from a memory map.

    `zipfile` reads the directory once (zip64 too); it takes a lock for every read of a member, the memory map needs
    none. Stored members are one copy, deflated ones are inflated; check sums are compared.

    Args:
        path: of the zip file.
        suffixes: endings of image files, in small letters.
    """

    has_checksums = True
    is_mapped = True

    def __init__(self, path: str, suffixes: frozenset[str] = IMAGE_SUFFIXES) -> None:
        self.path = path
        self._members = read_zip_directory(path)
        with pathlib.Path(path).open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self.names, self.other_names = select_images(self._members, path, suffixes, self.read_other)
        except (OSError, ValueError):
            self.close()
            raise

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
        head, tail = self._map[start : min(end, start + head_bytes)], self._map[max(start, end - TAIL_BYTES) : end]
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
        if member.file_size > _MAX_MEMBER_BYTES:
            raise OSError(
                f"{self.path}/{member.filename}: found a member of {member.file_size} bytes when inflated, expected "
                f"{_MAX_MEMBER_BYTES} at most (a zip bomb?)"
            )
        start = self._data_offset(member)
        data = self._map[start : start + member.compress_size]
        if member.compress_type == zipfile.ZIP_DEFLATED:
            try:
                # No more than the directory says, which a zip bomb may understate.
                data = zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(data, member.file_size + 1)
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
