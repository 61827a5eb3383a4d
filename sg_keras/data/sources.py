"""Opens whatever encoded images come from: a folder, a zip file, TFRecords or an LMDB."""

from __future__ import annotations

import pathlib

from sg_keras.data.folder_source import FolderSource
from sg_keras.data.image_source import ImageSource
from sg_keras.data.lmdb_source import LMDBSource, is_lmdb
from sg_keras.data.tfrecord_source import TFRecordSource, tfrecord_files
from sg_keras.data.zip_source import ZipSource


def open_source(path: str) -> ImageSource:
    """Open a folder, zip file, LMDB or TFRecords of images.

    Hidden files and folders (name starts with a dot), macOS's __MACOSX, and Windows's Thumbs.db and desktop.ini are
    left out.

    Raises:
        OSError: Path missing or unreadable; zip truncated or damaged.
        ValueError: None of these, or no images in it.
    """
    if not pathlib.Path(path).exists():
        raise FileNotFoundError(f"{path}: found nothing there, expected a folder or zip file of images, or 'digits'")
    if is_lmdb(path):
        return LMDBSource(path)
    if tfrecord_files(path):
        return TFRecordSource(path)
    return FolderSource(path) if pathlib.Path(path).is_dir() else ZipSource(path)
