"""BRISQUE, a score of how distorted an image looks, from its pixels alone (Mittal, Moorthy and Bovik, 2012).

"No-Reference Image Quality Assessment in the Spatial Domain", IEEE Transactions on Image Processing 21 (12): luma is
normalised by its local mean and deviation (equation 1), generalised Gaussians are fitted by moments to what comes out
and to products of neighbours (section III), at two scales, and a regression takes the 36 features to a score.
The regression is the published one (`data/brisque_ATTRIBUTION.txt`).
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import io
from collections.abc import Mapping

import numpy as np
import scipy.ndimage
import scipy.special
from PIL import Image

MODEL_FILE = "brisque.npz"
MODEL_SHA256 = "77fb811c8999eb8be8c0c404e2f265618df3dae96e2ed37125f810b6709e6314"
FEATURES = 36
#: Pixels that each side must have: the regression saw photographs of 512x768, and of small images says nothing.
LEAST_SIDE = 64
_RADIUS, _SIGMA = 3, 7 / 6  # of the window
_STABILISER = 1.0  # of deviations, in steps of 0..255
_SHAPES = np.arange(0.2, 10.001, 0.001)  # of generalised Gaussians, which are tried


def brisque(luma: np.ndarray) -> float | None:
    """The score of an image: 0 to 100 or so, the lower the better; blur, noise and compression raise it.

    Args:
        luma: [H,W] in 0..255.

    Returns:
        None where a side is below LEAST_SIDE, or where the image is too flat to tell.
    """
    features = brisque_features(luma)
    if features is None:
        return None
    model = _model()
    scaled = 2 * (features - model["least"]) / (model["most"] - model["least"]) - 1
    distances = np.square(model["vectors"] - scaled).sum(axis=1)
    return float(model["weights"] @ np.exp(-model["gamma"] * distances) - model["rho"])


def brisque_features(luma: np.ndarray) -> np.ndarray | None:
    """float64 [36]: 18 of the image and 18 of its half. None as of `brisque`."""
    if min(luma.shape) < LEAST_SIDE:
        return None
    whole = np.asarray(luma, np.float32)
    half = Image.fromarray(whole).resize(((luma.shape[1] + 1) // 2, (luma.shape[0] + 1) // 2), Image.Resampling.BICUBIC)
    features = np.array([*_of_scale(whole.astype(np.float64)), *_of_scale(np.asarray(half, np.float64))])
    return features if np.isfinite(features).all() else None


def _of_scale(luma: np.ndarray) -> list[float]:
    normalised = _normalised(luma)
    shape, left, right = _fitted(normalised)
    features = [shape, (left + right) / 2]
    for first, second in (
        (normalised[:, :-1], normalised[:, 1:]),
        (normalised[:-1], normalised[1:]),
        (normalised[:-1, :-1], normalised[1:, 1:]),
        (normalised[:-1, 1:], normalised[1:, :-1]),
    ):
        shape, left, right = _fitted(first * second)
        features += [shape, _mean(shape, left, right), left, right]
    return features


def _normalised(luma: np.ndarray) -> np.ndarray:
    """By the mean and deviation under a Gaussian window, with zeros around the image."""
    offsets = np.arange(-_RADIUS, _RADIUS + 1)
    window = np.exp(-np.square(offsets) / (2 * _SIGMA**2))
    window /= window.sum()

    def smoothed(values: np.ndarray) -> np.ndarray:
        rows = scipy.ndimage.correlate1d(values, window, axis=0, mode="constant")
        return scipy.ndimage.correlate1d(rows, window, axis=1, mode="constant")

    mean = smoothed(luma)
    deviation = np.sqrt(np.abs(smoothed(np.square(luma)) - np.square(mean)))
    return (luma - mean) / (deviation + _STABILISER)


def _fitted(values: np.ndarray) -> tuple[float, float, float]:
    """Shape, and variances to the left and right of 0, of the asymmetric generalised Gaussian with equal moments.

    All are NaN where values are on one side of 0 alone.
    """
    below, above = values[values < 0], values[values > 0]
    if not below.size or not above.size:
        return np.nan, np.nan, np.nan
    left, right = float(np.mean(np.square(below))), float(np.mean(np.square(above)))
    ratio = np.sqrt(left / right)
    moments = np.mean(np.abs(values)) ** 2 / np.mean(np.square(values))
    wanted = moments * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    ratios = _moment_ratios()
    return float(_SHAPES[np.argmin(np.abs(ratios - wanted))]), left, right


def _mean(shape: float, left: float, right: float) -> float:
    """Of the fitted distribution."""
    gamma = scipy.special.gamma
    scale = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return float((np.sqrt(right) - np.sqrt(left)) * scale * gamma(2 / shape) / gamma(1 / shape))


@functools.cache
def _moment_ratios() -> np.ndarray:
    """E[|x|]^2 / E[x^2] by shape."""
    gamma = scipy.special.gamma
    return np.asarray(gamma(2 / _SHAPES) ** 2 / (gamma(1 / _SHAPES) * gamma(3 / _SHAPES)))


@functools.cache
def _model() -> Mapping[str, np.ndarray]:
    """The regression: support vectors [770,36], their weights, and ranges of features.

    Raises:
        ValueError: the file is not as it was made. One line.
    """
    place = importlib.resources.files("sg_keras.curation") / "data" / MODEL_FILE
    content = place.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != MODEL_SHA256:
        raise ValueError(f"{place}: found SHA-256 {found}, expected {MODEL_SHA256}: install sg_keras again")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: array.astype(np.float64) for name, array in arrays.items()}
