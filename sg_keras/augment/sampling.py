"""What happens to each image: random numbers, and the parameters of all transforms made of them.

Every number is a function of (seed, global sample index) and of the place in a table that is the same for all pipes:
neither the size of a micro-batch, nor how samples are spread over replicas, nor the transforms in use change what
another sample or another transform gets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
import tensorflow as tf

from sg_keras.config.augment_transforms import AugmentTransforms

# Columns of the tables of random numbers, and the gate that decides whether the transform occurs.
UNIFORMS: dict[str, str] = {
    "xflip": "xflip",
    "rotate90": "rotate90",
    "xint_x": "xint",
    "xint_y": "xint",
    "rotate_before": "rotate_before",  # before and after the anisotropic scaling
    "rotate_after": "rotate_after",
    "lumaflip": "lumaflip",
    "hue": "hue",
    "cutout_x": "cutout",
    "cutout_y": "cutout",
}
NORMALS: dict[str, str] = {
    "scale": "scale",
    "aniso": "aniso",
    "xfrac_x": "xfrac",
    "xfrac_y": "xfrac",
    "brightness": "brightness",
    "contrast": "contrast",
    "saturation": "saturation",
    "imgfilter_0": "imgfilter_0",  # one per frequency band, low frequencies first
    "imgfilter_1": "imgfilter_1",
    "imgfilter_2": "imgfilter_2",
    "imgfilter_3": "imgfilter_3",
    "noise": "noise",
}
GATES = tuple(dict.fromkeys([*UNIFORMS.values(), *NORMALS.values()]))
IMGFILTER_BANDS = ("imgfilter_0", "imgfilter_1", "imgfilter_2", "imgfilter_3")
_ROTATIONS = ("rotate_before", "rotate_after")
_WHOLE = ("xflip", "rotate90", "lumaflip")
_NOWHERE = -2.0  # the centre of a rectangle that no pixel lies in

_PER_BLOCK = 4  # Philox makes four 32-bit numbers of one count


class RandomSource(Protocol):
    """Random numbers of one micro-batch."""

    def uniforms(self, count: int | tf.Tensor) -> tf.Tensor:
        """[count, len(UNIFORMS)] in 0..1."""

    def normals(self, count: int | tf.Tensor) -> tf.Tensor:
        """[count, len(NORMALS)], standard normal."""

    def gates(self, count: int | tf.Tensor) -> tf.Tensor:
        """[count, len(GATES)] in 0..1, compared with probabilities."""

    def noise_images(self, count: int | tf.Tensor, shape: tuple[int, int, int]) -> tf.Tensor:
        """[count, H, W, C], standard normal."""


class AugmentRandom:
    """Numbers from Philox, keyed by a seed and counted by the global sample index.

    Args:
        seed: int64 [2], a tensor or two whole numbers. Different purposes need different seeds.
        first_sample: global index of the micro-batch's first sample, an int64 scalar or a whole number.
    """

    def __init__(self, seed: tf.Tensor, first_sample: tf.Tensor | int) -> None:
        with tf.device("CPU:0"):  # see `geometry`
            self._key, _ = tf.raw_ops.StatelessRandomGetKeyCounter(seed=tf.convert_to_tensor(seed, tf.int64))
            self._first_sample = tf.cast(first_sample, tf.int64)

    def uniforms(self, count: int | tf.Tensor) -> tf.Tensor:
        return self._draw(tf.raw_ops.StatelessRandomUniformV2, 0, count, len(UNIFORMS))

    def normals(self, count: int | tf.Tensor) -> tf.Tensor:
        return self._draw(tf.raw_ops.StatelessRandomNormalV2, 1, count, len(NORMALS))

    def gates(self, count: int | tf.Tensor) -> tf.Tensor:
        return self._draw(tf.raw_ops.StatelessRandomUniformV2, 2, count, len(GATES))

    def noise_images(self, count: int | tf.Tensor, shape: tuple[int, int, int]) -> tf.Tensor:
        table = self._draw(tf.raw_ops.StatelessRandomNormalV2, 3, count, int(np.prod(shape)))
        return tf.reshape(table, [-1, *shape])

    def _draw(self, operation: Callable[..., tf.Tensor], table: int, count: int | tf.Tensor, width: int) -> tf.Tensor:
        """[count, width]: row i starts at block (first_sample + i) * blocks of its table's own sequence."""
        blocks = -(-width // _PER_BLOCK)
        # The counter has 128 bits, the low half first: the high half tells the tables apart.
        counter = tf.cast(tf.stack([self._first_sample * blocks, tf.constant(table, tf.int64)]), tf.uint64)
        philox = tf.constant(1, tf.int32)
        return operation(shape=[count, blocks * _PER_BLOCK], key=self._key, counter=counter, alg=philox)[:, :width]


def sample_parameters(
    transforms: AugmentTransforms, p: tf.Tensor | float, random: RandomSource, count: int | tf.Tensor, dtype: tf.DType
) -> dict[str, tf.Tensor]:
    """Draw for each sample which transforms occur, and their parameters.

    Args:
        transforms: probabilities relative to p, and strengths.
        p: overall probability, a scalar.
        random: random numbers of the micro-batch.
        count: samples N.
        dtype: of the parameters.

    Returns:
        [N] each, by the names of UNIFORMS and NORMALS. Where a transform does not occur they are 0, and the centre of
        cutout is far outside. Otherwise: xflip and lumaflip are 0 or 1; rotate90 is 0..3; xint, xfrac (translations)
        and cutout (the centre) are shares of the size; rotate_before, rotate_after and hue are angles; scale, aniso,
        contrast, saturation and imgfilter are exponents of 2; brightness is what is added; noise is its deviation or
        minus that. No gradient flows into p.
    """
    applied = random.gates(count) < _probabilities(transforms, p)
    applied = tf.gather(applied, [GATES.index(gate) for gate in (*UNIFORMS.values(), *NORMALS.values())], axis=1)
    factors, offsets = _strengths(transforms)
    names = [*UNIFORMS, *NORMALS]
    values = tf.cast(tf.concat([random.uniforms(count), random.normals(count)], axis=1), dtype)
    values = values * tf.constant(factors, dtype) + tf.constant(offsets, dtype)
    neutral = tf.constant([_NOWHERE if name.startswith("cutout") else 0 for name in names], dtype)
    parameters = dict(zip(names, tf.unstack(tf.where(applied, values, neutral), axis=1), strict=True))
    return parameters | {name: tf.floor(parameters[name]) for name in _WHOLE}


def _strengths(transforms: AugmentTransforms) -> tuple[list[float], list[float]]:
    """What random numbers are multiplied by, and what is added then, in the order of UNIFORMS and NORMALS."""
    most = {"xint_x": transforms.xint_max, "xint_y": transforms.xint_max, "hue": math.pi * transforms.hue_max}
    most |= dict.fromkeys(_ROTATIONS, math.pi * transforms.rotate_max)
    either_way = {name: (2 * largest, -largest) for name, largest in most.items()}
    choices = {"xflip": (2.0, 0.0), "rotate90": (4.0, 0.0), "lumaflip": (2.0, 0.0)}
    uniforms = [(either_way | choices).get(name, (1.0, 0.0)) for name in UNIFORMS]
    deviations = [getattr(transforms, f"{name.split('_')[0]}_std") for name in NORMALS]
    return [*(factor for factor, _ in uniforms), *deviations], [
        *(offset for _, offset in uniforms),
        *[0.0] * len(NORMALS),
    ]


def _probabilities(transforms: AugmentTransforms, p: tf.Tensor | float) -> tf.Tensor:
    """[len(GATES)]. At least one of two rotations occurs with the probability P asked for: each has 1 - sqrt(1 - P)."""
    multipliers = {name: getattr(transforms, name) for name in GATES if hasattr(transforms, name)}
    multipliers |= dict.fromkeys(_ROTATIONS, transforms.rotate)
    bands = zip(IMGFILTER_BANDS, transforms.imgfilter_bands, strict=True)
    multipliers |= {name: transforms.imgfilter * band for name, band in bands}
    probability = tf.constant([multipliers[name] for name in GATES], tf.float32) * tf.cast(p, tf.float32)
    twice = tf.constant([name in _ROTATIONS for name in GATES])
    return tf.where(twice, 1 - tf.sqrt(1 - tf.clip_by_value(probability, 0, 1)), probability)
