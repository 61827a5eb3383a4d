"""The built-in data set: 1,797 real handwritten digits (see digits_ATTRIBUTION.txt)."""

from __future__ import annotations

import importlib.resources

import numpy as np
from PIL import Image

DIGITS_NAME = "digits"
_RESOLUTION = 32
_STORED_MAXIMUM = 16


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """The handwritten digits as training images.

    The stored 8x8 images of values 0-16 are scaled to 0-255, rounded, and enlarged to 32x32 by Pillow's bicubic
    filter.

    Returns:
        uint8 [1797, 32, 32, 1] images (ink is bright) and int64 [1797] digits.
    """
    with importlib.resources.files("sg_keras.data").joinpath("digits_8x8.npz").open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        small, classes = arrays["images"], arrays["labels"]
    scaled = np.rint(small * (255.0 / _STORED_MAXIMUM)).astype(np.uint8)
    images = np.empty((len(scaled), _RESOLUTION, _RESOLUTION, 1), np.uint8)
    for image, source in zip(images, scaled, strict=True):
        enlarged = Image.fromarray(source).resize((_RESOLUTION, _RESOLUTION), Image.Resampling.BICUBIC)
        image[:, :, 0] = np.asarray(enlarged)
    return images, classes.astype(np.int64)
