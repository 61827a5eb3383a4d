"""Styles of given images: projection into W or W+ (arXiv:1912.04958, appendix D)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from sg_keras.features import EfficientNetTaps, PerceptualFeatures, PixelFeatures, SummedFeatures
from sg_keras.inference.labels import labels_of
from sg_keras.inference.projection_fit import Fit
from sg_keras.inference.projection_noise import Draws, SeededDraws
from sg_keras.inference.projection_settings import ProjectionSettings
from sg_keras.models import Generator

PIXEL_FACTOR = 10.0  # of the mean squared error of pixels in -1..1 beside what another network sees: docs/projection.md


@dataclasses.dataclass(frozen=True, slots=True)
class ProjectionStep:
    """Where a projection of N images is.

    Attributes:
        done, total: steps.
        distances: of this step, [N], of images with the noise that is added to w.
        ws: styles after it, [N,num_ws,w_dim].
    """

    done: int
    total: int
    distances: np.ndarray
    ws: np.ndarray


@dataclasses.dataclass(frozen=True, slots=True)
class Projection:
    """What was found for N images.

    Attributes:
        ws: styles [N,num_ws,w_dim].
        distances: of each step, [steps,N].
    """

    ws: np.ndarray
    distances: np.ndarray


def default_features() -> PerceptualFeatures:
    """EfficientNet-Lite0's early maps and pixels."""
    return with_pixels(EfficientNetTaps())


def with_pixels(features: PerceptualFeatures) -> PerceptualFeatures:
    """Features and pixels."""
    return SummedFeatures([(features, 1.0), (PixelFeatures(), PIXEL_FACTOR)])


def project(
    G: Generator,
    targets: np.ndarray,
    classes: Sequence[int] | None = None,
    *,
    labels: np.ndarray | None = None,
    features: PerceptualFeatures | None = None,
    settings: ProjectionSettings | None = None,
    seed: int = 0,
    on_step: Callable[[ProjectionStep], None] | None = None,
) -> Projection:
    """Find styles whose images look like given ones.

    Args:
        G: generator, usually G_ema.
        targets: uint8 [N,H,W,C] of the network's size and channels, projected at once, each with noise of its own.
        classes: class of each, None for a network without labels.
        labels: [N,c_dim] in place of classes.
        features: say how far images look apart; None = EfficientNet-Lite0's early maps and pixels.
        settings: None = the published ones, in W.
        seed: of the noise, of each image alike: what is found does not depend on the other images.
        on_step: is told of each step.

    Raises:
        ValueError: an argument does not fit the network.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> few = ProjectionSettings(num_steps=2, w_avg_samples=10)
        >>> found = project(G, np.zeros([1, 16, 16, 3], np.uint8), settings=few, features=PixelFeatures())
        >>> found.ws.shape
        (1, 6, 8)
    """
    projector = Projector(G, features or default_features(), settings)
    c = labels_of(G, len(targets), classes, labels)
    steps = projector.steps(targets, c, SeededDraws([seed] * len(targets)))
    distances = []
    for step in steps:
        distances.append(step.distances)
        if on_step is not None:
            on_step(step)
    return Projection(step.ws, np.stack(distances))


class Projector:
    """Projects images; compiled once for each number of images.

    Every image of a batch has its own w, its own images of noise and its own state of Adam, which works element by
    element; losses are added up, so that none gets a gradient of another's. So each is projected as it would be alone,
    but for rounding. The weights of the network, and the noise stored in it, are left alone.

    StyleGAN3's first style, which moves and rotates the image, stays that of the mean style unless the settings say
    otherwise. In "w+" it is then no part of the pull to W.

    Args:
        G: generator, in float32 or float64.
        features: say how far images look apart.
        settings: None = the published ones, in W.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> projector = Projector(G, PixelFeatures(), ProjectionSettings(num_steps=3, w_avg_samples=10))
        >>> steps = projector.steps(np.zeros([2, 16, 16, 3], np.uint8), np.zeros([2, 0]), SeededDraws([0, 0]))
        >>> [(step.done, step.distances.shape) for step in steps]
        [(1, (2,)), (2, (2,)), (3, (2,))]
    """

    def __init__(self, G: Generator, features: PerceptualFeatures, settings: ProjectionSettings | None = None) -> None:
        self.G, self.features, self.settings = G, features, settings or ProjectionSettings()
        self._fits: dict[int, Fit] = {}

    def steps(self, targets: np.ndarray, labels: np.ndarray, draws: Draws) -> Iterator[ProjectionStep]:
        """Project images, step by step; the last step has what was found.

        Args:
            targets: uint8 [N,H,W,C] of the network's size and channels.
            labels: [N,c_dim].
            draws: random numbers for N images.

        Raises:
            ValueError: the images are of another size.
        """
        count = len(targets)
        if targets.dtype != np.uint8 or targets.shape[1:] != self.G.image_shape or not count:
            expected = ",".join(map(str, self.G.image_shape))
            raise ValueError(f"targets: found {targets.dtype} {list(targets.shape)}, expected uint8 [N,{expected}]")
        if count not in self._fits:
            self._fits[count] = Fit(self.G, self.features, self.settings, count)
        return self._steps(self._fits[count], targets, labels, draws)

    def _steps(self, fit: Fit, targets: np.ndarray, labels: np.ndarray, draws: Draws) -> Iterator[ProjectionStep]:
        settings = self.settings
        mean, deviation = mean_style(self.G, labels, settings.w_avg_samples, settings.w_avg_seed)
        fit.start(targets, mean, deviation, draws.noise_images(fit.noise_sizes))
        for step in range(settings.num_steps):
            drawn = draws.styles(step, fit.style_shape)
            distances, ws = fit.step(drawn, settings.noise_scale(step), settings.learning_rate(step))
            yield ProjectionStep(step + 1, settings.num_steps, distances, ws)
            if settings.stop_below is not None and np.all(distances < settings.stop_below):
                return

    def noise_images(self, count: int) -> dict[str, np.ndarray]:
        """The images of noise [N,h,w] that the last projection of so many images has come to, by layer."""
        return self._fits[count].noise()


def mean_style(G: Generator, labels: np.ndarray, samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the styles of random latents.

    Args:
        G: generator.
        labels: of N images, [N,c_dim].
        samples, seed: latents, drawn as the published projection does.

    Returns:
        Means for each label, [N,w_dim], and deviations of w as a vector, [N].
    """
    z = tf.constant(np.random.RandomState(seed).randn(samples, G.z_dim), G.compute_dtype)
    found: dict[bytes, tuple[np.ndarray, float]] = {}
    for label in labels:
        if label.tobytes() not in found:
            c = tf.constant(np.repeat(label[np.newaxis], samples, axis=0), G.compute_dtype)
            w = G.mapping.styles(z, c).numpy()
            mean = w.mean(axis=0)
            found[label.tobytes()] = mean, float(np.sqrt(np.square(w - mean).sum() / samples))
    of_each = [found[label.tobytes()] for label in labels]
    return np.stack([mean for mean, _ in of_each]), np.array([deviation for _, deviation in of_each])
