"""Images and labels of an .npz or .npy file, as training takes them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sg_keras.config.parts import MAX_CHANNELS
from sg_keras.data.labels import Labels, labels_of_images, no_labels
from sg_keras.data.numpy_file import Kinds, read_numpy_file
from sg_keras.data.pixels import ArrayPixels, MappedPixels

_KINDS = Kinds(
    (np.uint8,),
    range(1, MAX_CHANNELS + 1),
    f"uint8 images [n,H,W] (gray) or [n,H,W,C] of 1 to {MAX_CHANNELS} channels, in an .npz called 'images'; "
    "sg-keras-dataset convert makes them of 16 bits",
)


class OpenedArrays(NamedTuple):
    """Images that are arrays: what training gathers, all of them uint8 [n,H,W,C], and labels, used or not."""

    pixels: ArrayPixels
    images: np.ndarray
    labels: Labels
    has_labels: bool


def open_arrays(path: str, use_labels: bool, max_cached_bytes: int) -> OpenedArrays:
    """Open a file of arrays.

    Args:
        path: of it.
        use_labels: whether labels are wanted.
        max_cached_bytes: an .npy file of no more than this is read into memory, a larger one mapped; .npz files are
            read, whatever their size.

    Raises:
        OSError: it cannot be read.
        ValueError: it is none, or images or labels cannot be used. Both one line.
    """
    found = read_numpy_file(path, _KINDS, use_labels)
    images = found.images[..., np.newaxis] if found.images.ndim == 3 else found.images
    labels = no_labels(len(images))
    if use_labels:
        if found.labels is None:
            raise ValueError(
                f"{path}: found no array 'labels' in it, expected labels there, since conditional training (--cond=1) "
                "was asked for"
            )
        names = [f"image {index}" for index in range(len(images))]
        labels = labels_of_images(names, found.labels, f"{path}: labels")
    is_map = isinstance(found.images, np.memmap)
    if is_map and images.nbytes > max_cached_bytes:
        return OpenedArrays(MappedPixels(images, path), images, labels, found.has_labels)
    images = np.array(images) if is_map else np.ascontiguousarray(images)
    return OpenedArrays(ArrayPixels(images), images, labels, found.has_labels)
