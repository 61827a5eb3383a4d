"""Opens whatever images come from."""

from __future__ import annotations

import pathlib

from sg_keras.curation.array_originals import (
    cifar_originals,
    digits_originals,
    idx_originals,
    is_cifar,
    numpy_originals,
)
from sg_keras.curation.original_source import FileOriginals, OriginalSource, folder_originals, zip_originals
from sg_keras.curation.parquet_originals import ParquetOriginals
from sg_keras.curation.tar_originals import TAR_SUFFIXES, TarFile, TarOriginals
from sg_keras.data.digits import DIGITS_NAME
from sg_keras.data.lmdb_source import LMDBSource, is_lmdb
from sg_keras.data.numpy_file import is_numpy_file
from sg_keras.data.tfrecord_source import TFRecordSource, tfrecord_files
from sg_keras.files.cache import is_url
from sg_keras.files.object_storage import local_copy

_EXPECTED = "a folder, zip, tar, LMDB, TFRecords, .npz, .npy, parquet, MNIST's idx or CIFAR's tar file, or 'digits'"
_IDX = ("-ubyte", "-ubyte.gz", ".idx", ".idx.gz")


def open_originals(path: str, *, follow_links: bool = False, image_column: str | None = None) -> OriginalSource:
    """Open a source of images; which kind it is follows from its name, or of folders from what is in it.

    Args:
        path: of a file or folder, scheme://... of a zip file in object storage, or "digits".
        follow_links: whether links that lead out of a folder are followed.
        image_column: of a parquet file; None = the usual names are tried.

    Raises:
        OSError: it is missing or cannot be read; one line.
        ValueError: it is of no kind that is known, or holds no images; one line.
    """
    if path == DIGITS_NAME:
        return digits_originals()
    if is_url(path):
        originals = zip_originals(str(local_copy(path)))
        originals.path = path  # what goes on record
        return originals
    place = pathlib.Path(path)
    if not place.exists():
        raise FileNotFoundError(f"{path}: found nothing there, expected {_EXPECTED}")
    if is_lmdb(path):
        return FileOriginals(LMDBSource(path), {}, [])
    if tfrecord_files(path):
        return FileOriginals(TFRecordSource(path), {}, [])
    if place.suffix == ".parquet" or (place.is_dir() and any(place.glob("*.parquet"))):
        return ParquetOriginals(path, image_column)
    return folder_originals(path, follow_links) if place.is_dir() else _of_file(path)


def _of_file(path: str) -> OriginalSource:
    name = pathlib.PurePath(path).name.lower()
    if name.endswith(".zip"):
        return zip_originals(path)
    if name.endswith(TAR_SUFFIXES):
        return _of_tar(path)
    if is_numpy_file(path):
        return numpy_originals(path)
    if name.endswith(_IDX):
        return idx_originals(path)
    raise ValueError(f"{path}: found a file of another kind, expected {_EXPECTED}")


def _of_tar(path: str) -> OriginalSource:
    archive = TarFile(path)
    try:
        if not is_cifar(archive):
            return TarOriginals(archive)
        try:
            return cifar_originals(archive)
        finally:
            archive.close()
    except (OSError, ValueError):
        archive.close()
        raise
