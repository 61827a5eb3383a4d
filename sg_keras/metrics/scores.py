"""Scores on the features of one network, each with an interval: what `--metrics` names, made of reals and fakes."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from sg_keras.config.metric_specs import MetricSpec
from sg_keras.config.named_errors import errors_named
from sg_keras.metrics.bootstrap import bootstrap_interval, interval, interval_of_mean
from sg_keras.metrics.checked import check_features
from sg_keras.metrics.frechet import FeatureMoments, frechet_distance, standard_error
from sg_keras.metrics.inception_score import inception_score
from sg_keras.metrics.kernel_distance import KernelSums, first_order_error, subset_kernel_distances
from sg_keras.metrics.memorisation import authenticity
from sg_keras.metrics.precision_recall import DensityCoverage, PrecisionRecall, density_coverage, precision_recall
from sg_keras.metrics.sliced_distance import mind

MOST_IN_FULL = 1000  # fakes, for a kernel distance over all pairs; with more, the mean over subsets of so many
_MOST_REALS_IN_FULL = 20_000
_SUBSETS = 100
_SPLITS = 10  # of the inception score, as published
_FEW_DIRECTIONS = 100  # of MIND, for its spread


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """A score, and the ends of its 95% interval: what other fakes of the same generator would give."""

    value: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class Seen:
    """What scores are made of. What several scores need is computed once.

    Attributes:
        real: float32 [N,D], features of all reals.
        fake: float32 [M,D], of as many fakes as the score takes.
        probabilities: from features [M,D] to those of classes [M,C]; None = there are none.
    """

    real: np.ndarray
    fake: np.ndarray
    probabilities: Callable[[np.ndarray], np.ndarray] | None

    def of_first(self, count: int) -> Seen:
        """With the first fakes alone, of which equal counts share what was computed."""
        if count not in self._parts:
            self._parts[count] = dataclasses.replace(self, fake=self.fake[:count])
        return self._parts[count]

    @functools.cached_property
    def precision_recall(self) -> PrecisionRecall:
        """Of the features in float32."""
        return precision_recall(self.real, self.fake)

    @functools.cached_property
    def density_coverage(self) -> DensityCoverage:
        """Of the features in float32."""
        return density_coverage(self.real, self.fake)

    @functools.cached_property
    def _parts(self) -> dict[int, Seen]:
        return {}


def measure(spec: MetricSpec, seen: Seen) -> Measured:
    """One score.

    Args:
        spec: of a family of OFFLINE_FAMILIES, or of fid or kid.
        seen: features of more fakes than the score takes, of which it takes the first.

    Raises:
        ValueError: there are fewer fakes than it takes, or too few images for this score; one line.
    """
    _check_count(spec, seen)
    with errors_named(spec.name):
        return _FAMILIES[spec.family](seen.of_first(spec.num_generated))


def results(spec: MetricSpec, seen: Seen) -> dict[str, Measured]:
    """What a score gives, by the published names of results: pr50k3_full has precision and recall, is50k mean and std.

    Arguments and errors are as those of `measure`. The standard deviation of is50k, which is that of ten splits, has no
    interval.
    """
    if spec.seen_by == "features" or spec.family not in _SEVERAL:
        return {spec.name: measure(spec, seen)}
    _check_count(spec, seen)
    with errors_named(spec.name):
        found = _SEVERAL[spec.family](seen.of_first(spec.num_generated))
    return {f"{spec.name}_{ending}": value for ending, value in found.items()}


def _check_count(spec: MetricSpec, seen: Seen) -> None:
    if len(seen.fake) < spec.num_generated:
        raise ValueError(f"{spec.name}: found {len(seen.fake)} images, expected {spec.num_generated} at least")


def _frechet(seen: Seen) -> Measured:
    real = FeatureMoments.of(seen.real)
    value = frechet_distance(real, FeatureMoments.of(seen.fake))
    return Measured(value, *interval(value, standard_error(real, seen.fake)))


def _kernel(seen: Seen) -> Measured:
    check_features(seen.real, seen.fake, least=2)
    if len(seen.fake) <= MOST_IN_FULL and len(seen.real) <= _MOST_REALS_IN_FULL:
        sums = KernelSums(seen.real, seen.fake)
        value = sums.distance()
        return Measured(value, *interval(value, sums.standard_error()))
    return _kernel_of_subsets(seen)


def _kernel_of_subsets(seen: Seen) -> Measured:
    found = subset_kernel_distances(
        seen.real, seen.fake, subsets=_SUBSETS, size=MOST_IN_FULL, random=np.random.default_rng(0)
    )
    # Subsets overlap, so that their mean spreads more than a tenth of what they do: single fakes, then pairs of them.
    pairs = float(found.std(ddof=1)) * min(1.0, MOST_IN_FULL / len(seen.fake))
    single = first_order_error(seen.real[:_MOST_REALS_IN_FULL], seen.fake)
    value, error = float(found.mean()), float(np.hypot(single, pairs))
    return Measured(value, *interval(value, error))


def _sliced(seen: Seen) -> Measured:
    value = mind(seen.real, seen.fake)
    few = functools.partial(mind, seen.real, directions=_FEW_DIRECTIONS)
    return Measured(value, *bootstrap_interval(few, seen.fake, value=value))


def _mean(values: np.ndarray, scale: float = 1.0) -> Measured:
    return Measured(scale * float(np.mean(values)), *interval_of_mean(values, scale=scale))


def _share(values: np.ndarray, scale: float = 1.0) -> Measured:
    found = _mean(values, scale)
    return Measured(found.value, max(found.low, 0.0), min(found.high, scale))


def _inception(seen: Seen) -> dict[str, Measured]:
    if seen.probabilities is None:
        raise ValueError("found features without classes, expected those of a network that has some")
    mean, std = inception_score(seen.probabilities(seen.fake), splits=_SPLITS)
    return {"mean": Measured(mean, *interval(mean, std / np.sqrt(_SPLITS))), "std": Measured(std, std, std)}


def _rounded_precision_recall(seen: Seen) -> dict[str, Measured]:
    found = precision_recall(seen.real, seen.fake, half=True)
    return {"precision": _share(found.precision), "recall": _share(found.recall)}


_FAMILIES: dict[str, Callable[[Seen], Measured]] = {
    "fd": _frechet,
    "kd": _kernel,
    "mind": _sliced,
    "precision": lambda seen: _share(seen.precision_recall.precision),
    "recall": lambda seen: _share(seen.precision_recall.recall),
    "density": lambda seen: _mean(seen.density_coverage.density),
    "coverage": lambda seen: _share(seen.density_coverage.coverage),
    "is": lambda seen: _inception(seen)["mean"],
    "authpct": lambda seen: _share(authenticity(seen.real, seen.fake).authentic, 100),
    "fid": _frechet,
    "kid": _kernel_of_subsets,
}
_SEVERAL: dict[str, Callable[[Seen], dict[str, Measured]]] = {"is": _inception, "pr": _rounded_precision_recall}
