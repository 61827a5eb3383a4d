"""Images as an 8x8 grid of averages: layout alone, for small sets that no ImageNet network suits, such as digits."""

from __future__ import annotations

import hashlib

import numpy as np
from PIL import Image

from sg_keras.features.extractor import FeatureExtractor
from sg_keras.features.resize import check_images, opaque_rgb

GRID = 8  # boxes along each side
_RULE = "averages of an 8x8 grid of boxes, in 0..1, rows first, channels last; RGBA over white"


def box_averages(images: np.ndarray, box: int) -> np.ndarray:
    """Averages over square boxes.

    Args:
        images: [N,H,W,C], H and W multiples of `box`.
        box: side in pixels.

    Returns:
        float64 [N, H/box * W/box * C], rows first, channels last.
    """
    count, height, width, channels = images.shape
    boxes = images.reshape(count, height // box, box, width // box, box, channels)
    return np.asarray(boxes.mean(axis=(2, 4), dtype=np.float64)).reshape(
        count, (height // box) * (width // box) * channels
    )


class BoxAverages(FeatureExtractor):
    """An 8x8 grid of box averages: 64 numbers of gray images, 192 of colour. Of 32x32 digits, the demo's vectors.

    A Frechet distance of these sees layout and missing modes, and neither blur nor noise nor JPEG.

    Example:
        >>> sg_keras.features.BoxAverages().features(np.full([2, 32, 32, 1], 255, np.uint8)).mean()
        np.float32(1.0)
    """

    name = "boxes"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the rule: there are no weights."""
        return hashlib.sha256(_RULE.encode()).hexdigest()

    def features(self, images: np.ndarray) -> np.ndarray:
        """float32 [N,64*C] in 0..1, of RGBA as of RGB: see FeatureExtractor.

        Where the grid does not divide a side, Pillow's box filter cuts the pixels.
        """
        check_images(images)
        values = opaque_rgb(images) if images.shape[3] == 4 else images
        height, width = images.shape[1:3]
        if height % GRID or width % GRID or height != width:
            return _box_filtered(values) / np.float32(255)
        return box_averages(values / 255.0, height // GRID).astype(np.float32)


def _box_filtered(images: np.ndarray) -> np.ndarray:
    """float32 [N,64*C] in the range of the images."""
    result = np.empty([len(images), GRID, GRID, images.shape[3]], np.float32)
    for image, target in zip(images, result, strict=True):
        for channel in range(images.shape[3]):
            plane = Image.fromarray(np.ascontiguousarray(image[:, :, channel], np.float32))
            target[:, :, channel] = plane.resize((GRID, GRID), Image.Resampling.BOX)
    return result.reshape(len(images), GRID * GRID * images.shape[3])
