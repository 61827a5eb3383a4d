"""Files and folders that are there completely or not at all, whenever the process is killed.

They are written beside their place, under a name that starts with PARTIAL, and renamed.
"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
from collections.abc import Iterator

from sg_keras.config.file_errors import PARTIAL, file_errors_explained


@contextlib.contextmanager
def whole_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives the path to write to; the file takes its place when the block ends without an error."""
    beside = path.with_name(PARTIAL + path.name)
    try:
        with file_errors_explained(path):
            yield beside
            beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # what went wrong before is what people must know
            beside.unlink(missing_ok=True)
        raise


def write_text(path: pathlib.Path, text: str) -> None:
    """Write a small text file that is never seen half-written."""
    with whole_file(path) as beside:
        beside.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def whole_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a new folder to fill; it takes its place, or an older one's, when the block ends without an error."""
    beside, before = path.with_name(PARTIAL + path.name), path.with_name(PARTIAL + "old-" + path.name)
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
        for leftover in (beside, before):
            shutil.rmtree(leftover, ignore_errors=True)


def remove_partial(folder: pathlib.Path) -> None:
    """Remove what a killed process left half-written in a folder."""
    for leftover in folder.glob(PARTIAL + "*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()
