"""Opens whatever pictures come from."""

from __future__ import annotations

import pathlib

from sg_keras.curation.array_pictures import cifar_pictures, digits_pictures, idx_pictures, is_cifar, numpy_pictures
from sg_keras.curation.parquet_pictures import ParquetPictures
from sg_keras.curation.picture_source import FilePictures, PictureSource, folder_pictures, zip_pictures
from sg_keras.curation.tar_pictures import TAR_SUFFIXES, TarFile, TarPictures
from sg_keras.data.digits import DIGITS_NAME
from sg_keras.data.lmdb_source import LMDBSource, is_lmdb
from sg_keras.data.tfrecord_source import TFRecordSource, tfrecord_files
from sg_keras.files.cache import is_url
from sg_keras.files.object_storage import local_copy

_EXPECTED = "a folder, zip, tar, LMDB, TFRecords, .npz, .npy, parquet, MNIST's idx or CIFAR's tar file, or 'digits'"
_IDX = ("-ubyte", "-ubyte.gz", ".idx", ".idx.gz")


def open_pictures(path: str, *, follow_links: bool = False, image_column: str | None = None) -> PictureSource:
    """Open a source of pictures; which kind it is follows from its name, or of folders from what is in it.

    Args:
        path: of a file or folder, scheme://... of a zip file in object storage, or "digits".
        follow_links: whether links that lead out of a folder are followed.
        image_column: of a parquet file; None = the usual names are tried.

    Raises:
        OSError: it is missing or cannot be read; one line.
        ValueError: it is of no kind that is known, or holds no pictures; one line.
    """
    if path == DIGITS_NAME:
        return digits_pictures()
    if is_url(path):
        pictures = zip_pictures(str(local_copy(path)))
        pictures.path = path  # what goes on record
        return pictures
    place = pathlib.Path(path)
    if not place.exists():
        raise FileNotFoundError(f"{path}: found nothing there, expected {_EXPECTED}")
    if is_lmdb(path):
        return FilePictures(LMDBSource(path), {}, [])
    if tfrecord_files(path):
        return FilePictures(TFRecordSource(path), {}, [])
    if place.suffix == ".parquet" or (place.is_dir() and any(place.glob("*.parquet"))):
        return ParquetPictures(path, image_column)
    return folder_pictures(path, follow_links) if place.is_dir() else _of_file(path)


def _of_file(path: str) -> PictureSource:
    name = pathlib.PurePath(path).name.lower()
    if name.endswith(".zip"):
        return zip_pictures(path)
    if name.endswith(TAR_SUFFIXES):
        return _of_tar(path)
    if name.endswith((".npz", ".npy")):
        return numpy_pictures(path)
    if name.endswith(_IDX):
        return idx_pictures(path)
    raise ValueError(f"{path}: found a file of another kind, expected {_EXPECTED}")


def _of_tar(path: str) -> PictureSource:
    archive = TarFile(path)
    try:
        if not is_cifar(archive):
            return TarPictures(archive)
        try:
            return cifar_pictures(archive)
        finally:
            archive.close()
    except (OSError, ValueError):
        archive.close()
        raise
