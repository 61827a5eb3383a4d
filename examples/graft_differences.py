"""How far networks are, right after a graft, from what they were: the table of docs/transfer_learning.md.

    python -m examples.graft_differences

Networks have random weights, biases and noise, so that everything in them matters. Differences are the largest ones,
in units of the largest number that the source makes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.models import Discriminator, Generator
from sg_keras.ops import downsample2d, setup_filter, upsample2d
from sg_keras.weights.transfer import assign_grafts, graft_networks

_G: dict[str, Any] = {"z_dim": 64, "w_dim": 64, "img_resolution": 32, "channel_base": 2048, "channel_max": 64}
_D: dict[str, Any] = {"img_resolution": 32, "channel_base": 2048, "channel_max": 64}
_WIDER = {"channel_base": 4096, "channel_max": 128}
_T, _R = {"cfg": "stylegan3-t"}, {"cfg": "stylegan3-r"}
_IMAGES = 4


@dataclasses.dataclass(frozen=True)
class Case:
    """A graft: what both networks are, and what the new one is."""

    words: str
    kind: type
    of_both: dict[str, Any]
    changes: dict[str, Any]


CASES = (
    Case("StyleGAN2, twice the channels", Generator, _G, _WIDER),
    Case("StyleGAN2, twice the channels and a w of 96 instead of 64", Generator, _G, {**_WIDER, "w_dim": 96}),
    Case("StyleGAN2, 32 to 128", Generator, _G, {"img_resolution": 128}),
    Case("StyleGAN2, 32 to 16", Generator, _G, {"img_resolution": 16}),
    Case("StyleGAN2, without the constant", Generator, _G, {"no_const": True}),
    Case("StyleGAN2, labels added", Generator, _G, {"c_dim": 10}),
    Case("StyleGAN3-T, twice the channels", Generator, {**_G, **_T}, _WIDER),
    Case("StyleGAN3-R, twice the channels", Generator, {**_G, **_R}, _WIDER),
    Case("D, twice the channels", Discriminator, _D, _WIDER),
    Case("D, 32 to 128", Discriminator, _D, {"img_resolution": 128}),
    Case("D (skip), 32 to 128", Discriminator, {**_D, "architecture": "skip"}, {"img_resolution": 128}),
    Case("D, labels added", Discriminator, _D, {"c_dim": 10}),
    Case("StyleGAN2, half the channels", Generator, _G, {"channel_max": 32, "channel_base": 1024}),
    Case("StyleGAN3-T, 32 to 64", Generator, {**_G, **_T}, {"img_resolution": 64}),
    Case("D, 32 to 16", Discriminator, _D, {"img_resolution": 16}),
    Case("D, half the channels", Discriminator, _D, {"channel_max": 32, "channel_base": 1024}),
)


def main() -> None:
    """Print the table."""
    print("| graft | float64 | float32 |\n|---|---|---|")
    for case in CASES:
        found = []
        for dtype in ("float64", "float32"):
            keras.config.set_floatx(dtype)
            keras.config.set_dtype_policy(dtype)
            found.append(f"{largest_difference(case, dtype):.0e}")
        print(f"| {case.words} | {' | '.join(found)} |", flush=True)


def largest_difference(case: Case, dtype: str) -> float:
    """The largest difference between what the source makes and what the new network makes, relative to the largest."""
    keras.utils.set_random_seed(0)
    source, target = case.kind(**case.of_both), case.kind(**{**case.of_both, **case.changes})
    random = np.random.default_rng(0)
    for variable in source.variables:
        if variable.path.endswith(("bias", "noise_strength", "w_avg")):
            variable.assign(np.asarray(variable.value) + 0.3 * random.standard_normal(variable.shape))
    grafts = graft_networks({"G_ema": source, source.name: source}, [target])
    assign_grafts(grafts, [target])
    before, after = made_by(source, target, random, tf.dtypes.as_dtype(dtype))
    return float(tf.reduce_max(tf.abs(after - before)) / tf.reduce_max(tf.abs(before)))


def made_by(source: Any, target: Any, random: np.random.Generator, dtype: tf.DType) -> Iterator[tf.Tensor]:
    """What both networks make, the source's enlarged, or of reduced images, where sizes differ."""
    c = None if target.c_dim == 0 else tf.one_hot(range(_IMAGES), target.c_dim, dtype=dtype)
    own = c if source.c_dim else None
    small, large = source.img_resolution, target.img_resolution
    if isinstance(source, Discriminator):
        shown = tf.constant(random.standard_normal([_IMAGES, large, large, 3]), dtype)
        return iter([source(_resized(shown, small), own), target(shown, c)])
    z = tf.constant(random.standard_normal([_IMAGES, source.z_dim]), dtype)
    image = source(z, own)
    if large < small:  # what its own blocks up to this size have made
        layers = dict(source.synthesis.activations(source.mapping(z, own)))
        image = layers[f"b{large}.torgb"]
    return iter([_resized(image, large), target(z, c)])


def _resized(image: tf.Tensor, size: int) -> tf.Tensor:
    """By the networks' own filter."""
    taps = setup_filter([1, 3, 3, 1])
    while image.shape[1] < size:
        image = upsample2d(image, taps)
    while image.shape[1] > size:
        image = downsample2d(image, taps)
    return image


if __name__ == "__main__":
    main()
