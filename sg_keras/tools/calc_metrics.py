"""Score a network's images, or images of any origin, against real ones. Nothing is downloaded.

    python -m sg_keras.tools.calc_metrics --network=RUN_DIR --metrics=fd5k,kd5k
    python -m sg_keras.tools.calc_metrics --network=RUN_DIR@100 --network=RUN_DIR@200 --metrics=kd1k
    python -m sg_keras.tools.calc_metrics --images=samples --data=photos.zip --metrics=fd1k,kd1k,coverage1k --json

EfficientNet-Lite0, which comes along, sees the images. A score's number is that of the fakes; all
reals count. Compare scores of one name and one data set only. Of fd, kd and mind the lower one is
the better, of precision, recall, density, coverage and is the higher; authpct near 0 means copies.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.cache import cache_folder
from sg_keras.files.printable import printable
from sg_keras.flags.arguments import normalise
from sg_keras.flags.command_line import check_required, read_values
from sg_keras.flags.metric_options import CALC_METRICS_OPTIONS
from sg_keras.flags.tool_options import tool_help_text
from sg_keras.tools.entry import run_words
from sg_keras.tools.network_option import load_generator, named_errors
from sg_keras.tools.quiet_start import load_quietly
from sg_keras.tools.scored_images import opened_originals
from sg_keras.tools.shown_progress import ShownProgress

if TYPE_CHECKING:
    import numpy as np

    from sg_keras.curation.original_source import OriginalSource
    from sg_keras.features import FeatureExtractor
    from sg_keras.metrics.feature_blocks import FeatureCache, Features, ImageBlock
    from sg_keras.metrics.record import Score

_FEW_AUTHENTIC = 20.0  # percent


def main(argv: Sequence[str] | None = None) -> int:
    """Score as the command line says; returns the exit status."""
    return run_words(_run, lambda: tool_help_text(__doc__ or "", CALC_METRICS_OPTIONS), argv)


def _run(words: list[str]) -> int:
    every = _values(words)
    load_quietly("tensorflow", "keras")
    tables = {}
    for values in every:
        scores = _scores(values)
        tables[values["network"]] = {score.name: score.as_json() for score in scores}
    if every[0]["json"]:
        print(json.dumps(tables if len(tables) > 1 else next(iter(tables.values()))))
    return 0


def _values(words: Sequence[str]) -> list[dict[str, Any]]:
    """Values by key, for each of the networks, which alone may be named several times."""
    arguments = normalise(words, CALC_METRICS_OPTIONS)
    networks = [argument for argument in arguments if argument.option.key == "network"]
    others = [argument for argument in arguments if argument not in networks]
    every = []
    for network in [[one] for one in networks] or [[]]:
        values, typed = read_values([*others, *network], CALC_METRICS_OPTIONS)
        check_required(typed, CALC_METRICS_OPTIONS)
        every.append(values)
    if bool(networks) == bool(every[0]["images"]):
        found = "both" if networks else "neither"
        raise ValueError(f"--network, --images: found {found}, expected one of them: what is scored")
    if every[0]["images"] and every[0]["data"] is None:
        raise ValueError("--data: found none, expected the reals that --images is compared with")
    return every


def _scores(values: dict[str, Any]) -> list[Score]:
    """Scores of one network, or of --images, told as lines."""
    from sg_keras.features import BoxAverages, EfficientNetLite0
    from sg_keras.metrics.feature_blocks import FeatureCache

    most = max(spec.num_generated for spec in values["metrics"])
    cache = FeatureCache(None if values["no_cache"] else _folder(values))
    scored = values["images"] or values["network"]
    with contextlib.ExitStack() as stack:
        data = values["data"] or _trained_on(values["network"])
        reals = stack.enter_context(opened_originals("--data", data))
        if values["images"]:
            fakes = stack.enter_context(opened_originals("--images", values["images"]))
            blocks = _of_images(fakes, most, values)
        else:
            blocks = _of_network(values, data, most)
        on_progress = stack.enter_context(ShownProgress())
        from sg_keras.curation.progress import clock
        from sg_keras.tools.scored_images import original_blocks

        extractor = EfficientNetLite0() if values["features"] == "effnetlite0" else BoxAverages()
        real_blocks = original_blocks(reals, len(reals.names), values["mirror"])
        total = len(reals.names) * (1 + values["mirror"])
        real = _features(real_blocks, extractor, cache, clock("reals", total, 0, on_progress))
        fake = _features(blocks, extractor, cache, clock("fakes", most, 0, on_progress))
    scores = _measured(values, extractor, real, fake)
    print(printable(f"{scored} against {data}, {len(real.values)} reals, 95% intervals:"))
    print("\n".join(_lines(scores, real.values.shape)))
    return scores


def _features(
    blocks: Iterable[ImageBlock], extractor: FeatureExtractor, cache: FeatureCache, on_images: Callable[[int], None]
) -> Features:
    from sg_keras.metrics.feature_blocks import features_of

    return features_of(blocks, extractor, cache, on_images)


def _folder(values: dict[str, Any]) -> pathlib.Path:
    return pathlib.Path(values["cache_dir"]) if values["cache_dir"] else cache_folder() / "features"


def _trained_on(network: str) -> str:
    from sg_keras.weights import training_config

    config = named_errors("--network", lambda: training_config(network))
    if config is None:
        raise ValueError(f"--data: found none, and {network} does not say what it was trained on, expected the reals")
    return config.dataset.path


def _of_images(source: OriginalSource, most: int, values: dict[str, Any]) -> Iterator[ImageBlock]:
    from sg_keras.tools.scored_images import original_blocks

    if len(source.names) < most:
        names = [spec.name for spec in values["metrics"] if spec.num_generated > len(source.names)]
        raise ValueError(
            f"--images: {source.path}: found {len(source.names)} images, expected {most} at least for "
            f"{', '.join(names)}; fd{len(source.names)} takes them all"
        )
    return original_blocks(source, most)


def _of_network(values: dict[str, Any], data: str, most: int) -> Iterator[ImageBlock]:
    import numpy as np

    from sg_keras.data import open_dataset
    from sg_keras.metrics.fakes import FakeSampling, fake_blocks

    G = load_generator(values["network"], values["ops"])
    labels = None
    if G.c_dim:
        dataset = named_errors("--data", lambda: open_dataset(data, use_labels=True))
        width = dataset.labels(np.zeros([1], np.int64)).shape[1]
        if width != G.c_dim:
            raise ValueError(f"--data: {data}: found labels of width {width}, expected {G.c_dim}, those of the network")

        def labels(uniform: np.ndarray) -> np.ndarray:
            return dataset.labels(np.minimum((uniform * len(dataset)).astype(np.int64), len(dataset) - 1))

    return fake_blocks(G, most, labels, FakeSampling(values["seed"], values["trunc"], values["noise_mode"]))


def _measured(values: dict[str, Any], extractor: FeatureExtractor, real: Features, fake: Features) -> list[Score]:
    from sg_keras.features import EfficientNetLite0
    from sg_keras.features.resize import RESIZE_RULE
    from sg_keras.metrics.record import Score, versions
    from sg_keras.metrics.scores import Seen, measure

    shared = {
        "extractor": values["features"],
        "extractor_sha256": extractor.fingerprint,
        "resize": RESIZE_RULE if values["features"] == "effnetlite0" else "none",
        "real": real.content,
        "num_real": len(real.values),
        "mirror": values["mirror"],
        "divisor": "N",
        "fake": fake.content,
        "versions": versions(),
    }
    if values["network"]:
        shared |= {
            "snapshot": values["network"],
            "seed": values["seed"],
            "truncation": values["trunc"],
            "noise_mode": values["noise_mode"],
        }
    probabilities = extractor.probabilities if isinstance(extractor, EfficientNetLite0) else None
    seen, scores = Seen(real.values, fake.values, probabilities), []
    for spec in values["metrics"]:
        found = measure(spec, seen)
        fingerprint = {"metric": spec.name, "num_fake": spec.num_generated, **shared}
        scores.append(Score(spec.name, found.value, found.low, found.high, fingerprint))
    return scores


def _lines(scores: Sequence[Score], shape: tuple[int, ...]) -> Iterator[str]:
    """What people see of scores by features of reals of this shape, [N,D]."""
    reals, width = shape
    for score in scores:
        yield f"  {score.full_name:<28}{score.value:>12.5g}   ({score.low:.5g} to {score.high:.5g})"
    if any(score.name.startswith("fd") and min(score.fingerprint["num_fake"], reals) <= width for score in scores):
        yield f"  fd of {width} images or fewer depends on their number more than kd and mind do"
    copied = [score for score in scores if score.name.startswith("authpct") and score.value < _FEW_AUTHENTIC]
    if copied:
        yield f"  authpct {copied[0].value:.0f}: most fakes lie nearer to a real than other reals do, as copies would"


if __name__ == "__main__":
    sys.exit(main())
