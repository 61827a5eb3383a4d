"""Encoded images in a folder and the folders below it."""

from __future__ import annotations

import os
import pathlib
import zlib
from collections.abc import Iterable

from sg_keras.data.image_source import IMAGE_SUFFIXES, TAIL_BYTES, Ends, select_images, unreadable


class FolderSource:
    """Image files in a folder and all folders below it; links are followed.

    Args:
        path: of the folder.
        suffixes: endings of image files, in small letters.
    """

    has_checksums = False
    is_mapped = False

    def __init__(self, path: str, suffixes: frozenset[str] = IMAGE_SUFFIXES) -> None:
        self.path = path
        self.names, self.other_names = select_images(walk(path), path, suffixes, self._head)

    def _head(self, name: str) -> bytes:
        try:
            with pathlib.Path(self.path, name).open("rb") as file:
                return file.read(TAIL_BYTES)
        except OSError as error:
            raise unreadable(str(pathlib.Path(self.path, name)), error) from error

    def where(self, index: int) -> str:
        return str(pathlib.Path(self.path, self.names[index]))

    def read(self, index: int) -> bytes:
        return self.read_other(self.names[index])

    def ends(self, index: int, head_bytes: int) -> Ends:
        try:
            with pathlib.Path(self.path, self.names[index]).open("rb", buffering=0) as file:
                head = file.read(head_bytes)
                size = file.seek(0, os.SEEK_END)
                file.seek(max(size - TAIL_BYTES, 0))
                return Ends(head, file.read(TAIL_BYTES), size)
        except OSError as error:
            raise unreadable(self.where(index), error) from error

    def checksum(self, index: int) -> int:
        return zlib.crc32(self.read(index))

    def read_other(self, name: str) -> bytes:
        try:
            return pathlib.Path(self.path, name).read_bytes()
        except OSError as error:
            raise unreadable(str(pathlib.Path(self.path, name)), error) from error

    def close(self) -> None:
        pass


def walk(path: str) -> Iterable[str]:
    """Names of all files below a folder, relative to it, with forward slashes."""
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


def _raise_unreadable(error: OSError) -> None:
    raise unreadable(error.filename, error) from error
