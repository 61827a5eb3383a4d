"""Path length regularisation (StyleGAN2, arXiv:1912.04958, section 3.2, equation 4)."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def path_lengths(synthesis: Callable[[tf.Tensor], tf.Tensor], ws: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Length of J^T y for each sample: how far the image moves for a step in w.

    Args:
        synthesis: ws to images.
        ws: [N,num_ws,w_dim].
        noise: standard normal images y [N,H,W,C]; divided by sqrt(H*W) here.

    Returns:
        [N]: sqrt(mean over num_ws of sum over w_dim of squared gradients).

    Example:
        >>> ws = tf.ones([2, 1, 4])
        >>> lengths = sg_keras.losses.path_lengths(lambda ws: ws[:, :, None] * 3.0, ws, noise=tf.ones([2, 1, 1, 4]))
        >>> lengths.numpy().tolist()
        [6.0, 6.0]
    """
    height, width = noise.shape[1:3]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(ws)
        images = synthesis(ws)
        projection = tf.reduce_sum(images * noise) / tf.cast(height * width, images.dtype) ** 0.5
    gradient = tape.gradient(projection, ws)
    return tf.sqrt(tf.reduce_mean(tf.reduce_sum(tf.square(gradient), axis=2), axis=1))


def path_length_penalty(lengths: tf.Tensor, mean: tf.Tensor) -> tf.Tensor:
    """Squared deviation of each length [N] from the running mean: (length - mean)^2, [N].

    Example:
        >>> sg_keras.losses.path_length_penalty(tf.constant([1.0, 4.0]), tf.constant(2.0)).numpy().tolist()
        [1.0, 4.0]
    """
    return tf.square(lengths - mean)
