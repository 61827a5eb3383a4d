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


def noise_regularization(images: Mapping[tuple[int, int], tf.Tensor]) -> tf.Tensor:
    """How much images of noise resemble themselves one pixel further on, at all scales down to 8x8: [N].

    Mean products of neighbours, squared, over both axes and all scales, edges wrapping (arXiv:1912.04958, appendix D).
    Of each size there are those of that size, and what is left of larger ones, so that each is worked on once.

    Args:
        images: by size, [N,k,h,w] each, one or more.
    """
    waiting = {size: [of_size] for size, of_size in images.items()}
    total: tf.Tensor | float = 0.0
    while waiting:
        size = max(waiting)
        scale = tf.concat(waiting.pop(size), axis=1)
        for axis in (2, 3):
            alike = tf.reduce_mean(scale * tf.roll(scale, 1, axis), axis=[2, 3])
            total += tf.reduce_sum(tf.square(alike), axis=1)
        if min(size) > _COARSEST:
            halved = (size[0] // 2, size[1] // 2)
            waiting.setdefault(halved, []).append(_averaged(scale, halved))
    return total


def _averaged(images: tf.Tensor, halved: tuple[int, int]) -> tf.Tensor:
    """[N,k,h/2,w/2]: means of squares of four."""
    count, kinds = images.shape[:2]
    return tf.reduce_mean(tf.reshape(images, [count, kinds, halved[0], 2, halved[1], 2]), axis=[3, 5])


def normalized_noise(noise: tf.Tensor) -> tf.Tensor:
    """Images of noise [...,h,w] with a mean of 0 and a mean square of 1 each."""
    centred = noise - tf.reduce_mean(noise, axis=[-2, -1], keepdims=True)
    return centred * tf.math.rsqrt(tf.reduce_mean(tf.square(centred), axis=[-2, -1], keepdims=True))
