"""Random numbers that a test chooses, by their name in the tables."""

import numpy as np
import tensorflow as tf

from sg_keras.augment import sampling

_IDENTITY = dict.fromkeys(sampling.UNIFORMS, 0.5) | {"xflip": 0.0, "rotate90": 0.0, "lumaflip": 0.0, "cutout_x": -2.0}


class FixedDraws:
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


class CompleteDraws(FixedDraws):
    """Random numbers of a seed, and every transform occurs."""

    def __init__(self, seed=0):
        super().__init__()
        self._stateless = sampling.StatelessDraws([seed, 0], 0)

    def uniforms(self, count):
        return self._stateless.uniforms(count)

    def normals(self, count):
        return self._stateless.normals(count)

    def noise_images(self, count, shape):
        return self._stateless.noise_images(count, shape)
