"""Images with the points that were dragged."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageDraw

from sg_keras.inference.images import viewable

_FROM, _TO, _INK = (220, 40, 40), (40, 90, 230), (255, 255, 255)


def with_arrows(
    image: np.ndarray, handles: Iterable[tuple[float, float]], targets: Iterable[tuple[float, float]], enlarge: int = 1
) -> np.ndarray:
    """An image with an arrow from each handle (a red dot) to its target (a blue one).

    Args:
        image: uint8 [H,W,C].
        handles, targets: (x, y) in pixels of the image, from the middle of the one at the top left.
        enlarge: each pixel becomes a square of so many pixels a side.

    Returns:
        uint8 [H*enlarge,W*enlarge,3].
    """
    shown = viewable(image[np.newaxis])[0].repeat(enlarge, axis=0).repeat(enlarge, axis=1)
    picture = Image.fromarray(shown[:, :, 0] if shown.shape[2] == 1 else shown).convert("RGB")
    draw = ImageDraw.Draw(picture)
    radius = max(2, min(picture.size) // 60)
    for handle, target in zip(handles, targets, strict=True):
        start, end = (tuple((number + 0.5) * enlarge for number in point) for point in (handle, target))
        draw.line([*start, *end], fill=_INK, width=max(1, radius // 2))
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        for side in (angle + 2.6, angle - 2.6):
            tip = (end[0] + 3 * radius * math.cos(side), end[1] + 3 * radius * math.sin(side))
            draw.line([*end, *tip], fill=_INK, width=max(1, radius // 2))
        for (x, y), colour in ((start, _FROM), (end, _TO)):
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)
    return np.asarray(picture)
