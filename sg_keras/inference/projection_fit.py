"""A step of projection (arXiv:1912.04958, appendix D) for several images at once."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from sg_keras.features import PerceptualFeatures
from sg_keras.inference.projection_noise import noise_regularization, normalized_noise
from sg_keras.inference.projection_settings import ProjectionSettings
from sg_keras.models import Generator

_BETAS, _EPSILON = (0.9, 0.999), 1e-8  # of Adam


class Fit:
    """The variables of a projection of so many images, and a step of it; see `Projector`.

    Adam is written out, since Keras's adds its epsilon before the second moment is corrected.
    """

    def __init__(self, G: Generator, features: PerceptualFeatures, settings: ProjectionSettings, count: int) -> None:
        self.G, self._features, self._settings, self._dtype = G, features, settings, G.compute_dtype
        stored = G.synthesis.noise_variables() if hasattr(G.synthesis, "noise_variables") else {}
        self.noise_sizes = {name: tuple(variable.shape) for name, variable in stored.items()}
        self._held = 1 if G.takes_transform and settings.holds_transform else 0  # first styles that stay
        self.style_shape = (G.num_ws - self._held if settings.space == "w+" else 1, G.w_dim)

        def variable(*shape: int) -> tf.Variable:
            return tf.Variable(np.zeros([count, *shape]), dtype=self._dtype)

        self._w, self._mean, self._deviation = variable(*self.style_shape), variable(1, G.w_dim), variable(1, 1)
        self.noise = {name: variable(*size) for name, size in self.noise_sizes.items()}
        self._fitted = [self._w, *self.noise.values()]
        self._adam = [(variable(*v.shape[1:]), variable(*v.shape[1:])) for v in self._fitted]
        self._seen: tf.Tensor | None = None
        self._count = 0  # of steps
        self._see = tf.function(self._features_of_targets, autograph=False)
        self._step = tf.function(self._take_step, autograph=False)

    def start(self, targets: np.ndarray, mean: np.ndarray, deviation: np.ndarray, noise: dict[str, np.ndarray]) -> None:
        """Begin with the mean style and given images of noise."""
        self._seen = self._see(tf.constant(targets, self._dtype))
        self._mean.assign(mean[:, np.newaxis])
        self._deviation.assign(deviation[:, np.newaxis, np.newaxis])
        self._w.assign(np.repeat(mean[:, np.newaxis], self.style_shape[0], axis=1))
        for name, variable in self.noise.items():
            variable.assign(noise[name])
        for moments in self._adam:
            for moment in moments:
                moment.assign(tf.zeros_like(moment))
        self._count = 0

    def step(self, drawn: np.ndarray, noise_scale: float, learning_rate: float) -> np.ndarray:
        """Take a step. Returns the distances before it, [N]."""
        self._count += 1
        corrections = [1 - beta**self._count for beta in _BETAS]
        numbers = [noise_scale, learning_rate, *corrections]
        distances: np.ndarray = self._step(
            self._seen, tf.constant(drawn, self._dtype), *(tf.constant(number, self._dtype) for number in numbers)
        ).numpy()
        return distances

    def ws(self) -> np.ndarray:
        """Styles [N,num_ws,w_dim]."""
        found: np.ndarray = self._styles(self._w).numpy()
        return found

    def _features_of_targets(self, targets: tf.Tensor) -> tf.Tensor:
        return self._features.perceptual_features(targets)

    def _styles(self, w: tf.Tensor) -> tf.Tensor:
        """[N,num_ws,w_dim] of what is fitted."""
        free = self.G.num_ws - self._held
        ws = tf.repeat(w, free, axis=1) if w.shape[1] == 1 else tf.convert_to_tensor(w)
        return tf.concat([self._mean, ws], axis=1) if self._held else ws

    def _take_step(
        self,
        seen: tf.Tensor,
        drawn: tf.Tensor,
        noise_scale: tf.Tensor,
        learning_rate: tf.Tensor,
        correction1: tf.Tensor,
        correction2: tf.Tensor,
    ) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._fitted)
            ws = self._styles(self._w + drawn * (noise_scale * self._deviation))
            distances = self._distances(ws, seen)
            loss = tf.reduce_sum(distances) + tf.reduce_sum(self._penalties())
        gradients = tape.gradient(loss, self._fitted)
        for variable, gradient, (m, v) in zip(self._fitted, gradients, self._adam, strict=True):
            m.assign(_BETAS[0] * m + (1 - _BETAS[0]) * gradient)
            v.assign(_BETAS[1] * v + (1 - _BETAS[1]) * tf.square(gradient))
            variable.assign_sub(learning_rate * (m / correction1) / (tf.sqrt(v / correction2) + _EPSILON))
        for variable in self.noise.values():
            variable.assign(normalized_noise(variable))
        return distances

    def _distances(self, ws: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
        noise = (
            {"noise_images": {name: tf.convert_to_tensor(v) for name, v in self.noise.items()}} if self.noise else {}
        )
        images = (self.G.synthesis(ws, **noise) + 1) * 127.5
        return tf.reduce_sum(tf.square(self._features.perceptual_features(images) - seen), axis=1)

    def _penalties(self) -> tf.Tensor:
        """[N]: what is asked of noise, and of styles in "w+"."""
        total = tf.zeros([self._w.shape[0]], self._dtype)
        if self.noise:
            images = [tf.convert_to_tensor(variable) for variable in self.noise.values()]
            total += self._settings.regularize_noise_weight * noise_regularization(images)
        if self._w.shape[1] > 1:
            apart = self._w - tf.reduce_mean(self._w, axis=1, keepdims=True)
            squares = tf.reduce_mean(tf.reduce_sum(tf.square(apart / self._deviation), axis=2), axis=1)
            total += self._settings.w_plus_pull * squares
        return total
