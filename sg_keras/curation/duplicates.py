"""Images that are there more than once: to the last bit, or nearly."""

from __future__ import annotations

import collections
from collections.abc import Sequence

import numpy as np
import scipy.fft
from PIL import Image

#: Bits of 64 in which the hashes of near duplicates may differ, where features must agree too, and where not.
NEAR_BITS, NEAR_BITS_ALONE = 8, 5
#: Correlation that small copies of near duplicates have at least.
NEAR_CORRELATION = 0.95
#: How far apart their features may be, in units of their own length. With EfficientNet-Lite0 JPEG quality 80 moves
#: photographs of 128x128 by 0.3 to 0.6, quality 50 by 0.4 to 0.7, another size by 0.2 to 0.4.
NEAR_DISTANCE = 0.7
_SIDE, _KEPT = 32, 8  # of the small copy, and of its lowest frequencies
_BLOCK_NUMBERS = 1 << 24  # comparisons at a time: 64 MB


def perceptual_hash(luma: np.ndarray) -> int:
    """64 bits that hardly change where an image is resized, compressed or made brighter.

    Bit by bit, whether a low frequency of the cosine transform is above their median (the DCT hash of Zauner,
    "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010).

    Args:
        luma: [H,W] in 0..255.
    """
    small = Image.fromarray(np.asarray(luma, np.float32)).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    low = scipy.fft.dctn(np.asarray(small, np.float64), norm="ortho")[:_KEPT, :_KEPT].ravel()
    bits = low > np.median(low[1:])  # the first is the mean
    return int(sum(1 << number for number in np.flatnonzero(bits)))


def exact_groups(hashes: Sequence[str]) -> list[list[int]]:
    """Groups of two and more indices with the same hash, in the order of their first members."""
    members = collections.defaultdict(list)
    for index, value in enumerate(hashes):
        members[value].append(index)
    return [group for group in members.values() if len(group) > 1]


def near_groups(
    hashes: Sequence[int], smalls: np.ndarray, features: np.ndarray | None, least_contrast: float = 2.0
) -> list[list[int]]:
    """Groups of two and more indices whose images look the same: the first, and all that look like that one.

    Args:
        hashes: as of `perceptual_hash`.
        smalls: [N,D], pixels of small colour copies in 0..255, which must agree.
        features: float [N,D], which must agree; None = they are not asked.
        least_contrast: standard deviation of the pixels below which an image is flat, and in no group.
    """
    signs = np.array([[1 if value >> bit & 1 else -1 for bit in range(_KEPT**2)] for value in hashes], np.float32)
    bits = NEAR_BITS_ALONE if features is None else NEAR_BITS
    flat = smalls.std(axis=1) < least_contrast
    taken: set[int] = set()
    groups = []
    step = max(1, _BLOCK_NUMBERS // max(len(signs), 1))
    for start in range(0, len(signs), step):
        # Of signs, a product of 64 less twice the bits that differ.
        near = signs[start : start + step] @ signs.T >= _KEPT**2 - 2 * bits
        for first, row in enumerate(near, start):
            if first in taken or flat[first]:
                continue
            others = (int(other) for other in np.flatnonzero(row[first + 1 :]) + first + 1)
            alike = [
                other
                for other in others
                if other not in taken
                and not flat[other]
                and _correlation(smalls[first], smalls[other]) >= NEAR_CORRELATION
                and (features is None or _distance(features[first], features[other]) <= NEAR_DISTANCE)
            ]
            if alike:
                groups.append([first, *alike])
                taken.update(alike)
    return groups


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.corrcoef(np.asarray(first, np.float64), np.asarray(second, np.float64))[0, 1])


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    length = np.sqrt(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.linalg.norm(first - second) / max(length, 1e-12))
