"""A sheet that shows whether a network has learned its images by heart: fakes, each beside the reals nearest to it."""

from __future__ import annotations

import numpy as np

from sg_keras.inference import tile, viewable

FAKES, NEAREST = 16, 4
_COLUMNS = 2  # fakes beside each other
_GAP = 4  # pixels between a fake and its reals


def nearest_sheet(fakes: np.ndarray, reals: np.ndarray) -> np.ndarray:
    """Rows of a fake and, after a gap, its nearest reals, the nearest first; two such groups side by side.

    Args:
        fakes: uint8 [N,H,W,C].
        reals: uint8 [N,K,H,W,C].

    Returns:
        uint8 [H',W',1 or 3].
    """
    seen = viewable(fakes)
    near = viewable(reals.reshape(-1, *reals.shape[2:])).reshape(*reals.shape[:2], *seen.shape[1:])
    height, channels = seen.shape[1], seen.shape[3]
    gap = np.full([len(seen), height, _GAP, channels], 255, np.uint8)
    groups = np.concatenate([seen, gap, *(near[:, k] for k in range(near.shape[1])), gap], axis=2)
    return tile(groups, _COLUMNS)
