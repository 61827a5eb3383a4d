"""What every network that sees offers to those who use its features."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np


class FeatureExtractor(Protocol):
    """Images to features. Scores of different fingerprints are not to be compared.

    Attributes:
        name: of the network, for people and file names.
        fingerprint: SHA-256 of all that features depend on: weights, and how images are made ready.
        resize: how images are made ready, in words.
        note: what those who read a score must know of the network.

    Example:
        >>> def spread(extractor: sg_keras.features.FeatureExtractor, images: np.ndarray) -> float:
        ...     return float(extractor.features(images).std(axis=0).mean())
        >>> spread(sg_keras.features.EfficientNetLite0(), np.zeros([2, 32, 32, 3], np.uint8)) < 1e-3
        True
    """

    resize: str = "none"
    note: str = ""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    def features(self, images: np.ndarray) -> np.ndarray:
        """Features of images, computed in batches.

        Args:
            images: uint8 [N,H,W,C] of any size, gray (C = 1), RGB (3) or RGBA (4).

        Returns:
            float32 [N,D].

        Raises:
            ValueError: they are of another type or shape.
        """
        ...


@runtime_checkable
class KnowsClasses(Protocol):
    """An extractor whose network names classes as well, for the inception score.

    Example:
        >>> isinstance(sg_keras.features.BoxAverages(), sg_keras.features.KnowsClasses)
        False
    """

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """float32 [N,classes], rows that add up to 1, from features [N,D]."""
        ...
