"""Random numbers that a test chooses, by their name in the tables."""

import numpy as np
import tensorflow as tf

from sg_keras.augment import sampling

_IDENTITY = dict.fromkeys(sampling.UNIFORMS, 0.5) | {"xflip": 0.0, "rotate90": 0.0, "lumaflip": 0.0, "cutout_x": -2.0}


class FixedRandom:
    """Every transform occurs. Numbers that are not given are those of the identity. `images` are those of the noise."""

    def __init__(self, images=None, **values):
        self._values = values
        self._noise_images = images

    def uniforms(self, count):
        return self._table(count, _IDENTITY)

    def normals(self, count):
        return self._table(count, dict.fromkeys(sampling.NORMALS, 0.0))

    def gates(self, count):
        return tf.zeros([count, len(sampling.GATES)])

    def noise_images(self, count, shape):
        return tf.constant(self._noise_images)

    def _table(self, count, neutral):
        columns = [np.broadcast_to(self._values.get(name, number), [count]) for name, number in neutral.items()]
        return tf.constant(np.stack(columns, axis=1), tf.float32)


class CompleteRandom(FixedRandom):
    """Random numbers of a seed, and every transform occurs."""

    def __init__(self, seed=0):
        super().__init__()
        self._stateless = sampling.AugmentRandom([seed, 0], 0)

    def uniforms(self, count):
        return self._stateless.uniforms(count)

    def normals(self, count):
        return self._stateless.normals(count)

    def noise_images(self, count, shape):
        return self._stateless.noise_images(count, shape)


class PercentileRandom:
    """The published deterministic test mode: every transform occurs, with the parameter at one percentile.

    As published, a normal number is erfinv(2u - 1), without the factor sqrt(2), and the second rotation is none.

    Args:
        percentile: u, in 0..1.
        noise: standard normal images [N,H,W,C] that are added; None: the same from a fixed seed.
    """

    def __init__(self, percentile: float, noise: tf.Tensor | None = None) -> None:
        self._u = tf.constant(percentile, tf.float32)
        self._noise = noise

    def uniforms(self, count: int | tf.Tensor) -> tf.Tensor:
        return self._row(count, dict.fromkeys(sampling.UNIFORMS, self._u) | {"rotate_after": tf.constant(0.5)})

    def normals(self, count: int | tf.Tensor) -> tf.Tensor:
        columns = {name: tf.math.erfinv(2 * self._u - 1) for name in sampling.NORMALS}
        return self._row(count, columns | {"noise": tf.math.erfinv(self._u)})

    def gates(self, count: int | tf.Tensor) -> tf.Tensor:
        return tf.zeros([count, len(sampling.GATES)])

    def noise_images(self, count: int | tf.Tensor, shape: tuple[int, int, int]) -> tf.Tensor:
        return sampling.AugmentRandom([0, 0], 0).noise_images(count, shape) if self._noise is None else self._noise

    def _row(self, count: int | tf.Tensor, columns: dict[str, tf.Tensor]) -> tf.Tensor:
        return tf.tile(tf.stack(list(columns.values()))[tf.newaxis], [count, 1])
