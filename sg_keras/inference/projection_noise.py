"""Noise in projection: the images of noise that are fitted, and the random numbers that all of it starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

_COARSEST = 8  # side of the smallest images of noise that are looked at (arXiv:1912.04958, appendix D)


class Draws(Protocol):
    """The standard normal numbers of a projection of N images."""

    def noise_images(self, sizes: Mapping[str, tuple[int, int]]) -> dict[str, np.ndarray]:
        """First images of noise [N,h,w] of each layer, whose sizes are given. Asked for once, before all else."""
        ...

    def styles(self, step: int, shape: tuple[int, int]) -> np.ndarray:
        """What is added to the styles of a step, [N,*shape]. Asked for step by step."""
        ...


class SeededDraws:
    """Numbers that follow from a seed for each image, whichever other images are projected beside it.

    Args:
        seeds: one for each image.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self._streams = [np.random.Generator(np.random.Philox(seed)) for seed in seeds]

    def noise_images(self, sizes: Mapping[str, tuple[int, int]]) -> dict[str, np.ndarray]:
        return {
            name: np.stack([stream.standard_normal(size) for stream in self._streams]) for name, size in sizes.items()
        }

    def styles(self, step: int, shape: tuple[int, int]) -> np.ndarray:
        del step
        return np.stack([stream.standard_normal(shape) for stream in self._streams])


def noise_regularization(images: Sequence[tf.Tensor]) -> tf.Tensor:
    """How much images of noise resemble themselves one pixel further on, at all scales down to 8x8: [N].

    Mean products of neighbours, squared, over both axes and all scales, edges wrapping (arXiv:1912.04958, appendix D).

    Args:
        images: [N,h,w] each, one or more.
    """
    total = tf.zeros([tf.shape(images[0])[0]], images[0].dtype)
    for noise in images:
        scale = noise
        while True:
            for axis in (1, 2):
                total += tf.square(tf.reduce_mean(scale * tf.roll(scale, 1, axis), axis=[1, 2]))
            if min(scale.shape[1:]) <= _COARSEST:
                break
            scale = tf.nn.avg_pool2d(scale[..., tf.newaxis], 2, 2, "VALID")[..., 0]
    return total


def normalized_noise(noise: tf.Tensor) -> tf.Tensor:
    """Images of noise [N,h,w] with a mean of 0 and a mean square of 1 each."""
    centred = noise - tf.reduce_mean(noise, axis=[1, 2], keepdims=True)
    return centred * tf.math.rsqrt(tf.reduce_mean(tf.square(centred), axis=[1, 2], keepdims=True))
