"""Non-saturating logistic loss (Goodfellow et al. 2014, arXiv:1406.2661, section 3)."""

from __future__ import annotations

import tensorflow as tf


def generator_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """-log sigmoid(D(fake)) for each sample, [N,1].

    Example:
        >>> sg_keras.losses.generator_loss(tf.zeros([4, 1])).shape
        TensorShape([4, 1])
    """
    return tf.nn.softplus(-fake_logits)


def discriminator_fake_loss(fake_logits: tf.Tensor) -> tf.Tensor:
    """-log(1 - sigmoid(D(fake))) for each sample, [N,1].

    Example:
        >>> sg_keras.losses.discriminator_fake_loss(tf.zeros([4, 1])).shape
        TensorShape([4, 1])
    """
    return tf.nn.softplus(fake_logits)


def discriminator_real_loss(real_logits: tf.Tensor) -> tf.Tensor:
    """-log sigmoid(D(real)) for each sample, [N,1].

    Example:
        >>> sg_keras.losses.discriminator_real_loss(tf.zeros([4, 1])).shape
        TensorShape([4, 1])
    """
    return tf.nn.softplus(-real_logits)
