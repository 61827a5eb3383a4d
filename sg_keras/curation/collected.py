"""Gathers what looks at images give, one after the other, and has a network see them in batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sg_keras.curation.feature_space import LEAST_FOR_MIRROR, MirrorFinding, mirror_ratio
from sg_keras.curation.kept_looks import LookMemory
from sg_keras.curation.quality import SMALL_SIDE, Looked, Measures

if TYPE_CHECKING:
    from sg_keras.features import FeatureExtractor

_BATCH = 16
_MIRRORED_MOST = 500  # images whose mirrored copies are looked at
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclasses.dataclass(frozen=True, slots=True)
class Space:
    """Vectors of all readable images, in their order.

    Attributes:
        vectors: of features, or where there is no network of small gray copies.
        has_features: which of the two.
        smalls: uint8 [N,3072], pixels of small colour copies.
        mirror: None where there are too few images.
    """

    vectors: np.ndarray
    has_features: bool
    smalls: np.ndarray
    mirror: MirrorFinding | None


class Collected:
    """What all looks gave; features are computed in batches meanwhile.

    Args:
        extractor: gives features; None = there are none.
        count: images, readable or not.
        memory: has features of some batches, and takes the others.
        see: gives what the network sees of an image that came without: uint8 [224,224,3].
    """

    def __init__(
        self, extractor: FeatureExtractor | None, count: int, memory: LookMemory, see: Callable[[int], np.ndarray]
    ) -> None:
        self.measures: dict[int, Measures] = {}
        self.bad: dict[int, str] = {}
        self.thumbnails: dict[int, bytes] = {}
        self.network = "" if extractor is None else extractor.name
        self._extractor, self._memory, self._see = extractor, memory, see
        self._every = max(1, -(-count // _MIRRORED_MOST))
        self._smalls: list[np.ndarray] = []
        self._mirrored_at: list[int] = []  # places among the readable images
        self._waiting: list[Looked] = []
        self._waiting_mirrored: list[Looked] = []
        self._features: list[np.ndarray] = []
        self._mirrored_features: list[np.ndarray] = []

    def add(self, looked: Looked) -> None:
        """Take what a look at the next image gave."""
        if looked.measures is None or looked.small is None:
            self.bad[looked.index] = looked.reason
            return
        place = len(self.measures)
        self.measures[looked.index] = looked.measures
        self.thumbnails[looked.index] = looked.thumbnail
        self._smalls.append(looked.small)
        mirrors = place % self._every == 0
        if mirrors:
            self._mirrored_at.append(place)
        if self._extractor is not None:
            self._waiting.append(looked)
            self._waiting_mirrored += [looked] if mirrors else []
            if len(self._waiting) == _BATCH:
                self._flush()

    def _flush(self) -> None:
        for waiting, mirrored, done in (
            (self._waiting, False, self._features),
            (self._waiting_mirrored, True, self._mirrored_features),
        ):
            if waiting and self._extractor is not None:
                done.append(self._features_of(waiting, mirrored, self._extractor))
                waiting.clear()

    def _features_of(self, batch: Sequence[Looked], mirrored: bool, extractor: FeatureExtractor) -> np.ndarray:
        contents = [looked.content for looked in batch]
        values = self._memory.features(extractor.fingerprint, contents, mirrored)
        if values is None:
            seen = [self._see(looked.index) if looked.seen is None else looked.seen for looked in batch]
            values = extractor.features(np.stack(seen)[:, :, ::-1] if mirrored else np.stack(seen))
            self._memory.keep_features(extractor.fingerprint, contents, mirrored, values)
        return values

    def space(self, classes: Sequence[int] | None) -> Space:
        """Vectors of all images, and what mirroring does to them."""
        self._flush()
        smalls = np.stack(self._smalls) if self._smalls else np.zeros([0, SMALL_SIDE, SMALL_SIDE, 3], np.uint8)
        grays = smalls @ _LUMA  # [N,32,32]
        flat = grays.reshape([len(grays), SMALL_SIDE**2])
        features = np.concatenate(self._features) if self._features else None
        mirror = None
        if len(flat) >= LEAST_FOR_MIRROR:
            chosen = np.array(self._mirrored_at)
            turned = grays[chosen][:, :, ::-1].reshape([len(chosen), -1])
            by_pixels, moved = mirror_ratio(flat, turned, chosen, classes)
            by_features = None
            if features is not None:
                by_features, moved = mirror_ratio(features, np.concatenate(self._mirrored_features), chosen, classes)
            mirror = MirrorFinding(by_features, by_pixels, moved, len(chosen))
        return Space(
            flat if features is None else features,
            features is not None,
            smalls.reshape([len(smalls), 3 * SMALL_SIDE**2]),
            mirror,
        )
