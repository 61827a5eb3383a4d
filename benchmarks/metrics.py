"""Scores in seconds, and how fast images are seen.

    python -m benchmarks.metrics [--features 5000] [--images 1000] [--many] [--json]

Random features of 1280 columns: each score on as many reals as fakes. Nearest neighbours also by scikit-learn's brute
force, in turns in the same run, as a ratio. --many takes 50,000 reals and fakes for precision and recall, with the most
memory that the process ever held. Images of 32x32: those seen a second, with all that is done to make them ready,
against the network alone at its best batch size, in turns, as a ratio. other_load is the share of the cores' time that
other processes had meanwhile.
"""

from __future__ import annotations

import argparse
import functools
import json
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.other_load import OtherLoad
from sg_keras.config.metric_specs import parse_offline_metric
from sg_keras.features import EfficientNetLite0
from sg_keras.features.efficientnet_lite0 import FEATURES, INPUT_SIDE
from sg_keras.metrics import density_coverage, k_nearest, mind, precision_recall
from sg_keras.metrics.scores import Seen, measure

_BATCHES = (8, 16, 32, 64)
_TRIED = 640  # images, to find the best of these
_MANY = 50_000
_DISTURBED = 0.02  # other_load; figures of busy machines mean little


def seconds(work: Callable[[], Any]) -> float:
    """Of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def draw(count: int, seed: int) -> np.ndarray:
    """Features that have some structure: float32 [count,1280], none below 0."""
    random = np.random.default_rng(seed)
    mix = np.random.default_rng(99).standard_normal([64, FEATURES], np.float32)
    return np.maximum(random.standard_normal([count, 64], np.float32) @ mix / 8, 0)


def arithmetic(count: int) -> dict[str, float]:
    """Seconds of each score on `count` reals and as many fakes."""
    real, fake = draw(count, 0), draw(count, 1)
    seen = Seen(real, fake, lambda rows: rows)
    return {
        "frechet with interval": seconds(lambda: measure(parse_offline_metric(f"fd{count}"), seen)),
        "kernel distance with interval": seconds(lambda: measure(parse_offline_metric(f"kd{count}"), seen)),
        "mind": seconds(lambda: mind(real, fake)),
        "precision and recall": seconds(lambda: precision_recall(real, fake)),
        "density and coverage": seconds(lambda: density_coverage(real, fake)),
    }


def against_scikit_learn(count: int, rounds: int = 3) -> float:
    """Seconds of scikit-learn's nearest neighbours by brute force / ours, the median of rounds in turns."""
    from sklearn.neighbors import NearestNeighbors

    real, fake = draw(count, 0), draw(count, 1)
    ratios = []
    for _ in range(rounds):
        theirs = seconds(lambda: NearestNeighbors(n_neighbors=3, algorithm="brute").fit(real).kneighbors(fake))
        ratios.append(theirs / seconds(lambda: k_nearest(fake, real, 3)))
    return statistics.median(ratios)


def seeing(count: int, rounds: int = 5) -> dict[str, Any]:
    """Images of 32x32 seen a second, and by the network alone at its best batch; the ratio is the median of turns."""
    extractor = EfficientNetLite0()
    images = np.random.default_rng(0).integers(0, 256, [count, 32, 32, 3], np.uint8)
    extractor.features(images[:64])
    alone = {batch: _network_alone(extractor, batch, min(count, _TRIED)) for batch in _BATCHES}
    best = max(alone, key=lambda batch: alone[batch])
    ratios, taken = [], 0.0
    for part in np.array_split(images, min(rounds, count)):
        without = _network_alone(extractor, best, len(part))
        taken += (spent := seconds(functools.partial(extractor.features, part)))
        ratios.append(len(part) / spent / without)
    return {
        "images_per_sec": count / taken,
        "network_alone": alone,
        "ratio": statistics.median(ratios),
        "ratios": ratios,
    }


def _network_alone(extractor: EfficientNetLite0, batch: int, count: int) -> float:
    pool = tf.function(lambda images: extractor.network(images, training=False)["pool"], jit_compile=False)
    ready = tf.zeros([batch, INPUT_SIDE, INPUT_SIDE, 3])
    pool(ready)
    calls = max(1, count // batch)
    return calls * batch / seconds(lambda: [pool(ready) for _ in range(calls)])


def many(count: int = _MANY) -> dict[str, float]:
    """Precision and recall of so many reals and fakes: seconds, and the most memory in GB, features included."""
    real, fake = draw(count, 0), draw(count, 1)
    taken = seconds(lambda: precision_recall(real, fake))
    return {"seconds": taken, "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print; see the module's description."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--features", type=int, default=5000, help="reals, and fakes, of the scores")
    parser.add_argument("--images", type=int, default=1000, help="images that are seen")
    parser.add_argument("--many", action="store_true", help="also precision and recall of 50,000")
    parser.add_argument("--json", action="store_true", help="the last line is a JSON object")
    words = parser.parse_args(argv)
    load = OtherLoad()
    found: dict[str, Any] = {"many": many()} if words.many else {}
    found |= {"seconds": arithmetic(words.features), "scikit_learn": against_scikit_learn(words.features)}
    found["seeing"] = seeing(words.images)
    found["other_load"] = load.share()
    for name, value in found["seconds"].items():
        print(f"{name:<32}{value:8.2f} s for {words.features} reals and fakes")
    print(f"nearest neighbours: scikit-learn takes {found['scikit_learn']:.2f} times as long")
    print("seeing: {images_per_sec:.1f} images/s, {ratio:.2f} of the network alone".format(**found["seeing"]))
    if words.many:
        print("precision and recall of 50,000: {seconds:.0f} s, {peak_gb:.2f} GB at most".format(**found["many"]))
    if found["other_load"] > _DISTURBED:
        print(f"Other processes had {found['other_load']:.0%} of the cores: times are longer than they would be")
    if words.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
