"""Losses against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.losses import (
    discriminator_fake_loss,
    discriminator_real_loss,
    generator_loss,
    path_length_penalty,
    path_lengths,
    r1_penalty,
)

pytestmark = pytest.mark.rounding


def test_adversarial_losses_are_log_likelihoods():
    logits = tf.constant([[-2.0], [0.0], [3.0]], tf.float64)
    probability = 1 / (1 + np.exp(-logits.numpy()))
    np.testing.assert_allclose(generator_loss(logits), -np.log(probability))
    np.testing.assert_allclose(discriminator_real_loss(logits), -np.log(probability))
    np.testing.assert_allclose(discriminator_fake_loss(logits), -np.log(1 - probability))


def test_r1_of_a_linear_discriminator_is_its_slope_squared():
    weight = tf.constant(np.random.RandomState(0).randn(4, 4, 2))
    images = tf.zeros([3, 4, 4, 2], tf.float64)
    penalty, logits = r1_penalty(lambda x, c: tf.reduce_sum(x * weight, [1, 2, 3])[:, None], images, tf.zeros([3, 0]))
    np.testing.assert_allclose(penalty, [float(tf.reduce_sum(weight**2))] * 3)
    assert logits.shape == (3, 1)


def test_path_length_of_a_linear_generator():
    matrix = tf.constant(np.random.RandomState(0).randn(5, 4 * 4 * 1))
    noise = tf.constant(np.random.RandomState(1).randn(2, 4, 4, 1))

    def synthesis(ws: tf.Tensor) -> tf.Tensor:
        return tf.reshape(tf.reduce_sum(ws, axis=1) @ matrix, [-1, 4, 4, 1])

    lengths = path_lengths(synthesis, tf.zeros([2, 3, 5], tf.float64), noise)
    expected = np.linalg.norm(noise.numpy().reshape(2, 16) @ matrix.numpy().T / 4, axis=1)
    np.testing.assert_allclose(lengths, expected)
    np.testing.assert_allclose(path_length_penalty(lengths, 1.0), (expected - 1) ** 2)
