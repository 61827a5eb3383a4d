"""DiffAugment, each policy by itself."""

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.augment import AugmentRandom, DiffAugment

HEIGHT, WIDTH = 16, 24


class _Uniforms:
    """Uniform numbers chosen by a test, in the order in which DiffAugment takes them."""

    def __init__(self, *values):
        self._values = values

    def uniforms(self, count):
        return tf.constant([[*self._values, 0, 0, 0]] * count, tf.float32)


def _images(channels=3, count=1, dtype=np.float64):
    return np.random.RandomState(0).uniform(-1, 1, [count, HEIGHT, WIDTH, channels]).astype(dtype)


def _augment(x, policy, *values, impl="reference"):
    return np.asarray(DiffAugment(policy, impl)(tf.constant(x), random=_Uniforms(*values)))


@pytest.mark.parametrize("channels", [1, 3])
def test_color(channels):
    x = _images(channels)
    np.testing.assert_allclose(_augment(x, "color", 0.75, 0.5, 0.5, 0, 0, 0, 0), x + 0.25)
    gray = x.mean(axis=3, keepdims=True)
    np.testing.assert_allclose(_augment(x, "color", 0.5, 0.25, 0.5, 0, 0, 0, 0), gray + (x - gray) / 2)
    np.testing.assert_allclose(_augment(x, "color", 0.5, 0.5, 0.0, 0, 0, 0, 0), x.mean() + (x - x.mean()) / 2)


@pytest.mark.parametrize(("u", "moved"), [((0.0, 0.999), (-3, 2)), ((0.5, 0.5), (0, 0)), ((1.0, 0.21), (3, -1))])
def test_translation(impl, u, moved):
    x = _images(dtype=np.float32)
    padded = np.pad(x, [[0, 0], [4, 4], [4, 4], [0, 0]])
    right, down = moved
    expected = padded[:, 4 - down : 4 - down + HEIGHT, 4 - right : 4 - right + WIDTH]
    np.testing.assert_allclose(_augment(x, "translation", 0, 0, 0, *u, 0, 0, impl=impl), expected, atol=1e-6)


def test_cutout():
    x = np.ones([1, HEIGHT, WIDTH, 1])
    expected = x.copy()
    expected[:, 4:12, 0:6] = 0
    np.testing.assert_array_equal(_augment(x, "cutout", 0, 0, 0, 0, 0, 0.001, 8.1 / 17), expected)
    expected = x.copy()
    expected[:, 12:16, 18:24] = 0
    np.testing.assert_array_equal(_augment(x, "cutout", 0, 0, 0, 0, 0, 1.0, 1.0), expected)


def test_all_at_once_from_random_numbers_with_second_derivatives(impl):
    x = tf.constant(_images(count=3))
    v = x[::-1]
    layer = DiffAugment(impl=impl)

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            cubes = tf.reduce_sum(layer(x, p=0.1, random=AugmentRandom([1, 1], 5)) ** 3)
        return tape.gradient(cubes, x)

    with tf.GradientTape() as tape:
        tape.watch(x)
        along = tf.reduce_sum(gradient(x) * v)
    differences = (gradient(x + 1e-4 * v) - gradient(x - 1e-4 * v)) / 2e-4
    np.testing.assert_allclose(tape.gradient(along, x), differences, atol=1e-6 * np.abs(differences).max())


def test_policies():
    assert DiffAugment("cutout, color").policy == ("color", "cutout")
    for policy in ("", "color,blur", []):
        with pytest.raises(ValueError, match="diffaug: found"):
            DiffAugment(policy)
