"""Colour transforms, each by itself, against formulas in single colours."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.transform import Rotation

from sg_keras.augment import AugmentPipeline, AugmentTransforms
from tests.augment.fixed_random import CompleteRandom, FixedRandom

COLOR = AugmentTransforms.of_pipe("color")
LUMA = np.full(3, 3**-0.5)


def _images(channels=3):
    return np.random.RandomState(0).uniform(-1, 1, [2, 5, 7, channels])


def _augment(images, **values):
    return np.asarray(AugmentPipeline(COLOR)(tf.constant(images), p=1.0, random=FixedRandom(**values)))


def _split(x):
    """Its part along the gray axis, and the rest."""
    luma = (x @ LUMA)[..., np.newaxis] * LUMA
    return luma, x - luma


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_and_contrast(channels):
    x = _images(channels)
    np.testing.assert_allclose(_augment(x, brightness=1.5), x + 0.3, atol=1e-7)
    np.testing.assert_allclose(_augment(x, contrast=-2.0), x / 2, atol=1e-7)
    np.testing.assert_allclose(_augment(x, brightness=1.5, contrast=2.0), 2 * (x + 0.3), atol=1e-7)


def test_lumaflip_negates_luma_and_keeps_chroma():
    x = _images()
    luma, chroma = _split(x)
    np.testing.assert_allclose(_augment(x, lumaflip=0.7), chroma - luma, atol=1e-7)
    np.testing.assert_array_equal(_augment(x, lumaflip=0.3), x)


@pytest.mark.parametrize("u", [0.1, 0.75, 1.0])
def test_hue_turns_colours_about_the_gray_axis(u):
    x = _images()
    rotation = Rotation.from_rotvec((2 * np.float32(u) - 1) * np.pi * LUMA).as_matrix()
    np.testing.assert_allclose(_augment(x, hue=u), x @ rotation.T, atol=1e-7)


def test_saturation_scales_chroma():
    x = _images()
    luma, chroma = _split(x)
    np.testing.assert_allclose(_augment(x, saturation=-1.0), luma + chroma / 2, atol=1e-7)


def test_all_are_multiplied_in_the_published_order():
    x = _images()
    luma, chroma = _split(2**0.25 * (x + 0.2 * 0.5))
    rotation = Rotation.from_rotvec(0.5 * np.pi * LUMA).as_matrix()
    turned = _split((chroma - luma) @ rotation.T)
    expected = turned[0] + 2 * turned[1]
    values = {"brightness": 0.5, "contrast": 0.5, "lumaflip": 0.9, "hue": 0.75, "saturation": 1.0}
    np.testing.assert_allclose(_augment(x, **values), expected, atol=1e-6)


def test_gray_images_have_luma_alone():
    x = _images(1)
    found = _augment(x, brightness=0.5, contrast=0.5, lumaflip=0.9, hue=0.2, saturation=3.0)
    np.testing.assert_allclose(found, -(2**0.25) * (x + 0.1), atol=1e-6)


def test_gray_images_change_like_equal_channels():
    random = CompleteRandom()
    x = _images(1)
    gray, rgb = (AugmentPipeline(COLOR)(tf.constant(a), p=1.0, random=random) for a in (x, np.repeat(x, 3, axis=3)))
    np.testing.assert_allclose(np.repeat(gray, 3, axis=3), rgb, atol=1e-6)
