"""The networks of published scores, which may not come along: from a file, an address, or a copy that is kept."""

from __future__ import annotations

import os
import pathlib

from sg_keras.features.inception import INCEPTION_FILE, InceptionGraph
from sg_keras.features.vgg16 import VGG16, VGG16_FILE
from sg_keras.files.cache import expand_home, is_url
from sg_keras.files.download import PublishedFile, fetch_published


def open_inception(place: str | os.PathLike[str] | None = None) -> InceptionGraph:
    """The Inception graph of FID, KID and IS.

    Args:
        place: a file (see InceptionGraph) or its address; None = Keras' or our copy, or fetched from where it is
            published.

    Raises:
        ValueError: the file is another one. One line.
        OSError: it cannot be had; one line, with its address and the scores that need no file.
    """
    return InceptionGraph(_found(place, INCEPTION_FILE, "--inception", "fd5k and kd5k"))


def open_vgg16(place: str | os.PathLike[str] | None = None) -> VGG16:
    """VGG16 by Keras' weights. Arguments and errors are as those of open_inception."""
    return VGG16(_found(place, VGG16_FILE, "--vgg16", "precision5k and recall5k"))


def _found(place: str | os.PathLike[str] | None, file: PublishedFile, option: str, offline: str) -> pathlib.Path:
    text = None if place is None else os.fspath(place)
    if text is not None and not is_url(text):
        return pathlib.Path(expand_home(text))
    try:
        return fetch_published(file, text)
    except OSError as error:
        raise OSError(
            f"{file.name}: {error}; {option}=FILE names a copy of {file.address}, and {offline} need no file"
        ) from error
