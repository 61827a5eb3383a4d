"""Where a face is cut out of an image: a box around it, or rotated to FFHQ's template.

The template is that of Karras et al., 2018 (arXiv:1710.10196, appendix C), which FFHQ was aligned by: with eyes e0,
e1 and corners of the mouth m0, m1, x' = e1 - e0, y' = (e0 + e1) / 2 - (m0 + m1) / 2, the square has the middle
(e0 + e1) / 2 - y' / 10, the side max(4 |x'|, 3.6 |y'|), and the direction of x' - Rotate90(y'). What lies outside of
the image is its reflection; the paper also softens that, which is not done here.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from sg_keras.curation.faces import Face

_AROUND = 2.0  # sides of a face's box that a crop is wide


def box_around(face: Face, size: tuple[int, int], shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, width, height of a crop that is twice as large as a face, moved and shrunk to lie in the image.

    Args:
        face: in the middle of it, where the image reaches as far.
        size: (width, height) of the image.
        shape: (width, height) that the crop has the proportions of.
    """
    left, top, width, height = face.box
    unit = _AROUND * max(width, height) / min(shape)
    unit = min(unit, size[0] / shape[0], size[1] / shape[1])
    wide, high = (min(limit, max(1, round(unit * side))) for limit, side in zip(size, shape, strict=True))
    start = round(left + width / 2 - wide / 2), round(top + height / 2 - high / 2)
    return min(max(start[0], 0), size[0] - wide), min(max(start[1], 0), size[1] - high), wide, high


def aligned_square(face: Face) -> tuple[np.ndarray, np.ndarray, float]:
    """Middle and direction of the x axis, float64 [2] each, and side of FFHQ's square, in pixels of the image."""
    e0, e1, _, m0, m1 = np.array(face.points, np.float64)
    across, up = e1 - e0, (e0 + e1) / 2 - (m0 + m1) / 2
    middle = (e0 + e1) / 2 - 0.1 * up
    side = max(4.0 * float(np.hypot(*across)), 3.6 * float(np.hypot(*up)))
    direction = across - np.array([up[1], -up[0]])  # the y axis of images points down
    return middle, direction / max(float(np.hypot(*direction)), 1e-9), side


def aligned(image: Image.Image, face: Face) -> Image.Image:
    """The face in FFHQ's square, as many pixels wide as the square is in the image.

    Args:
        image: of mode L, LA, RGB or RGBA.
        face: in pixels of it.
    """
    middle, right, length = aligned_square(face)
    side = max(1, round(length))
    step = right * length / side  # from pixel to pixel
    down = np.array([-step[1], step[0]])
    corner = middle - (step + down) * side / 2
    corners = np.array([corner + step * side * x + down * side * y for x in (0, 1) for y in (0, 1)])
    low, high = np.floor(corners.min(axis=0)).astype(int) - 2, np.ceil(corners.max(axis=0)).astype(int) + 2
    before = np.maximum(-low, 0)
    after = np.maximum(high - image.size, 0)
    if before.any() or after.any():
        pixels = np.asarray(image)
        margins = [(before[1], after[1]), (before[0], after[0])] + [(0, 0)] * (pixels.ndim - 2)
        image, corner = Image.fromarray(np.pad(pixels, margins, mode="reflect")), corner + before
    matrix = (step[0], down[0], corner[0], step[1], down[1], corner[1])
    return image.transform((side, side), Image.Transform.AFFINE, tuple(map(float, matrix)), Image.Resampling.BICUBIC)
