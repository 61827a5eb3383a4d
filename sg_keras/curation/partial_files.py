"""What is written beside a destination's place, until it takes it."""

from __future__ import annotations

import os
import pathlib
import shutil
from typing import IO, Any

from sg_keras.files.errors import PARTIAL

Receipt = list[Any]  # what a destination needs to go on behind an image: JSON


def partial_path(path: pathlib.Path) -> pathlib.Path:
    """Where a destination is written before it takes its place."""
    return path.with_name(PARTIAL + path.name)


def discard_partial(path: pathlib.Path) -> None:
    """Remove what was written for a destination that has not taken its place."""
    partial = partial_path(path)
    if partial.is_dir():
        shutil.rmtree(partial)
    else:
        partial.unlink(missing_ok=True)


def opened_at(path: pathlib.Path, end: int) -> IO[bytes]:
    """A file to write on from an offset; what is behind it is cut off."""
    file = path.open("r+b" if end else "wb")
    if file.seek(0, os.SEEK_END) < end:
        file.close()
        raise OSError(f"{path}: found fewer bytes than were written, expected {end}")
    file.truncate(end)
    file.seek(end)
    return file


def take_place(partial: pathlib.Path, path: pathlib.Path) -> None:
    """Give a destination that is complete its place. FileExistsError: something took it meanwhile."""
    refuse_existing(path)
    partial.rename(path)


def refuse_existing(path: pathlib.Path) -> None:
    """Raise a FileExistsError of one line where there is something already."""
    if path.exists() or path.is_symlink():
        raise FileExistsError(
            f"--dest: {path}: found it there already, expected a new name: move it away or choose another"
        )
