"""What makes the scores of a run: its reals, its G_ema, and the networks that see both."""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from sg_keras.config.metric_specs import MetricSpec, parse_metric
from sg_keras.features import FeatureExtractor
from sg_keras.files.cache import cache_folder
from sg_keras.files.errors import first_line
from sg_keras.metrics.evaluation import OnProgress, evaluate, images_needed, of_stage
from sg_keras.metrics.extractors import open_extractors
from sg_keras.metrics.fakes import Fakes, network_fakes
from sg_keras.metrics.feature_blocks import FeatureCache
from sg_keras.metrics.neighbours import k_nearest
from sg_keras.metrics.reals import Reals, dataset_reals
from sg_keras.metrics.record import Score
from sg_keras.metrics.rendering import FakeSampling, Renderer
from sg_keras.models import Generator, in_full_precision
from sg_keras.training.callbacks.nearest_sheet import FAKES, NEAREST, nearest_sheet
from sg_keras.training.distribution.shared_features import SharedFeatures
from sg_keras.training.session import Session

_LOGGER = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class ScoredSnapshot:
    """What there is to say of a snapshot.

    Attributes:
        scores: one for each that was asked for.
        sheet: fakes beside their nearest reals, uint8 [H,W,1 or 3]; None = not asked for.
    """

    scores: list[Score]
    sheet: np.ndarray | None

    @property
    def by_metric(self) -> dict[str, list[Score]]:
        """Scores by the metric that they are results of: one each, but of published metrics that have two."""
        found: dict[str, list[Score]] = {}
        for score in self.scores:
            found.setdefault(score.fingerprint["metric"], []).append(score)
        return found


class RunScorer:
    """Makes scores of a run's G_ema. What is needed for it is opened with the first one.

    Args:
        session: of the run.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._cache = FeatureCache(cache_folder() / "features")
        self._opened: dict[str, FeatureExtractor] = {}
        self._networks = sorted({parse_metric(name).seen_by for name in session.config.run.metrics} - {""})
        self._reals_shared: dict[str, int] = {}

    def scored(self, names: Sequence[str], snapshot: str, on_progress: OnProgress) -> ScoredSnapshot:
        """Scores of G_ema as it is now.

        Args:
            names: of the metrics.
            snapshot: name of the snapshot that holds the same weights.
            on_progress: is told how far it is.

        Raises:
            ValueError, OSError: as of `evaluate`; one line.
        """
        specs = self._with_networks([parse_metric(name) for name in names])
        fakes = self._fakes(snapshot)
        self._see_together(specs, fakes, on_progress)
        scores = self._evaluated(specs, fakes, on_progress)
        sheet = self._sheet(specs, fakes) if any(spec.family == "authpct" for spec in specs) else None
        return ScoredSnapshot(scores, sheet)

    def agreed(self, names: Sequence[str]) -> list[str]:
        """Metrics whose scores are made next: what the chief says here, on every worker."""
        return list(names) if self._shared is None else json.loads(self._shared.chosen_by_chief(json.dumps(names)))

    def take_part(self, names: Sequence[str]) -> None:
        """See this worker's part of the images for scores that the chief makes.

        Raises:
            Exception: as of `SharedFeatures.fill`.
        """
        specs = self._with_networks([parse_metric(name) for name in names])
        self._see_together(specs, self._fakes(""), None)

    @functools.cached_property
    def _shared(self) -> SharedFeatures | None:
        session = self._session
        return None if session.cluster is None else SharedFeatures(session.strategy, session.cluster)

    def _see_together(self, specs: Sequence[MetricSpec], fakes: Fakes, on_progress: OnProgress | None) -> None:
        """Let all workers see the images, so that `evaluate` finds the features in the chief's cache."""
        if self._shared is None:
            return
        opened = self._shared.everywhere(name in self._opened for name in self._networks)
        common = {name for name, is_there in zip(self._networks, opened, strict=True) if is_there}
        reals, most = images_needed([spec for spec in specs if spec.seen_by in common], self._reals)
        extractors = {name: self._opened[name] for name in most}
        if not extractors:
            return
        if reals != self._reals_shared:
            total = max(reals.values())
            blocks, tell = self._reals.blocks(), of_stage("reals", total, on_progress)
            if not self._shared.fill(blocks, extractors, reals, self._cache, tell):
                return
            self._reals_shared = reals
        total = max(most.values())
        self._shared.fill(fakes.blocks(total), extractors, most, self._cache, of_stage("fakes", total, on_progress))

    def _evaluated(self, specs: Sequence[MetricSpec], fakes: Fakes, on_progress: OnProgress) -> list[Score]:
        """All together in one pass over the images; where that fails, those for themselves that can be made."""
        evaluated = functools.partial(
            evaluate,
            reals=self._reals,
            fakes=fakes,
            extractors=self._opened,
            cache=self._cache,
            on_progress=on_progress,
        )
        try:
            return evaluated(specs)
        except ValueError as error:
            if len(specs) == 1:
                raise
            _LOGGER.warning("not all scores can be made: %s", error)
        return [score for spec in specs for score in self._alone(spec, evaluated)]

    def _alone(self, spec: MetricSpec, evaluated: Callable[[Sequence[MetricSpec]], list[Score]]) -> list[Score]:
        try:
            return evaluated([spec])
        except ValueError:  # said before
            return []

    def _with_networks(self, specs: Sequence[MetricSpec]) -> list[MetricSpec]:
        """Those whose network is there; of each other network a warning says why it is not."""
        run, reasons = self._session.config.run, dict[str, str]()
        for spec in specs:
            if spec.seen_by in self._opened or spec.seen_by in reasons:
                continue
            try:
                self._opened |= open_extractors([spec], run.features, run.inception, run.vgg16)
            except (ValueError, OSError) as error:
                reasons[spec.seen_by] = first_line(error)
        for network, reason in reasons.items():
            without = ", ".join(spec.name for spec in specs if spec.seen_by == network)
            _LOGGER.warning("no %s: %s", without, reason)
        return [spec for spec in specs if spec.seen_by not in reasons]

    def _fakes(self, snapshot: str) -> Fakes:
        G_ema = self._session.model.G_ema
        if self._G is not G_ema:
            self._G.set_weights(G_ema.get_weights())
        return network_fakes(self._renderer, snapshot, self._session.dataset)

    @functools.cached_property
    def _renderer(self) -> Renderer:
        return Renderer(self._G, FakeSampling(), self._session.strategy)

    @functools.cached_property
    def _G(self) -> Generator:
        """G_ema in full precision, in which snapshots are loaded, so that their scores are those of the run."""
        model, ops = self._session.model, self._session.config.ops
        with self._session.strategy.scope():
            return cast(Generator, in_full_precision(model.G_ema, ops, copied=model.may_compute_in_half))

    @functools.cached_property
    def _reals(self) -> Reals:
        return dataset_reals(self._session.dataset)

    def _sheet(self, specs: Sequence[MetricSpec], fakes: Fakes) -> np.ndarray:
        """Of the first fakes. Their reals' features are there already."""
        name = next(spec.seen_by for spec in specs if spec.family == "authpct")
        extractor = self._opened[name]
        some = np.stack([*next(iter(fakes.blocks(FAKES))).images()])
        real = self._reals.features({name: extractor}, {name: self._reals.num_images}, self._cache)[name]
        _, nearest = k_nearest(extractor.features(some), real.values, min(NEAREST, len(real.values)))
        dataset = self._session.dataset
        return nearest_sheet(some, np.stack([dataset.images(row) for row in nearest]))
