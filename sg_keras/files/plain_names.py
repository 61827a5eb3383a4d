"""Paths as TensorFlow can take them: every path of a local file reaches TensorFlow through this module.

TensorFlow looks for what it reads by matching patterns, so that brackets, asterisks, question marks and backslashes in
a folder's name mean something else to it, and it spells names in UTF-8 alone. A folder with such a path is handed to
it under another name for the same folder: files that are written there have their own names in their own place, and
what is renamed there appears at once, as ever.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
import weakref
from types import TracebackType

_PATTERN_CHARACTERS = frozenset("*?[]{}\\")
_DESCRIPTORS = pathlib.Path("/proc/self/fd")  # Linux: open folders of this process, by number
_LINKED_PREFIX = "linked"


def is_plain(path: str | os.PathLike[str]) -> bool:
    """Whether TensorFlow takes a path as it stands: printable characters, none of which belongs to patterns."""
    text = os.fspath(path)
    return text.isprintable() and not _PATTERN_CHARACTERS & set(text)  # what is not UTF-8 is not printable


class PlainPath:
    """Another name for a folder or for files, good until it is closed or forgotten. A context manager, too.

    Attributes:
        path: to hand to TensorFlow.
    """

    def __init__(self, path: str, release: contextlib.ExitStack) -> None:
        self.path = path
        self._close = weakref.finalize(self, release.close)

    def close(self) -> None:
        """The name is of no use any more."""
        self._close()

    def __enter__(self) -> PlainPath:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def plain_folder(folder: str | os.PathLike[str]) -> PlainPath:
    """A name for a folder that TensorFlow can take: its own path where that is plain.

    Args:
        folder: which exists.

    Raises:
        OSError: it does not, or no other name can be given to it here.
    """
    with contextlib.ExitStack() as stack:
        path = _folder_name(pathlib.Path(folder), stack)
        return PlainPath(path, stack.pop_all())


def plain_prefix(prefix: str | os.PathLike[str]) -> PlainPath:
    """A name for the files of a checkpoint (PREFIX.index, PREFIX.data-...) that TensorFlow can read them by.

    Raises:
        OSError: as of `plain_folder`.
    """
    prefix = pathlib.Path(prefix)
    with contextlib.ExitStack() as stack:
        if is_plain(prefix.name):
            path = f"{_folder_name(prefix.parent, stack)}/{prefix.name}"
        else:
            path = f"{_folder_name(_linked_files(prefix, stack), stack)}/{_LINKED_PREFIX}"
        return PlainPath(path, stack.pop_all())


def _folder_name(folder: pathlib.Path, stack: contextlib.ExitStack) -> str:
    if is_plain(folder):
        return str(folder)
    if _DESCRIPTORS.is_dir():
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, number)
        return str(_DESCRIPTORS / str(number))
    aside = _temporary_folder(stack)
    if not is_plain(aside):
        raise OSError(
            f"{folder}: found characters that TensorFlow cannot take in a path, expected a path without them, or "
            "TMPDIR set to one"
        )
    link = aside / "folder"
    link.symlink_to(folder.absolute(), target_is_directory=True)
    return str(link)


def _linked_files(prefix: pathlib.Path, stack: contextlib.ExitStack) -> pathlib.Path:
    """A temporary folder with links to the files of a checkpoint whose own name is not plain."""
    aside = _temporary_folder(stack)
    for entry in prefix.absolute().parent.iterdir():
        ending = entry.name.removeprefix(prefix.name)
        if ending != entry.name and (ending == ".index" or ending.startswith(".data-")):
            (aside / f"{_LINKED_PREFIX}{ending}").symlink_to(entry)
    return aside


def _temporary_folder(stack: contextlib.ExitStack) -> pathlib.Path:
    return pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sg_keras-")))
