"""R1 regularisation (Mescheder et al. 2018, arXiv:1801.04406, equation 9)."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def r1_penalty(
    discriminator: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], images: tf.Tensor, labels: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Squared norm of the gradient of D with respect to real images.

    Args:
        discriminator: (images, labels) to logits [N,1].
        images: [N,H,W,C].
        labels: [N,c_dim].

    Returns:
        Squared gradient norm of each sample [N] (without gamma / 2), and the logits [N,1].

    Example:
        >>> images, labels = tf.ones([2, 1, 1, 4]), tf.zeros([2, 0])
        >>> D = lambda images, labels: tf.reduce_sum(images * 3.0, axis=[1, 2, 3])[:, None]
        >>> sg_keras.losses.r1_penalty(D, images, labels)[0].numpy().tolist()
        [36.0, 36.0]
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = discriminator(images, labels)
        total = tf.reduce_sum(logits)
    gradient = tape.gradient(total, images)
    return tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3]), logits
