"""How far images are from given ones, in numbers that do not depend on what they were projected by."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from sg_keras.features import EfficientNetTaps, PerceptualFeatures


def image_distances(
    images: np.ndarray, targets: np.ndarray, effnet: PerceptualFeatures | None = None
) -> list[dict[str, float]]:
    """Distances of each image from its target.

    Args:
        images, targets: uint8 [N,H,W,C].
        effnet: EfficientNetTaps; None = new ones.

    Returns:
        For each image "pixel", the root mean squared difference in 0..255, and "effnet", the perceptual distance.
    """
    see = effnet or EfficientNetTaps()
    a, b = (see.perceptual_features(tf.constant(values, tf.float32)).numpy() for values in (images, targets))
    perceptual = np.square(a - b).sum(axis=1)
    squares = np.square(images.astype(np.float64) - targets).reshape([len(images), -1]).mean(axis=1)
    return [
        {"pixel": round(float(pixel), 4), "effnet": round(float(seen), 6)}
        for pixel, seen in zip(np.sqrt(squares), perceptual, strict=True)
    ]
