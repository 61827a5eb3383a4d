"""Features of many images, block by block, each kept under a key made of its content: what is done is never repeated.

A killed score goes on where it was, and a set that was changed, or has another name, is seen for what it holds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
from collections.abc import Callable, Iterable

import numpy as np

from sg_keras.features import FeatureExtractor
from sg_keras.files.atomic import atomic_shared_file
from sg_keras.files.cache import cache_errors_explained

#: Images of a block: with 1280 features each 1.3 MB.
BLOCK = 256
_MOST_BYTES = 1 << 27  # of decoded images at a time


@dataclasses.dataclass(frozen=True, slots=True)
class ImageBlock:
    """Some images in a row.

    Attributes:
        count: of them.
        content: says what they hold: equal for equal images alone, such as a digest of their files.
        images: makes or decodes them, one after another: uint8 [H,W,C] each, of any sizes.
    """

    count: int
    content: str
    images: Callable[[], Iterable[np.ndarray]]


@dataclasses.dataclass(frozen=True, slots=True)
class Features:
    """Features of a set of images.

    Attributes:
        values: float32 [N,D].
        content: SHA-256 of what the images hold.
    """

    values: np.ndarray
    content: str


class FeatureCache:
    """Features by block in a folder that several processes may use at the same time.

    Args:
        folder: to keep them in, which is made; None = keep nothing.
    """

    def __init__(self, folder: pathlib.Path | None) -> None:
        self._folder = folder

    def load(self, key: str, count: int) -> np.ndarray | None:
        """float32 [count,D]; None where there are none, or no whole file."""
        if self._folder is None:
            return None
        try:
            values = np.load(_place(self._folder, key), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return values if values.ndim == 2 and len(values) == count and values.dtype == np.float32 else None

    def store(self, key: str, values: np.ndarray) -> None:
        """Keep features. OSError, one line: they cannot be."""
        if self._folder is None:
            return
        path = _place(self._folder, key)
        with cache_errors_explained(self._folder):
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_shared_file(path) as beside, beside.open("wb") as file:
                np.save(file, values)


def _place(folder: pathlib.Path, key: str) -> pathlib.Path:
    return folder / key[:2] / f"{key}.npy"


def features_of(
    blocks: Iterable[ImageBlock],
    extractor: FeatureExtractor,
    cache: FeatureCache,
    on_images: Callable[[int], None] | None = None,
) -> Features:
    """Features of all images, in their order.

    Args:
        blocks: of the images.
        extractor: sees them.
        cache: has some of the features, and takes the others.
        on_images: is told how many images are done.

    Raises:
        ValueError, OSError: as of reading the images.
    """
    found, digest, done = [], hashlib.sha256(), 0
    for block in blocks:
        key = hashlib.sha256(f"{extractor.fingerprint} {block.count} {block.content}".encode()).hexdigest()
        values = cache.load(key, block.count)
        if values is None:
            values = _seen(block.images(), extractor)
            cache.store(key, values)
        found.append(values)
        digest.update(f"{block.count} {block.content} ".encode())
        done += block.count
        if on_images is not None:
            on_images(done)
    return Features(np.concatenate(found), digest.hexdigest())


def _seen(images: Iterable[np.ndarray], extractor: FeatureExtractor) -> np.ndarray:
    """Features of images of any sizes: those in a row that have one size are seen together."""
    found, waiting = [], list[np.ndarray]()
    for image in images:
        if waiting and (image.shape != waiting[0].shape or len(waiting) * image.size >= _MOST_BYTES):
            found.append(extractor.features(np.stack(waiting)))
            waiting.clear()
        waiting.append(image)
    return np.concatenate([*found, extractor.features(np.stack(waiting))])
