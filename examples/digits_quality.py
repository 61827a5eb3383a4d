"""How good a class-conditional generator of the built-in digits is: three numbers against the 1,797 reals.

    python -m examples.digits_quality --network=RUN_DIR [--json]

2,000 samples, 200 a class and without truncation, and the reals are averaged over 4x4 boxes to 64 numbers in 0..1:
roughly the 8x8 images that the reals were enlarged from. On these vectors:

* accuracy: share of samples that SVC(gamma='scale', C=10), trained on the reals, assigns to their label;
* frechet: Frechet distance between reals and samples as normal distributions, with population covariances;
* coverage: share of reals whose ball, out to their 5th nearest other real, holds a sample (arXiv:2002.09797).

Needs scikit-learn.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.linalg
import scipy.spatial

from sg_keras.features.box_averages import box_averages
from sg_keras.tools.quiet_start import quiet_start

NUM_CLASSES = 10
SAMPLES_PER_CLASS = 200
NEIGHBOUR = 5
TARGETS: dict[str, tuple[str, float]] = {"accuracy": (">=", 0.90), "frechet": ("<=", 1.0)}
_BOX = 4  # pixels
_BATCH = 100


@functools.cache
def real_vectors() -> tuple[np.ndarray, np.ndarray]:
    """Box averages [1797,64] of the reals, and their classes [1797]."""
    from sg_keras.data.digits import load_digits

    images, classes = load_digits()
    return box_averages(images / 255.0, _BOX), classes


@functools.cache
def real_classifier() -> Any:
    """Support vector classifier trained on all the reals."""
    from sklearn.svm import SVC

    return SVC(gamma="scale", C=10).fit(*real_vectors())


def generated_vectors(
    G: Callable[..., Any], per_class: int = SAMPLES_PER_CLASS, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Box averages [10*per_class,64] of images of G, and the classes they were asked for, class after class.

    Args:
        G: generator of the digits, conditional on 10 classes; called as G(z, c, noise_mode="const").
        per_class: samples a class.
        seed: of the latents.
    """

    classes = np.repeat(np.arange(NUM_CLASSES), per_class)
    z = np.random.RandomState(seed).randn(len(classes), G.z_dim).astype(np.float32)
    labels = np.eye(NUM_CLASSES, dtype=np.float32)[classes]
    vectors = []
    for start in range(0, len(classes), _BATCH):
        batch = slice(start, start + _BATCH)
        images = np.asarray(G(z[batch], labels[batch], noise_mode="const"))
        vectors.append(box_averages(np.clip((images + 1) / 2, 0, 1), _BOX))
    return np.concatenate(vectors), classes


def accuracy(vectors: np.ndarray, classes: np.ndarray) -> float:
    """Share of the vectors [N,64] that the classifier of the reals assigns to their classes [N]."""
    return float(np.mean(real_classifier().predict(vectors) == classes))


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared 2-Wasserstein distance of two sets of vectors [*,d], each taken as a normal distribution.

    |mean_a - mean_b|^2 + tr(cov_a + cov_b - 2 (cov_a cov_b)^(1/2)) with population covariances (arXiv:1706.08500).
    """
    cov_a, cov_b = np.cov(a, rowvar=False, ddof=0), np.cov(b, rowvar=False, ddof=0)
    # cov_a cov_b has the eigenvalues of the symmetric root_a cov_b root_a, which no rounding makes complex.
    values, vectors = scipy.linalg.eigh(cov_a)
    root_a = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    products = scipy.linalg.eigvalsh(root_a @ cov_b @ root_a)
    shift = a.mean(axis=0) - b.mean(axis=0)
    return float(shift @ shift + np.trace(cov_a) + np.trace(cov_b) - 2 * np.sqrt(np.clip(products, 0, None)).sum())


def coverage(reals: np.ndarray, samples: np.ndarray, neighbour: int = NEIGHBOUR) -> float:
    """Share of the reals [N,d] whose ball, out to their `neighbour`-th nearest other real, holds a sample [M,d]."""
    among_reals = np.sort(scipy.spatial.distance.cdist(reals, reals), axis=1)
    radius = among_reals[:, neighbour]  # column 0 is the distance to itself
    nearest_sample = scipy.spatial.distance.cdist(reals, samples).min(axis=1)
    return float(np.mean(nearest_sample <= radius))


def measure(G: Callable[..., Any], per_class: int = SAMPLES_PER_CLASS, seed: int = 0) -> dict[str, float]:
    """The three measures of a generator, by name: accuracy, frechet, coverage.

    Args:
        G: generator of the digits, conditional on 10 classes: usually G_ema.
        per_class: samples a class.
        seed: of the latents.

    Raises:
        ValueError: G makes something other than 32x32 gray images of 10 classes.
    """
    found = (G.c_dim, *G.image_shape)
    if found != (NUM_CLASSES, 32, 32, 1):
        raise ValueError(
            f"G: found {found[0]} classes of {found[1]}x{found[2]}x{found[3]} images, expected "
            f"{NUM_CLASSES} classes of 32x32x1, the digits (--data=digits --cond=1)"
        )
    reals, _ = real_vectors()
    vectors, classes = generated_vectors(G, per_class, seed)
    return {
        "accuracy": accuracy(vectors, classes),
        "frechet": frechet_distance(reals, vectors),
        "coverage": coverage(reals, vectors),
    }


def meets_targets(measures: Mapping[str, float]) -> bool:
    """Whether every measure that has a target reaches it."""
    return all(_reached(name, measures[name]) for name in TARGETS)


def report(measures: Mapping[str, float]) -> str:
    """A line a measure, with its target where it has one."""
    meanings = {
        "accuracy": "samples that a classifier of the reals takes for their digit",
        "frechet": "Frechet distance to the reals",
        "coverage": f"reals with a sample nearer than their {NEIGHBOUR}th neighbour",
    }
    lines = []
    for name, value in measures.items():
        target = ""
        if name in TARGETS:
            sign, bound = TARGETS[name]
            target = f"  (target {sign} {bound:.2f}: {'reached' if _reached(name, value) else 'NOT reached'})"
        lines.append(f"  {name:<9} {value:.3f}  {meanings[name]}{target}")
    return "\n".join(lines)


def _reached(name: str, value: float) -> bool:
    sign, bound = TARGETS[name]
    return value >= bound if sign == ">=" else value <= bound


def main(argv: Sequence[str] | None = None) -> int:
    """Measure G_ema of --network and print the result."""
    parser = argparse.ArgumentParser(description="Quality of a generator of the built-in digits.")
    parser.add_argument("--network", required=True, help="run directory, RUN_DIR@TICK, network snapshot or checkpoint")
    parser.add_argument("--seed", type=int, default=0, help="of the latents")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the report")
    options = parser.parse_args(argv)
    with quiet_start():
        import tensorflow  # noqa: F401
    import sg_keras

    try:
        measures = measure(sg_keras.load(options.network)["G_ema"], seed=options.seed)
    except (ValueError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(measures) if options.json else report(measures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
