"""Pivotal tuning (arXiv:2106.05744): a network is changed a little, so that a projected style gives its image."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from sg_keras.features import PerceptualFeatures
from sg_keras.models import Generator


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TuningSettings:
    """What tuning depends on beside network, images and features.

    Attributes:
        num_steps, learning_rate: of Adam (section 4.1).
        stop_below: end as soon as all images' distances are below this; None = never.
        locality_factor: of the distance between what the network made before and makes now of styles near by, which
            keeps the change local (equations 4 to 6); 0 = none.
        locality_distance: how far from the pivot such styles are, towards one of a random latent.

    Example:
        >>> TuningSettings(num_steps=100).learning_rate
        0.0003
    """

    num_steps: int = 350
    learning_rate: float = 3e-4
    stop_below: float | None = 0.06
    locality_factor: float = 0.1
    locality_distance: float = 30.0


@dataclasses.dataclass(frozen=True, slots=True)
class TuningStep:
    """Where tuning is: steps done, of how many at most, and the distances [N] before this step."""

    done: int
    total: int
    distances: np.ndarray


class Tuner:
    """Tunes a copy of a network, all trainable weights of its synthesis; the network itself stays as it is.

    Args:
        G: generator, usually G_ema, in float32.
        features: say how far images look apart.
        settings: None = the published ones.

    Attributes:
        tuned: the copy, of the same name.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> tuner = Tuner(G, sg_keras.features.PixelFeatures(), TuningSettings(num_steps=2, stop_below=None))
        >>> ws, target, label = np.zeros([1, G.num_ws, 8]), np.zeros([1, 16, 16, 3], np.uint8), np.zeros([1, 0])
        >>> [step.done for step in tuner.steps(ws, target, label)]
        [1, 2]
    """

    def __init__(self, G: Generator, features: PerceptualFeatures, settings: TuningSettings | None = None) -> None:
        self.G, self.settings, self._see = G, settings or TuningSettings(), features.perceptual_features
        self.tuned: Generator = Generator.from_config({**G.get_config(), "name": G.name})
        self._weights = self.tuned.synthesis.trainable_variables
        self._adam = keras.optimizers.Adam(self.settings.learning_rate, epsilon=1e-8)
        self._adam.build(self._weights)
        self._fresh = [variable.numpy() for variable in self._adam.variables]
        self._look = tf.function(lambda targets: self._see(targets), autograph=False)
        self._step = tf.function(self._take_step, autograph=False)

    def steps(self, ws: np.ndarray, targets: np.ndarray, labels: np.ndarray, seed: int = 0) -> Iterator[TuningStep]:
        """Tune the copy, from the network's own weights on, so that it gives these images, all at once.

        Args:
            ws: the pivots, styles [N,num_ws,w_dim].
            targets: uint8 [N,H,W,C] of the network's size and channels.
            labels: [N,c_dim], of random latents for locality.
            seed: of these latents.
        """
        self.tuned.set_weights(self.G.get_weights())
        for variable, value in zip(self._adam.variables, self._fresh, strict=True):
            variable.assign(value)
        dtype, total = self.G.compute_dtype, self.settings.num_steps
        pivots, c = tf.constant(ws, dtype), tf.constant(labels, dtype)
        wanted = self._look(tf.constant(targets, dtype))
        random = np.random.Generator(np.random.Philox(seed))
        for step in range(total):
            z = tf.constant(random.standard_normal([len(ws), self.G.z_dim]), dtype)
            distances = self._step(pivots, wanted, z, c).numpy()
            yield TuningStep(step + 1, total, distances)
            if self.settings.stop_below is not None and np.all(distances < self.settings.stop_below):
                return

    def _take_step(self, pivots: tf.Tensor, wanted: tf.Tensor, z: tf.Tensor, c: tf.Tensor) -> tf.Tensor:
        near, before = None, None
        if self.settings.locality_factor:
            near = self._near(pivots, z, c)
            before = self._seen(self.G, near)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([weight.value for weight in self._weights])
            distances = _distances(self._seen(self.tuned, pivots), wanted)
            loss = tf.reduce_mean(distances)
            if near is not None:
                apart = _distances(self._seen(self.tuned, near), before)
                loss += self.settings.locality_factor * tf.reduce_mean(apart)
        self._adam.apply(tape.gradient(loss, [weight.value for weight in self._weights]), self._weights)
        return distances

    def _near(self, pivots: tf.Tensor, z: tf.Tensor, c: tf.Tensor) -> tf.Tensor:
        """Styles on the way from the pivots to those of latents, at most as far as the settings say."""
        away = self.G.mapping(z, c) - pivots
        length = tf.norm(away, axis=2, keepdims=True)
        return pivots + away * tf.minimum(tf.cast(1.0, away.dtype), self.settings.locality_distance / (length + 1e-8))

    def _seen(self, G: Generator, ws: tf.Tensor) -> tf.Tensor:
        return self._see((G.synthesis(ws) + 1) * 127.5)


def _distances(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(a - b), axis=1)
