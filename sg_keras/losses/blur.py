"""Blur of everything the discriminator sees, faded out over the first images of a run (StyleGAN3-R).

Without it, D soon attends to details that the rotation equivariant generator cannot make yet (arXiv:2106.12423,
appendix F, "Gaussian blur").
"""

from __future__ import annotations

import tensorflow as tf


def blur_images(images: tf.Tensor, sigma: tf.Tensor | float) -> tf.Tensor:
    """Filter rows and columns with normalised taps 2^(-(i / sigma)^2), i from -floor(3 sigma) to floor(3 sigma).

    Beyond the borders there are zeros.

    Written as a product with a band matrix for each axis, so that sigma can be a tensor: a sigma that changes at every
    step needs no new graph. Below a half-size of one pixel the matrices are identities and change no bit.

    Args:
        images: [N,H,W,C].
        sigma: width in pixels, a number or a float64 scalar tensor.

    Returns:
        [N,H,W,C] of the same type. Linear in the images; no gradient flows into sigma.

    Example:
        >>> images = tf.ones([1, 9, 9, 3])
        >>> bool(tf.reduce_all(sg_keras.losses.blur_images(images, sigma=0.0) == images))
        True
    """
    _, height, width, channels = images.shape
    rows, columns = (tf.cast(_band_matrix(size, sigma), images.dtype) for size in (height, width))
    filtered = rows @ tf.reshape(images, [-1, height, width * channels])
    return columns @ tf.reshape(filtered, [-1, height, width, channels])


def _band_matrix(size: int, sigma: tf.Tensor | float) -> tf.Tensor:
    """[size,size], row i = the taps centred at pixel i; computed in double precision."""
    sigma = tf.stop_gradient(tf.convert_to_tensor(sigma, tf.float64))
    half = tf.floor(3 * sigma)
    position = tf.range(size, dtype=tf.float64)
    taps = _taps(position[None, :] - position[:, None], sigma, half)
    return taps / tf.reduce_sum(_taps(tf.range(-half, half + 1), sigma, half))


def _taps(offset: tf.Tensor, sigma: tf.Tensor, half: tf.Tensor) -> tf.Tensor:
    """Values of the filter at offsets in pixels, 0 beyond its half-size."""
    values = tf.pow(tf.constant(2, tf.float64), -tf.square(offset / tf.maximum(sigma, 1e-3)))
    return tf.where(tf.abs(offset) <= half, values, tf.zeros_like(values))
