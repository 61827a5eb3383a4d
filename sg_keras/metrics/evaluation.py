"""From images and networks that see them to scores with their fingerprints: what the tool and training runs share."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sg_keras.config.metric_specs import MetricSpec
from sg_keras.features import FeatureExtractor, KnowsClasses
from sg_keras.metrics.checked import check_features
from sg_keras.metrics.extractors import short_name
from sg_keras.metrics.fakes import Fakes
from sg_keras.metrics.feature_blocks import FeatureCache, Features, features_of
from sg_keras.metrics.network_scores import NETWORK_FAMILIES, check_network, measure_network
from sg_keras.metrics.reals import Reals
from sg_keras.metrics.record import Score, versions
from sg_keras.metrics.scores import Seen, results

NO_CACHE = FeatureCache(None)
OnProgress: TypeAlias = Callable[[str, int, int], None]  # a stage, how many images are done, and of how many


def evaluate(
    specs: Sequence[MetricSpec],
    reals: Reals,
    fakes: Fakes,
    extractors: Mapping[str, FeatureExtractor],
    *,
    cache: FeatureCache = NO_CACHE,
    on_progress: OnProgress | None = None,
) -> list[Score]:
    """Scores with their fingerprints. One pass over the fakes serves all of them.

    Args:
        specs: as of `parse_metric`.
        reals: the images to compare with; whoever keeps them has them seen once for all fakes.
        fakes: what is scored.
        extractors: what sees the images, by MetricSpec.seen_by: see `open_extractors`.
        cache: of features.
        on_progress: is told how far it is; the stages are "reals", "fakes" and names of scores that see neither.

    Returns:
        In the order of the names; two each of pr50k3 (NAME_precision, NAME_recall) and is50k (NAME_mean, NAME_std).

    Raises:
        ValueError: there are too few images for a score, or they cannot be read or seen; one line.
        OSError: images cannot be read, or features not be kept; one line.

    Example:
        >>> def kd(G: sg_keras.models.Generator, dataset: sg_keras.data.ImageDataset) -> float:
        ...     spec = sg_keras.config.metric_specs.parse_metric("kd1k")
        ...     fakes = network_fakes(Renderer(G, FakeSampling()), "G_ema", dataset)
        ...     return evaluate([spec], dataset_reals(dataset), fakes, open_extractors([spec]))[0].value
    """
    for spec in specs:
        if spec.family in NETWORK_FAMILIES:
            check_network(spec, fakes.network)
    seen = _see(
        [spec for spec in specs if spec.family not in NETWORK_FAMILIES], reals, fakes, extractors, cache, on_progress
    )
    scores, packages = [], versions()
    for spec in specs:
        if spec.family in NETWORK_FAMILIES:
            told = of_stage(spec.name, spec.num_generated, on_progress)
            found = {spec.name: measure_network(spec, fakes.network, extractors, told)}
            depends = _of_network(spec, extractors.get(spec.seen_by))
        else:
            sight = seen[spec.seen_by]
            found = results(spec, sight.of_first_reals(reals.count_for(spec)))
            depends = _of_features(spec, sight, reals)
        fingerprint = {**depends, **fakes.made, "versions": packages}
        scores += [Score(name, one.value, one.low, one.high, fingerprint) for name, one in found.items()]
    return scores


@dataclasses.dataclass(frozen=True)
class _Sight:
    """What one network sees of reals and fakes."""

    extractor: FeatureExtractor
    real: Features
    fake: Features

    def of_first_reals(self, count: int) -> Seen:
        """What scores are made of that take so many reals; those of one count share it."""
        if count not in self._parts:
            probabilities = self.extractor.probabilities if isinstance(self.extractor, KnowsClasses) else None
            self._parts[count] = Seen(self.real.values[:count], self.fake.values, probabilities)
        return self._parts[count]

    @functools.cached_property
    def _parts(self) -> dict[int, Seen]:
        return {}


def _see(
    specs: Sequence[MetricSpec],
    reals: Reals,
    fakes: Fakes,
    extractors: Mapping[str, FeatureExtractor],
    cache: FeatureCache,
    on_progress: OnProgress | None,
) -> dict[str, _Sight]:
    """Features by MetricSpec.seen_by, as many as the scores need: one pass over reals and one over fakes."""
    if not specs:
        return {}
    used: dict[str, FeatureExtractor] = {spec.seen_by: extractors[spec.seen_by] for spec in specs}
    most_real, most_fake = images_needed(specs, reals)
    count = max(most_fake.values())
    blocks = fakes.blocks(count)  # before the reals are seen, which would be in vain if there are too few
    real = reals.features(used, most_real, cache, of_stage("reals", max(most_real.values()), on_progress))
    fake = features_of(blocks, used, most_fake, cache, of_stage("fakes", count, on_progress))
    for name in used:
        if len(real[name].values):
            check_features(real[name].values, fake[name].values)
    return {name: _Sight(extractor, real[name], fake[name]) for name, extractor in used.items()}


def images_needed(specs: Sequence[MetricSpec], reals: Reals) -> tuple[dict[str, int], dict[str, int]]:
    """How many reals and how many fakes each network must see for some scores, by MetricSpec.seen_by."""
    of_features = [spec for spec in specs if spec.family not in NETWORK_FAMILIES]
    return _most(of_features, reals.count_for), _most(of_features, lambda spec: spec.num_generated)


def _most(specs: Sequence[MetricSpec], count: Callable[[MetricSpec], int]) -> dict[str, int]:
    """Images that each extractor must see."""
    return {name: max(count(spec) for spec in specs if spec.seen_by == name) for name in {s.seen_by for s in specs}}


def of_stage(stage: str, total: int, on_progress: OnProgress | None) -> Callable[[int], None] | None:
    """What is told how many images of a stage are done, for the sake of `on_progress`; None where nobody asks."""
    return None if on_progress is None else lambda done: on_progress(stage, done, total)


def _of_network(spec: MetricSpec, extractor: FeatureExtractor | None) -> dict[str, Any]:
    """What a score depends on but for reals and fakes."""
    found: dict[str, Any] = {
        "metric": spec.name,
        "published": spec.seen_by != "features",
        "num_fake": spec.num_generated,
        "precision": "float16 distances" if spec.family == "pr" else "float32",
    }
    if extractor is not None:
        found |= {
            "extractor": short_name(extractor),
            "extractor_sha256": extractor.fingerprint,
            "resize": extractor.resize,
            "note": extractor.note,
        }
    return found


def _of_features(spec: MetricSpec, sight: _Sight, reals: Reals) -> dict[str, Any]:
    """What a score of features depends on."""
    real = sight.real.first(reals.count_for(spec))
    return {
        **_of_network(spec, sight.extractor),
        "real": real.content,
        "num_real": len(real.values),
        "copies": list(reals.copies) if spec.counts_copies else [],
        "conversion": reals.conversion,
        "divisor": "N",
        "num_features": sight.fake.values.shape[1],
        "fake": sight.fake.content,
    }
