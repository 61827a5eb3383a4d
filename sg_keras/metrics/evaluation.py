"""From images and networks that see them to scores with their fingerprints: what the tool and training runs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sg_keras.config.metric_specs import MetricSpec
from sg_keras.features import FeatureExtractor, KnowsClasses
from sg_keras.metrics.extractors import short_name
from sg_keras.metrics.fakes import Fakes
from sg_keras.metrics.feature_blocks import FeatureCache, Features, features_of
from sg_keras.metrics.reals import Reals
from sg_keras.metrics.record import Score, versions
from sg_keras.metrics.scores import Seen, measure

OnProgress: TypeAlias = Callable[[str, int, int], None]  # a stage, how many images are done, and of how many


def evaluate(
    specs: Sequence[MetricSpec],
    reals: Reals,
    fakes: Fakes,
    extractors: Mapping[str, FeatureExtractor],
    *,
    cache: FeatureCache | None = None,
    on_progress: OnProgress | None = None,
) -> list[Score]:
    """Scores, in the order of their names. One pass over the fakes serves all of them.

    Args:
        specs: as of `parse_metric`.
        reals: the images to compare with; whoever keeps them has them seen once for all fakes.
        fakes: what is scored.
        extractors: what sees the images, by MetricSpec.seen_by: see `open_extractors`.
        cache: of features; None = keep none.
        on_progress: is told how far it is; the stages are "reals" and "fakes".

    Raises:
        ValueError: there are too few images for a score, or they cannot be read or seen; one line.
        OSError: images cannot be read, or features not be kept; one line.

    Example:
        >>> def kd(G: sg_keras.models.Generator, dataset: sg_keras.data.ImageDataset) -> float:
        ...     spec = sg_keras.config.metric_specs.parse_metric("kd1k")
        ...     fakes = network_fakes(Renderer(G, FakeSampling()), "G_ema", dataset)
        ...     return evaluate([spec], dataset_reals(dataset), fakes, open_extractors([spec]))[0].value
    """
    cache = cache or FeatureCache(None)
    used: dict[str, FeatureExtractor] = {spec.seen_by: extractors[spec.seen_by] for spec in specs}
    most_real = _most(specs, reals.count_for)
    real = reals.features(used, most_real, cache, _told("reals", most_real, on_progress))
    most_fake = _most(specs, lambda spec: spec.num_generated)
    blocks = fakes.blocks(max(most_fake.values()))
    fake = features_of(blocks, used, most_fake, cache, _told("fakes", most_fake, on_progress))
    scores, seen = [], dict[tuple[str, int], Seen]()
    for spec in specs:
        extractor, of_reals = used[spec.seen_by], real[spec.seen_by].first(reals.count_for(spec))
        key = (spec.seen_by, len(of_reals.values))
        if key not in seen:
            probabilities = extractor.probabilities if isinstance(extractor, KnowsClasses) else None
            seen[key] = Seen(of_reals.values, fake[spec.seen_by].values, probabilities)
        found = measure(spec, seen[key])
        fingerprint = {
            **_of_score(spec, extractor, of_reals, reals.mirror and spec.counts_copies),
            **fakes.made,
            "fake": fake[spec.seen_by].content,
            "versions": versions(),
        }
        scores.append(Score(spec.name, found.value, found.low, found.high, fingerprint))
    return scores


def _most(specs: Sequence[MetricSpec], count: Callable[[MetricSpec], int]) -> dict[str, int]:
    """Images that each extractor must see."""
    return {name: max(count(spec) for spec in specs if spec.seen_by == name) for name in {s.seen_by for s in specs}}


def _told(stage: str, most: Mapping[str, int], on_progress: OnProgress | None) -> Callable[[int], None] | None:
    return None if on_progress is None else lambda done: on_progress(stage, done, max(most.values()))


def _of_score(spec: MetricSpec, extractor: FeatureExtractor, real: Features, mirror: bool) -> dict[str, Any]:
    """What a score depends on but for its fakes."""
    return {
        "metric": spec.name,
        "published": spec.seen_by != "features",
        "num_fake": spec.num_generated,
        "extractor": short_name(extractor),
        "extractor_sha256": extractor.fingerprint,
        "resize": extractor.resize,
        "note": extractor.note,
        "real": real.content,
        "num_real": len(real.values),
        "num_features": real.values.shape[1],
        "mirror": mirror,
        "divisor": "N",
    }
