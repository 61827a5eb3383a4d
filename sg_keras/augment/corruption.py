"""Amplified frequency bands, noise and erased rectangles (arXiv:2006.06676, appendix B.3)."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from sg_keras.augment.geometry import power_of_two
from sg_keras.augment.sampling import IMGFILTER_BANDS, RandomSource
from sg_keras.augment.transform_layer import TransformLayer
from sg_keras.augment.wavelets import filter_bank

_EXPECTED_POWER = np.array([10, 1, 1, 1]) / 13  # of the bands of natural images, whose spectrum falls as 1 / f


class ImageFilter(TransformLayer):
    """Amplifies or damps four frequency bands of an image that is continued by reflection. Linear in the images.

    Each axis is one product with a matrix per sample, in which the filter and the reflection are one: the taps
    differ from sample to sample, which convolutions serve badly.
    """

    def transform(self, images: tf.Tensor, parameters: dict[str, tf.Tensor], random: RandomSource) -> tf.Tensor:
        if not self.transforms.has("imgfilter"):
            return images
        _, height, width, channels = images.shape
        gains = band_gains(parameters)
        rows = tf.reshape(images, [-1, height, width * channels])
        rows += _added_by_filter(gains, height) @ rows
        columns = tf.reshape(rows, [-1, height, width, channels])
        return columns + _added_by_filter(gains, width)[:, tf.newaxis] @ columns


class Noise(TransformLayer):
    """Adds white noise of a random strength to each image."""

    def transform(self, images: tf.Tensor, parameters: dict[str, tf.Tensor], random: RandomSource) -> tf.Tensor:
        if not self.transforms.has("noise"):
            return images
        count = images.shape[0] if images.shape[0] is not None else tf.shape(images)[0]
        sigma = tf.abs(parameters["noise"])
        noise = tf.cast(random.noise_images(count, tuple(images.shape[1:])), images.dtype)
        return images + sigma[:, tf.newaxis, tf.newaxis, tf.newaxis] * noise


class Cutout(TransformLayer):
    """Sets a rectangle of each image to 0. Linear in the images."""

    def transform(self, images: tf.Tensor, parameters: dict[str, tf.Tensor], random: RandomSource) -> tf.Tensor:
        if not self.transforms.has("cutout"):
            return images
        _, height, width, _ = images.shape
        rows = _inside(height, parameters["cutout_y"], self.transforms.cutout_size)
        columns = _inside(width, parameters["cutout_x"], self.transforms.cutout_size)
        erased = rows[:, :, tf.newaxis, tf.newaxis] & columns[:, tf.newaxis, :, tf.newaxis]
        return tf.where(erased, tf.zeros([], images.dtype), images)


def _inside(count: int, centre: tf.Tensor, size: float) -> tf.Tensor:
    """[N,count]: whether pixels' centres lie less than half of `size` from `centre`, all as a share of the image."""
    positions = tf.constant((np.arange(count) + 0.5) / count, centre.dtype)
    return tf.abs(positions - centre[:, tf.newaxis]) < size / 2


def band_gains(parameters: dict[str, tf.Tensor]) -> tf.Tensor:
    """[N,4]: amplification of each band. An image of the expected spectrum keeps its power; identities are exact.

    The bands are changed one after another: band i by t_i, then all are divided by sqrt(1 + power_i (t_i^2 - 1)).
    """
    t = power_of_two(tf.stack([parameters[name] for name in IMGFILTER_BANDS], axis=1))
    norms = tf.sqrt(1 + _EXPECTED_POWER.astype(t.dtype.as_numpy_dtype) * (tf.square(t) - 1))
    return t / tf.reduce_prod(norms, axis=1, keepdims=True)


def _added_by_filter(gains: tf.Tensor, size: int) -> tf.Tensor:
    """[N,size,size]: row i holds what filtering adds to pixel i from each pixel on an axis of `size` pixels.

    The bands sum to the identity, so what the filter adds are the bands times their gains less 1: nothing at all, to
    the last bit, where no band is changed.
    """
    bands = tf.constant(_band_matrices(size), gains.dtype)
    return tf.reshape((gains - 1) @ tf.reshape(bands, [-1, size * size]), [-1, size, size])


@functools.lru_cache(maxsize=8)
def _band_matrices(size: int) -> np.ndarray:
    """[4,size,size]: filters of the bands, on an axis continued by reflection about its first and last pixel."""
    bank = filter_bank()
    half = bank.shape[1] // 2
    period = max(2 * (size - 1), 1)
    offsets = np.arange(size)[:, np.newaxis] + np.arange(-half, half + 1)
    sources = np.abs((offsets + size - 1) % period - (size - 1))
    matrices = np.zeros([len(bank), size, size])
    rows = np.broadcast_to(np.arange(size)[:, np.newaxis], sources.shape)
    for matrix, taps in zip(matrices, bank, strict=True):
        np.add.at(matrix, (rows, sources), np.broadcast_to(taps, sources.shape))
    return matrices
