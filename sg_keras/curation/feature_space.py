"""How the images of a set lie to each other: a map, those far from the others, and where mirrored copies lie."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterator, Sequence

import numpy as np

_COMPONENTS = 50
_NEIGHBOURS = 5
_BLOCK_NUMBERS = 1 << 23  # distances at a time: 64 MB
_TSNE_MOST, _TSNE_LEAST = 5000, 12  # images
_FAR_DEVIATIONS, _FAR_RATIO = 4.0, 1.3
#: Mirrored copies may lie so much farther from the others than the images themselves, to pass for some of them.
MIRROR_LIMIT = 1.05
LEAST_FOR_MIRROR = 20  # images


@dataclasses.dataclass(frozen=True, slots=True)
class Map:
    """Places of all images in the plane.

    Attributes:
        method: "t-SNE" or "PCA".
        places: float64 [N,2], each axis from 0 to 1.
    """

    method: str
    places: np.ndarray


@dataclasses.dataclass(frozen=True, slots=True)
class MirrorFinding:
    """What left-right mirroring would do.

    Attributes:
        by_features: how far mirrored copies lie from the nearest other image (of their class, where there are
            classes), in units of the images' own distance; the median. None without a network.
        by_pixels: the same of small gray copies.
        moved: how far an image lies from its own mirrored copy, in the same unit; the median.
        looked_at: how many images were mirrored.
    """

    by_features: float | None
    by_pixels: float
    moved: float
    looked_at: int

    @property
    def is_natural(self) -> bool:
        """Whether mirrored copies pass for images of the set."""
        return max(self.by_pixels, self.by_features or 0) <= MIRROR_LIMIT


def principal_components(vectors: np.ndarray, most: int = _COMPONENTS) -> np.ndarray:
    """float64 [N,K]: coordinates along the directions of greatest variance; the sign of each is fixed.

    Args:
        vectors: [N,D].
        most: of K, which N and D limit as well.
    """
    centred = np.asarray(vectors, np.float64) - np.mean(vectors, axis=0, dtype=np.float64)
    if len(centred) < centred.shape[1]:  # the smaller of the two products has the same directions
        _, weights = np.linalg.eigh(centred @ centred.T)
        axes = centred.T @ weights
        axes = axes / np.maximum(np.linalg.norm(axes, axis=0), 1e-12)
    else:
        _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, : min(most, *vectors.shape)]
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.asarray(centred @ (axes * np.sign(largest)))


def map_of(components: np.ndarray, method: str = "auto") -> Map:
    """A map on which images that are alike lie together.

    Args:
        components: as of principal_components.
        method: tsne, pca, or auto: t-SNE where scikit-learn is installed and there are 12 to 5,000 images.

    Raises:
        ValueError: tsne without scikit-learn. One line.
    """
    installed = importlib.util.find_spec("sklearn") is not None
    if method == "tsne" and not installed:
        raise ValueError("--map: found tsne without scikit-learn, expected pca, or: pip install scikit-learn")
    count = len(components)
    if method == "tsne" or (method == "auto" and installed and _TSNE_LEAST <= count <= _TSNE_MOST):
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits

        perplexity = min(30.0, max(1.0, (count - 1) / 3))
        # Its threads wait for each other by spinning: on a busy machine that takes minutes.
        with threadpool_limits(1, user_api="openmp"):
            places = TSNE(init="pca", perplexity=perplexity, random_state=0, n_jobs=1).fit_transform(components)
        return Map("t-SNE", _in_unit_square(places))
    plane = np.zeros([count, 2])
    plane[:, : min(2, components.shape[1])] = components[:, :2]
    return Map("PCA", _in_unit_square(plane))


def _in_unit_square(places: np.ndarray) -> np.ndarray:
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray((places - low) / np.where(high > low, high - low, 1), np.float64)


def outlier_scores(components: np.ndarray) -> np.ndarray:
    """float64 [N]: mean distance to the five nearest others, in units of the median of that over the set."""
    count = len(components)
    if count < 3:
        return np.ones(count)
    neighbours = min(_NEIGHBOURS, count - 1)
    means = []
    for start, distances in _distances(components, components):
        rows = np.arange(len(distances))
        distances[rows, start + rows] = np.inf
        means.append(np.partition(distances, neighbours - 1, axis=1)[:, :neighbours].mean(axis=1))
    found = np.concatenate(means)
    return np.asarray(found / max(float(np.median(found)), 1e-12))


def far_ones(scores: np.ndarray) -> list[int]:
    """Indices whose score is out of the ordinary, the farthest first."""
    middle = np.median(scores)
    deviation = 1.4826 * np.median(np.abs(scores - middle))
    limit = max(middle + _FAR_DEVIATIONS * deviation, _FAR_RATIO * middle)
    return [int(index) for index in np.argsort(-scores, kind="stable") if scores[index] > limit]


def mirror_ratio(
    vectors: np.ndarray, mirrored: np.ndarray, chosen: np.ndarray, classes: Sequence[int] | None
) -> tuple[float, float]:
    """MirrorFinding's ratio, and how far an image lies from its mirrored copy.

    Args:
        vectors: [N,D] of all images.
        mirrored: [M,D] of the mirrored copies of some.
        chosen: int [M], which these are.
        classes: of all images; None = there are none.
    """
    own = _nearest_other(vectors[chosen], vectors, chosen, classes)
    other = _nearest_other(mirrored, vectors, chosen, classes)
    usable = np.isfinite(own) & np.isfinite(other)
    if not usable.any():
        return 1.0, 0.0
    unit = max(float(np.median(own[usable])), 1e-12)
    moved = np.linalg.norm(mirrored.astype(np.float64) - vectors[chosen], axis=1)
    return float(np.median(other[usable])) / unit, float(np.median(moved)) / unit


def _nearest_other(
    queries: np.ndarray, vectors: np.ndarray, own: np.ndarray, classes: Sequence[int] | None
) -> np.ndarray:
    nearest = []
    kinds = None if classes is None else np.array(classes)
    for start, distances in _distances(queries, vectors):
        mine = own[start : start + len(distances)]
        distances[np.arange(len(distances)), mine] = np.inf
        if kinds is not None:
            distances[kinds[mine][:, None] != kinds[None, :]] = np.inf
        nearest.append(distances.min(axis=1))
    return np.concatenate(nearest)


def _distances(queries: np.ndarray, vectors: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks of Euclidean distances, float64 [n,N], each with the number of its first row."""
    vectors = np.asarray(vectors, np.float64)
    squares = np.square(vectors).sum(axis=1)
    step = max(1, _BLOCK_NUMBERS // max(len(vectors), 1))
    for start in range(0, len(queries), step):
        rows = np.asarray(queries[start : start + step], np.float64)
        squared = np.square(rows).sum(axis=1)[:, None] + squares - 2 * rows @ vectors.T
        yield start, np.sqrt(np.maximum(squared, 0))
