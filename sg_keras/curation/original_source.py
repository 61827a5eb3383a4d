"""What a source of images is, and those that training reads as well: folders, zip files, LMDBs and TFRecords."""

from __future__ import annotations

import collections
import dataclasses
import os
import pathlib
import zipfile
from typing import Any, Protocol

from sg_keras.curation.decode import original_suffixes
from sg_keras.data.faults import first_names
from sg_keras.data.folder_source import FolderSource
from sg_keras.data.image_source import ImageSource, count_by_suffix
from sg_keras.data.label_file import is_label_file
from sg_keras.data.tfrecord_source import TFRecordSource
from sg_keras.data.zip_directory import member_name
from sg_keras.data.zip_source import ZipSource


@dataclasses.dataclass(frozen=True, slots=True)
class OwnLabels:
    """Labels that a source has of itself: of each image a class index or a list of numbers, and names of classes."""

    values: list[Any]
    class_names: tuple[str, ...] = ()


class OriginalSource(Protocol):
    """Images in a fixed order, as whole files (of arrays: netpbm)."""

    path: str
    names: list[str]  # of the images; files are relative to `path`, with forward slashes
    other_names: list[str]  # of files beside them
    refused: dict[int, str]  # images that must not be read, and why: "found ..., expected ..."
    notes: list[str]  # lines that people should see

    def read(self, index: int) -> bytes:
        """The whole file. OSError, one line, if it cannot be read."""

    def head(self, index: int, count: int) -> bytes:
        """The first bytes of the file, `count` or more. OSError as of `read`."""

    def read_other(self, name: str) -> bytes:
        """A file of `other_names`. OSError as of `read`."""

    def own_labels(self) -> OwnLabels | None:
        """Labels that the source has without any label file, None where there are none."""

    def close(self) -> None:
        """Release files."""


class FileOriginals:
    """Images of a source that training reads, with what must not be read left out."""

    def __init__(self, source: ImageSource, refused: dict[int, str], notes: list[str]) -> None:
        self._source = source
        self.path, self.names, self.other_names = source.path, source.names, source.other_names
        self.refused, self.notes = refused, notes

    def read(self, index: int) -> bytes:
        return self._source.read(index)

    def head(self, index: int, count: int) -> bytes:
        return self._source.ends(index, count).head

    def read_other(self, name: str) -> bytes:
        return self._source.read_other(name)

    def own_labels(self) -> OwnLabels | None:
        if not isinstance(self._source, TFRecordSource) or not self._source.has_labels:
            return None
        listed = self._source.labels().listed()
        return OwnLabels(listed) if listed else None

    def close(self) -> None:
        self._source.close()


def folder_originals(path: str, follow_links: bool) -> FileOriginals:
    """The images of a folder and the folders below it; links that lead out of it are followed only if that is asked.

    Raises:
        OSError, ValueError: as of `FolderSource`.
    """
    source = FolderSource(path, original_suffixes())
    refused = {} if follow_links else _links_out(path, source.names)
    return FileOriginals(source, refused, [*_left_out(path, source.other_names)])


def zip_originals(path: str) -> FileOriginals:
    """The images of a zip file. OSError, ValueError as of `ZipSource`."""
    source = ZipSource(path, original_suffixes())
    refused = unsafe_names(source.names)
    with zipfile.ZipFile(path) as archive:
        names = collections.Counter(member_name(info) for info in archive.infolist())
    return FileOriginals(source, refused, [*duplicate_names(path, names), *_left_out(path, source.other_names)])


def unsafe_names(names: list[str]) -> dict[int, str]:
    """Names in an archive that lead out of the folder it would be unpacked to, with the reason."""
    refused = {}
    for index, name in enumerate(names):
        if name.startswith("/") or name[1:3] in (":/", ":\\"):
            refused[index] = "found an absolute name in the archive, expected one that stays in it"
        elif ".." in name.split("/"):
            refused[index] = "found a name that leaves the archive (../), expected one that stays in it"
    return refused


def duplicate_names(path: str, names: collections.Counter[str]) -> list[str]:
    """A line on names that several members of an archive have."""
    several = sorted(name for name, count in names.items() if count > 1 and not name.endswith("/"))
    if not several:
        return []
    return [f"{path}: several files of one name, of which the last counts: {len(several)} ({first_names(several)})"]


def _left_out(path: str, other_names: list[str]) -> list[str]:
    others = [name for name in other_names if not is_label_file(name)]
    return [f"{path}: files that are no images are left out ({count_by_suffix(others)})"] if others else []


def _links_out(path: str, names: list[str]) -> dict[int, str]:
    root = os.path.realpath(path)
    folders: dict[str, bool] = {}  # whether they lie in the tree
    refused = {}
    for index, name in enumerate(names):
        file = pathlib.Path(path, name)
        folder = str(file.parent)
        if folder not in folders:
            folders[folder] = _lies_in(os.path.realpath(folder), root)
        if not folders[folder] or (file.is_symlink() and not _lies_in(os.path.realpath(file), root)):
            refused[index] = "found a link that leads out of the folder, expected a file in it (or --follow-links)"
    return refused


def _lies_in(place: str, root: str) -> bool:
    return place == root or place.startswith(root.rstrip("/") + "/")
