"""Box averages, by the definition of the digits demo."""

import numpy as np
import pytest

from sg_keras.data.digits import load_digits
from sg_keras.features import BoxAverages
from sg_keras.features.box_averages import box_averages


def test_box_averages():
    image = np.zeros([1, 32, 32, 1])
    image[0, 4:8, 28:32] = 1
    image[0, 0, 0] = 0.5
    vector = box_averages(image, 4)[0].reshape(8, 8)
    assert vector[1, 7] == 1 and vector[0, 0] == 0.5 / 16 and vector.sum() == 1 + 0.5 / 16


def test_of_digits_they_are_the_means_of_4x4_pixels():
    digits, _ = load_digits()
    found = BoxAverages().features(digits)
    assert found.shape == (len(digits), 64) and found.dtype == np.float32
    expected = (digits[:, :, :, 0] / 255.0).reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(-1, 64)
    np.testing.assert_array_equal(found, expected.astype(np.float32))


@pytest.mark.parametrize(("shape", "width"), [((24, 24, 3), 192), ((20, 44, 1), 64), ((4, 4, 1), 64), ((9, 8, 4), 192)])
def test_images_of_any_shape(shape, width):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    images[1] = 255
    found = BoxAverages().features(images)
    assert found.shape == (3, width)
    np.testing.assert_allclose(found[1], 1, atol=1e-6)
    assert found.min() >= 0 and found.max() <= 1 + 1e-6


def test_no_images():
    assert BoxAverages().features(np.zeros([0, 8, 8, 3], np.uint8)).shape == (0, 192)


def test_both_ways_of_averaging_agree():
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 64, 3), np.uint8)
    filtered = BoxAverages().features(images)
    np.testing.assert_allclose(filtered, _by_definition(images), atol=1e-6)


def _by_definition(images: np.ndarray) -> np.ndarray:
    count, height, width, channels = images.shape
    boxes = images.reshape(count, 8, height // 8, 8, width // 8, channels) / 255.0
    return boxes.mean(axis=(2, 4)).reshape(count, -1)


def test_the_fingerprint_is_known():
    assert BoxAverages().fingerprint == BoxAverages().fingerprint != ""
    assert BoxAverages().name == "boxes"
