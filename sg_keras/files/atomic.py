"""Files and folders that are there completely or not at all, whenever the process is killed.

They are written beside their place, under a name that starts with PARTIAL, and renamed.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
import shutil
import uuid
from collections.abc import Iterable, Iterator

from sg_keras.files.errors import PARTIAL, file_errors_explained

_OLD = PARTIAL + "old-"


@contextlib.contextmanager
def atomic_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives the path to write to; the file takes its place when the block ends without an error.

    Raises:
        OSError: one line on `path`, as of `file_errors_explained`.
    """
    with file_errors_explained(path), _written_beside(path, PARTIAL + path.name) as beside:
        yield beside


@contextlib.contextmanager
def atomic_shared_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """As atomic_file, where other processes may write the same file at the same time; errors stay as they are."""
    with _written_beside(path, f"{PARTIAL}{uuid.uuid4().hex}-{path.name}") as beside:
        yield beside


@contextlib.contextmanager
def _written_beside(path: pathlib.Path, name: str) -> Iterator[pathlib.Path]:
    beside = path.with_name(name)
    try:
        yield beside
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # what went wrong before is what people must know
            beside.unlink(missing_ok=True)
        raise


def write_text(path: pathlib.Path, text: str) -> None:
    """Write a small text file that is never seen half-written."""
    with atomic_file(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_text_once(path: pathlib.Path, text: str) -> None:
    """Write a small text file, unless it is there: of several processes that do, the first one's stays.

    Raises:
        OSError: it cannot be written.
    """
    beside = path.with_name(f"{PARTIAL}{uuid.uuid4().hex}-{path.name}")
    try:
        beside.write_text(text, encoding="utf-8")
        try:
            os.link(beside, path)
        except FileExistsError:
            return
        except OSError:  # a file system without links
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a new folder to fill; it takes its place, or an older one's, when the block ends without an error."""
    beside, before = path.with_name(PARTIAL + path.name), path.with_name(_OLD + path.name)
    _put_back(before)
    for leftover in (beside, before):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        with file_errors_explained(path):
            beside.mkdir()
            yield beside
            if path.exists():
                path.rename(before)
            beside.rename(path)
    finally:
        _put_back(before)
        for leftover in (beside, before):
            shutil.rmtree(leftover, ignore_errors=True)


def remove_partial(folder: pathlib.Path) -> list[pathlib.Path]:
    """Remove what a killed process left half-written in a folder. Returns what was removed.

    A whole folder that was on its way out for a new one, which did not come in, is put back.
    """
    leftovers = list(folder.glob(PARTIAL + "*"))
    removed = []
    for leftover in leftovers:
        if leftover.name.startswith(_OLD) and _put_back(leftover):
            continue
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
        removed.append(leftover)
    return removed


def _put_back(before: pathlib.Path) -> bool:
    """Give an older folder its place again, if it is empty. Returns whether it was."""
    path = before.with_name(before.name.removeprefix(_OLD))
    if path.exists() or not before.is_dir():
        return False
    before.rename(path)
    return True


def set_aside(paths: Iterable[pathlib.Path], place: pathlib.Path) -> pathlib.Path:
    """Move files and folders, under their names, into a folder that is made for them.

    Args:
        paths: what to move; all in one file system with `place`.
        place: name of the folder; a number is added.

    Returns:
        The folder.
    """
    folders = (place.with_name(f"{place.name}-{number}") for number in itertools.count(1))
    folder = next(folder for folder in folders if not folder.exists())
    folder.mkdir()
    for path in paths:
        path.rename(folder / path.name)
    return folder
