"""Where StyleGAN3's images are moved to."""

from __future__ import annotations

import math

import numpy as np


def inverse_transform(translate: tuple[float, float] = (0.0, 0.0), rotate: float = 0.0) -> np.ndarray:
    """The transform that StyleGAN3's generators take for an image that is rotated round its centre, then moved.

    Args:
        translate: to the right and down, as fractions of the image's shorter side.
        rotate: degrees, counterclockwise.

    Returns:
        float64 [3,3], the inverse of the image's own motion: it says where each point is taken from.
    """
    angle = math.radians(rotate)
    cos, sin = math.cos(angle), math.sin(angle)
    motion = np.array([[cos, sin, translate[0]], [-sin, cos, translate[1]], [0, 0, 1]])  # y points down
    return np.linalg.inv(motion)
