"""A step of projection (arXiv:1912.04958, appendix D) for several images at once."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from sg_keras.features import PerceptualFeatures
from sg_keras.inference.projection_noise import noise_regularization, normalized_noise
from sg_keras.inference.projection_settings import ProjectionSettings
from sg_keras.models import Generator

_BETAS, _EPSILON = (0.9, 0.999), 1e-8  # of Adam


class Fit:
    """The variables of a projection of so many images, and a step of it; see `Projector`.

    All that is fitted is one variable, a row for each image: styles, then images of noise, those of one size together.
    With small networks it is the number of ops that takes time. Adam is written out, since Keras's adds its epsilon
    before the second moment is corrected.

    Args:
        G, features, settings: as of `Projector`.
        count: of images.

    Attributes:
        noise_sizes: height and width of the images of noise, by layer.
        style_shape: of an image's styles that are fitted.
    """

    def __init__(self, G: Generator, features: PerceptualFeatures, settings: ProjectionSettings, count: int) -> None:
        self.G, self._features, self._settings, self._dtype = G, features, settings, G.compute_dtype
        has_noise = settings.fits_noise and hasattr(G.synthesis, "noise_variables")
        stored = G.synthesis.noise_variables() if has_noise else {}
        self.noise_sizes = {name: (variable.shape[0], variable.shape[1]) for name, variable in stored.items()}
        self._layers: dict[tuple[int, int], list[str]] = {}  # by size
        for name, size in self.noise_sizes.items():
            self._layers.setdefault(size, []).append(name)
        self._held = 1 if G.takes_transform and settings.holds_transform else 0  # first styles that stay
        self.style_shape = (G.num_ws - self._held if settings.space == "w+" else 1, G.w_dim)
        noise_shapes = [(len(layers), *size) for size, layers in self._layers.items()]
        self._shapes = [self.style_shape, *noise_shapes]
        width = sum(math.prod(shape) for shape in self._shapes)
        self._fitted, self._first_moment, self._second_moment = (self._variable(count, width) for _ in range(3))
        self._mean, self._deviation = self._variable(count, 1, G.w_dim), self._variable(count, 1, 1)
        self._seen: tf.Tensor | None = None
        self._count = 0  # of steps
        self._see = tf.function(lambda targets: features.perceptual_features(targets), autograph=False)
        self._step = tf.function(self._take_step, autograph=False)

    def start(
        self, targets: np.ndarray, mean: np.ndarray, deviation: np.ndarray, noise: Mapping[str, np.ndarray]
    ) -> None:
        """Begin with the mean style and given images of noise."""
        self._seen = self._see(tf.constant(targets, self._dtype))
        self._mean.assign(mean[:, np.newaxis])
        self._deviation.assign(deviation[:, np.newaxis, np.newaxis])
        styles = np.repeat(mean[:, np.newaxis], self.style_shape[0], axis=1)
        groups = [np.stack([noise[name] for name in layers], axis=1) for layers in self._layers.values()]
        self._fitted.assign(np.concatenate([part.reshape([len(mean), -1]) for part in (styles, *groups)], axis=1))
        for moment in (self._first_moment, self._second_moment):
            moment.assign(tf.zeros_like(moment))
        self._count = 0

    def step(self, drawn: np.ndarray, noise_scale: float, learning_rate: float) -> tuple[np.ndarray, np.ndarray]:
        """Take a step.

        Returns:
            The distances before it, [N], and the styles after it, [N,num_ws,w_dim].
        """
        self._count += 1
        corrections = [1 - beta**self._count for beta in _BETAS]
        numbers = tf.constant([noise_scale, learning_rate, *corrections], self._dtype)
        distances, ws = self._step(self._seen, tf.constant(drawn, self._dtype), numbers)
        return distances.numpy(), ws.numpy()

    def noise(self) -> dict[str, np.ndarray]:
        """The images of noise [N,h,w], by layer."""
        _, groups = self._parts(self._fitted)
        return {name: image.numpy() for name, image in self._by_layer(groups).items()}

    def _variable(self, *shape: int) -> tf.Variable:
        return tf.Variable(np.zeros(shape), dtype=self._dtype)

    def _parts(self, fitted: tf.Tensor) -> tuple[tf.Tensor, dict[tuple[int, int], tf.Tensor]]:
        """Styles [N,*style_shape], and images of noise by size, [N,k,h,w]."""
        rows = tf.split(fitted, [math.prod(shape) for shape in self._shapes], axis=1)
        parts = [tf.reshape(row, [row.shape[0], *shape]) for row, shape in zip(rows, self._shapes, strict=True)]
        return parts[0], dict(zip(self._layers, parts[1:], strict=True))

    def _by_layer(self, groups: Mapping[tuple[int, int], tf.Tensor]) -> dict[str, tf.Tensor]:
        found: dict[str, tf.Tensor] = {}
        for size, layers in self._layers.items():
            found |= zip(layers, tf.unstack(groups[size], axis=1), strict=True)
        return found

    def _ws(self, styles: tf.Tensor) -> tf.Tensor:
        """[N,num_ws,w_dim] of what is fitted."""
        ws = tf.repeat(styles, self.G.num_ws - self._held, axis=1) if styles.shape[1] == 1 else styles
        return tf.concat([self._mean, ws], axis=1) if self._held else ws

    def _take_step(self, seen: tf.Tensor, drawn: tf.Tensor, numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        noise_scale, learning_rate, correction1, correction2 = tf.unstack(numbers)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._fitted)
            styles, groups = self._parts(self._fitted)
            distances = self._distances(styles + drawn * (noise_scale * self._deviation), groups, seen)
            loss = tf.reduce_sum(distances) + tf.reduce_sum(self._penalties(styles, groups))
        gradient = tape.gradient(loss, self._fitted)
        m = self._first_moment.assign(_BETAS[0] * self._first_moment + (1 - _BETAS[0]) * gradient)
        v = self._second_moment.assign(_BETAS[1] * self._second_moment + (1 - _BETAS[1]) * tf.square(gradient))
        moved = self._fitted - learning_rate * (m / correction1) / (tf.sqrt(v / correction2) + _EPSILON)
        styles, groups = self._parts(moved)
        parts = [styles, *(normalized_noise(images) for images in groups.values())]
        self._fitted.assign(tf.concat([tf.reshape(part, [part.shape[0], -1]) for part in parts], axis=1))
        return distances, self._ws(styles)

    def _distances(self, styles: tf.Tensor, groups: Mapping[tuple[int, int], tf.Tensor], seen: tf.Tensor) -> tf.Tensor:
        noise = {"noise_images": self._by_layer(groups)} if groups else {}
        images = (self.G.synthesis(self._ws(styles), **noise) + 1) * 127.5
        return tf.reduce_sum(tf.square(self._features.perceptual_features(images) - seen), axis=1)

    def _penalties(self, styles: tf.Tensor, groups: Mapping[tuple[int, int], tf.Tensor]) -> tf.Tensor:
        """[N]: what is asked of noise, and of styles in "w+"."""
        total = tf.zeros([styles.shape[0]], self._dtype)
        if groups:
            total += self._settings.regularize_noise_weight * noise_regularization(groups)
        if styles.shape[1] > 1:
            apart = (styles - tf.reduce_mean(styles, axis=1, keepdims=True)) / self._deviation
            total += self._settings.w_plus_pull * tf.reduce_mean(tf.reduce_sum(tf.square(apart), axis=2), axis=1)
        return total
