"""Filtering of frequency bands, noise and cutout, against scipy and numpy."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from sg_keras.augment import AugmentPipeline, AugmentTransforms
from sg_keras.augment.wavelets import SYM6, filter_bank, geometry_filter
from tests.augment.fixed_random import FixedRandom


def _augment(x, pipe, changes=None, **values):
    layer = AugmentPipeline(AugmentTransforms.of_pipe(pipe, **(changes or {})))
    return np.asarray(layer(tf.constant(x), p=1.0, random=FixedRandom(**values)))


@pytest.mark.parametrize("size", [(24, 40), (6, 1)])  # the second is far smaller than the filter
def test_imgfilter_is_a_separable_filter_over_reflection(size):
    x = np.random.RandomState(0).randn(2, *size, 3)
    power, bank = np.array([10, 1, 1, 1]) / 13, filter_bank()
    gains = np.ones(4)
    for band, exponent in ((1, 1.5), (3, -2.0)):
        t = np.ones(4)
        t[band] = 2**exponent
        gains *= t / np.sqrt((power * t**2).sum())
    expected = x
    for axis in (1, 2):
        expected = scipy.ndimage.convolve1d(expected, gains @ bank, axis=axis, mode="mirror")
    found = _augment(x, "filter", imgfilter_1=1.5, imgfilter_3=-2.0)
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_bands_without_multiplier_stay_as_they_are():
    x = np.random.RandomState(0).randn(1, 16, 16, 1)
    np.testing.assert_array_equal(_augment(x, "filter", {"imgfilter_bands": (0, 1, 1, 1)}, imgfilter_0=1.0), x)


def test_filter_bank():
    bank = filter_bank()
    impulse = np.zeros(43)
    impulse[21] = 1
    assert bank.shape == (4, 43)
    np.testing.assert_allclose(bank.sum(axis=0), impulse, atol=1e-12)
    response = np.abs(np.fft.rfft(bank, 4096))
    assert np.all(np.diff(np.argmax(response, axis=1)) > 0)  # higher and higher frequencies
    np.testing.assert_allclose(bank, bank[:, ::-1], atol=1e-12)


def test_geometry_filter_is_an_orthonormal_wavelet():
    assert geometry_filter().shape == (12,) and geometry_filter().sum() == pytest.approx(1)
    for shift in range(6):
        overlap = np.dot(SYM6[2 * shift :], SYM6[: 12 - 2 * shift])
        assert overlap == pytest.approx(float(shift == 0), abs=1e-10)


def test_noise_is_added_with_a_random_strength():
    x, noise = np.random.RandomState(0).randn(2, 3, 4, 5, 1)
    found = _augment(x, "noise", noise=np.array([-0.5, 0.0, 2.0]), images=noise)
    expected = x + np.array([0.05, 0.0, 0.2]).reshape(3, 1, 1, 1) * noise
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_cutout_erases_a_rectangle():
    x = np.ones([2, 8, 12, 3], np.float32)
    found = _augment(x, "cutout", cutout_x=np.array([0.5, 0.0]), cutout_y=np.array([0.25, 1.0]))
    expected = x.copy()
    expected[0, 0:4, 3:9] = 0
    expected[1, 6:8, 0:3] = 0
    np.testing.assert_array_equal(found, expected)
