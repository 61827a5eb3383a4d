"""The blur before the discriminator."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from sg_keras.losses import blur_images

pytestmark = pytest.mark.rounding


@pytest.mark.parametrize("sigma", [0.34, 1.0, 2.5, 10.0])
def test_taps_and_zero_padding(sigma):
    x = np.random.RandomState(0).randn(2, 12, 9, 3)
    half = int(np.floor(3 * sigma))
    taps = 2.0 ** -((np.arange(-half, half + 1) / sigma) ** 2)
    expected = x
    for axis in (1, 2):
        expected = scipy.ndimage.correlate1d(expected, taps / taps.sum(), axis=axis, mode="constant")
    for given in (sigma, tf.constant(sigma, tf.float64)):
        np.testing.assert_allclose(blur_images(tf.constant(x), given), expected, atol=1e-14)


@pytest.mark.parametrize("sigma", [0.0, 0.33])
def test_below_one_pixel_no_bit_changes(sigma):
    x = tf.random.stateless_normal([1, 8, 8, 3], [0, 1])
    np.testing.assert_array_equal(blur_images(x, sigma), x)


def test_one_graph_serves_every_sigma():
    blur = tf.function(blur_images, jit_compile=False)
    x = tf.random.stateless_normal([1, 16, 16, 1], [0, 2])
    for sigma in (4.0, 1.5, 0.1):
        result = blur(x, tf.constant(sigma, tf.float64))
        np.testing.assert_allclose(result, blur_images(x, sigma), atol=1e-6)
    assert blur.experimental_get_tracing_count() == 1
