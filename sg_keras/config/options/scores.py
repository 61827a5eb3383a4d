"""Options of the scores of a run's snapshots."""

from __future__ import annotations

import dataclasses

from sg_keras.config.metric_specs import DEFAULT_METRIC, FEWEST_REALS
from sg_keras.config.options.declaration import RUN, Resume, option
from sg_keras.config.options.kinds import Condition, FeatureNetwork, Integer, Metrics, Number, PathName
from sg_keras.config.options.networks import DataOptions


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ScoreOptions(DataOptions):
    """Which scores a run makes, when, and with which networks."""

    metrics: tuple[str, ...] | None = option(
        RUN,
        Metrics(),
        "Scores of each snapshot and how many images each takes, such as kd5k,fd10k, or none.",
        default=None,
        default_text=f"{DEFAULT_METRIC} where there are {FEWEST_REALS:,} images or more, or else none",
        sets="run.metrics",
        resume=Resume.ANY,
    )
    metrics_ticks: int | None = option(
        RUN,
        Integer(1),
        "Save and score a snapshot every so many ticks, beside those of --snap, which then go without scores.",
        "TICKS",
        default=None,
        default_text="a score with each of --snap",
        sets="run.metrics_ticks",
        resume=Resume.ANY,
    )
    metrics_share: float = option(
        RUN,
        Number(0.0, 1.0),
        "Share of the run's time that scores may take. A snapshot whose scores would need more goes without.",
        default=0.05,
        sets="run.metrics_share",
        resume=Resume.ANY,
    )
    features: str = option(
        RUN,
        FeatureNetwork(),
        "What sees the images for scores: effnetlite0; for small sets unlike photographs boxes, an 8x8 grid of "
        "averages, or discriminator:RUN, that of a run or snapshot.",
        default="effnetlite0",
        sets="run.features",
        resume=Resume.ANY,
    )
    inception: str | None = option(
        RUN,
        PathName("a file or its address"),
        "The Inception graph of fid, kid and is50k: classify_image_graph_def.pb, or the .tgz that holds it.",
        "FILE|URL",
        default=None,
        default_text="a copy that is kept, or else it is fetched",
        sets="run.inception",
        resume=Resume.ANY,
    )
    vgg16: str | None = option(
        RUN,
        PathName("a file or its address"),
        "Keras' weights of VGG16 for pr and ppl, which are not those of the published VGG.",
        "FILE|URL",
        default=None,
        default_text="a copy that is kept, or else it is fetched",
        sets="run.vgg16",
        resume=Resume.ANY,
    )
    stop_when: str = option(
        RUN,
        Condition(),
        'Stop where a score gets no better, such as "kd5k has not improved for 2000kimg".',
        default="",
        default_text="none",
        sets="run.stop_when",
        resume=Resume.ANY,
    )
