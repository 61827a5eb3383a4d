"""Inception score (arXiv:1606.03498): whether classes are clear in each image and many over all."""

from __future__ import annotations

import numpy as np


def inception_score(probabilities: np.ndarray, *, splits: int = 10) -> tuple[float, float]:
    """exp of the mean divergence of an image's class probabilities from the mean ones.

    Args:
        probabilities: [N,classes]; as published, without the output layer's bias.
        splits: consecutive parts of which each has a score.

    Returns:
        Mean and population standard deviation over the parts.

    Raises:
        ValueError: there are fewer rows than splits, or NaN or Inf among them.

    Example:
        >>> sg_keras.metrics.inception_score(np.tile([[1.0, 0.0], [0.0, 1.0]], [10, 1]), splits=2)[0]
        2.0
    """
    count = len(probabilities)
    if count < splits:
        raise ValueError(f"probabilities: found {count} rows, expected {splits} at least, one for each split")
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities: found NaN or Inf, expected finite numbers")
    scores = []
    for number in range(splits):
        part = probabilities[number * count // splits : (number + 1) * count // splits].astype(np.float64)
        mean = part.mean(axis=0, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(part > 0, part * (np.log(part) - np.log(mean)), 0)
        scores.append(np.exp(terms.sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))
