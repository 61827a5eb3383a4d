"""The fingerprint of a data set: what it holds and in which order, wherever it lies and whoever copied it.

It is made of the names in their order, relative to the folder that holds all images; the sizes of the files; check
sums of the content of some, or in zip files, whose directory has them, of all; and the labels where they are used.
Dates, and the data set's own name and path, have no part in it, nor has whether images lie in a folder or a zip file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from sg_keras.config.data_fingerprint import format_fingerprint
from sg_keras.data.image_source import ImageSource
from sg_keras.data.label_names import common_folder, plain_name
from sg_keras.data.labels import Labels

_DIGITS = 12  # of a digest that are kept: 48 bits, as nobody tries to forge them
_MOST_SAMPLED = 1024
_SAMPLED_BYTES = 2**26  # so that a fraction of a second is enough for them


def source_fingerprint(source: ImageSource, sizes: Sequence[int], labels: Labels | None) -> str:
    """Fingerprint of a folder or zip file.

    Args:
        source: images.
        sizes: of their files in bytes, -1 of those that cannot be read.
        labels: of the images, None where they are not used.
    """
    folder = common_folder(source.names)
    names = [plain_name(name[len(folder) + 1 :] if folder else name) for name in source.names]
    digests = {
        "names": _digest("\n".join(names).encode("utf-8", "surrogateescape")),
        "sizes": _digest(np.array(sizes, "<i8").tobytes()),
        "sample": _digest(_checksums(source, _sample(sizes))),
    }
    if source.has_checksums:
        digests["checksums"] = _digest(_checksums(source, range(len(names))))
    return format_fingerprint(digests | _labels_digest(labels))


def array_fingerprint(images: np.ndarray, labels: Labels | None) -> str:
    """Fingerprint of images that are in memory, uint8 [n,H,W,C], with their labels where they are used."""
    digest = hashlib.sha256(f"{images.shape} ".encode())
    step = max(1, _SAMPLED_BYTES // max(images[0].size, 1))  # so that no second copy of them is in memory
    for start in range(0, len(images), step):
        digest.update(images[start : start + step].tobytes())
    return format_fingerprint({"checksums": digest.hexdigest()[:_DIGITS]} | _labels_digest(labels))


def _sample(sizes: Sequence[int]) -> np.ndarray:
    """Which files are read: all of a small set, otherwise some that are spread evenly over it, first and last included.

    A function of the sizes alone.
    """
    mean = max(sum(max(size, 0) for size in sizes) / len(sizes), 1.0)
    count = int(min(len(sizes), _MOST_SAMPLED, max(_SAMPLED_BYTES // mean, 2)))
    return np.arange(count) * (len(sizes) - 1) // max(count - 1, 1)


def _checksums(source: ImageSource, indices: Sequence[int] | np.ndarray) -> bytes:
    return np.array([_checksum(source, int(index)) for index in indices], "<i8").tobytes()


def _checksum(source: ImageSource, index: int) -> int:
    try:
        return source.checksum(index)
    except OSError:  # it is told, or skipped, where images are read
        return -1


def _labels_digest(labels: Labels | None) -> dict[str, str]:
    return {} if labels is None else {"labels": labels.digest()[:_DIGITS]}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]
