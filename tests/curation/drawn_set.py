"""A small set with every kind of flaw in it, and a stand-in for a network that sees."""

from __future__ import annotations

import pathlib

import numpy as np
import scipy.ndimage

from sg_keras.curation.audit import Audit, audit
from sg_keras.curation.sources import open_originals
from tests.curation.originals import file_of, write

SIDE = 64


class Seen:
    """Features that are pixels of a smaller copy."""

    name = "seen"
    fingerprint = "0"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def features(self, images: np.ndarray) -> np.ndarray:
        assert images.dtype == np.uint8 and images.shape[1:] == (224, 224, 3)
        self.batches.append(len(images))
        return images[:, ::28, ::28].reshape([len(images), -1]).astype(np.float32)


def scene(seed: int, side: int = SIDE) -> np.ndarray:
    """A random image with the power spectrum of photographs: uint8 [H,W,3]."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    frequency[0, 0] = 1
    planes = np.fft.ifft2(np.fft.fft2(random.normal(size=[3, side, side])) / frequency**1.3).real
    planes = planes + planes.mean(axis=0)  # colours have light in common
    planes = (planes - planes.mean()) / planes.std()
    return np.clip(128 + 45 * planes.transpose(1, 2, 0), 0, 255).astype(np.uint8)


def drawn_files() -> dict[str, bytes]:
    """24 scenes of two classes, two copies of two of them, a dark, a flat, a blurred and two broken images."""
    files = {f"{('cat', 'dog')[i % 2]}/p{i:02d}.png": file_of(scene(i)) for i in range(24)}
    files["cat/same.png"] = file_of(scene(2))  # as cat/p02
    files["dog/alike.jpg"] = file_of(scene(5), "JPEG", quality=85)  # as dog/p05
    files["cat/zdark.png"] = file_of((scene(30) // 10).astype(np.uint8))
    files["cat/zflat.png"] = file_of(np.full([SIDE, SIDE, 3], 128, np.uint8))
    files["dog/zblurred.png"] = file_of(scipy.ndimage.gaussian_filter(scene(31), (5, 5, 0)))
    files["cat/zbroken.png"] = b"no image"
    files["dog/zcut.png"] = file_of(scene(40))[:900]
    return files


def drawn_set(folder: pathlib.Path) -> str:
    """Write them."""
    return write(folder, drawn_files())


def audited(path: str, **how: object) -> Audit:
    """The audit of a set."""
    source = open_originals(path)
    try:
        return audit(source, path, how.pop("extractor", None), **{"map_method": "pca", "labels": "folders"} | how)
    finally:
        source.close()
