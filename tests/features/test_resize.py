"""Images as networks that see take them."""

import numpy as np
import pytest
from PIL import Image

from sg_keras.features.resize import resized_rgb


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_each_channel_is_resized_in_float():
    images = _images(2, 20, 30, 3)
    found = resized_rgb(images, 16)
    assert found.shape == (2, 16, 16, 3) and found.dtype == np.float32
    plane = Image.fromarray(images[1, :, :, 2].astype(np.float32)).resize((16, 16), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(found[1, :, :, 2], np.clip(np.asarray(plane), 0, 255))
    assert np.any(found != np.rint(found))


def test_what_the_filter_throws_beyond_is_clipped():
    edge = np.repeat(np.array([0, 255], np.uint8), 8)[np.newaxis, np.newaxis, :, np.newaxis]
    found = resized_rgb(np.tile(edge, [1, 16, 1, 3]), 64)
    assert (found.min(), found.max()) == (0, 255)


def test_an_image_of_the_size_keeps_its_pixels():
    images = _images(1, 16, 16, 3)
    np.testing.assert_array_equal(resized_rgb(images, 16), images)


def test_gray_is_repeated():
    gray = _images(2, 24, 24, 1)
    np.testing.assert_array_equal(resized_rgb(gray, 16), resized_rgb(gray.repeat(3, axis=3), 16))


def test_alpha_is_laid_over_white_before_anything_is_mixed():
    images = _images(3, 16, 16, 4)
    images[0, :, :, 3], images[1, :, :, 3], images[2] = 255, 0, (0, 100, 200, 51)
    opaque, clear, faint = resized_rgb(images, 16)
    np.testing.assert_array_equal(opaque, images[0, :, :, :3])
    np.testing.assert_array_equal(clear, np.full([16, 16, 3], 255))
    np.testing.assert_allclose(faint, np.broadcast_to([204.0, 224.0, 244.0], [16, 16, 3]), atol=1e-4)


def test_no_images():
    assert resized_rgb(np.zeros([0, 8, 8, 1], np.uint8), 16).shape == (0, 16, 16, 3)


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (np.zeros([1, 8, 8, 3], np.float32), "found float32"),
        (np.zeros([8, 8, 3], np.uint8), "found the shape [8, 8, 3]"),
        (np.zeros([1, 8, 8, 2], np.uint8), "found the shape [1, 8, 8, 2]"),
        (np.zeros([1, 0, 8, 3], np.uint8), "found the shape [1, 0, 8, 3]"),
    ],
)
def test_other_images_are_one_line(images: np.ndarray, found: str):
    with pytest.raises(ValueError) as caught:
        resized_rgb(images, 16)
    line = str(caught.value)
    assert line.startswith(f"images: {found}, expected ") and "\n" not in line
