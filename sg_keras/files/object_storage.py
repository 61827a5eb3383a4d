"""Data sets in object storage: gs://bucket/images.zip and the like, copied to this machine before they are read.

Training reads images in random order, a small piece at a time; from a bucket each would be a request. So a zip file
is copied once, by TensorFlow's file systems (`tf.io.gfile`), and read from the copy.
"""

from __future__ import annotations

import hashlib
import logging
import pathlib
import shutil

from sg_keras.files.atomic import atomic_shared_file
from sg_keras.files.cache import cache_errors_explained, cache_folder, prepare_cache
from sg_keras.files.errors import first_line

_CHUNK = 1 << 24
_logger = logging.getLogger(__name__)


def local_copy(path: str, cache: pathlib.Path | None = None) -> pathlib.Path:
    """The copy of a remote zip file on this machine, made if it is not there or the original has changed.

    Args:
        path: such as gs://bucket/images256.zip.
        cache: folder of copies; by default `cache_folder`.

    Raises:
        ValueError: it is no zip file, or TensorFlow has no such file system here.
        OSError: it cannot be read, or the copy cannot be written; one line.
    """
    import tensorflow as tf

    if not path.endswith(".zip"):
        raise ValueError(f"{path}: found no name that ends in .zip, expected a zip file, which is one object to copy")
    try:
        state = tf.io.gfile.stat(path)
    except tf.errors.UnimplementedError as error:
        scheme = path.partition("://")[0]
        raise ValueError(
            f"{path}: found no support for {scheme}:// in this TensorFlow, expected a plug-in such as "
            "tensorflow-io-gcs-filesystem, or a copy on this machine"
        ) from error
    except tf.errors.OpError as error:
        raise OSError(f"{path}: found nothing to read ({first_line(error)}), expected a zip file") from error
    folder = (cache or cache_folder()) / hashlib.sha256(
        f"{path} {state.length} {state.mtime_nsec}".encode()
    ).hexdigest()[:16]
    copy = folder / path.rpartition("/")[2]
    with cache_errors_explained(folder):
        if copy.is_file() and copy.stat().st_size == state.length:
            return copy
    _logger.warning("copying %s, %.2f GB, to %s", path, state.length / 1e9, copy)
    prepare_cache(folder)
    try:
        with (
            cache_errors_explained(folder),
            atomic_shared_file(copy) as beside,
            tf.io.gfile.GFile(path, "rb") as source,
            beside.open("wb") as target,
        ):
            shutil.copyfileobj(source, target, _CHUNK)
    except tf.errors.OpError as error:
        raise OSError(f"{path}: found that it cannot be read to its end ({first_line(error)})") from error
    return copy
