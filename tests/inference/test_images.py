"""8-bit values, grids, PNG files."""

import io

import numpy as np
import pytest
from PIL import Image

from sg_keras.inference import grid_columns, png_bytes, tile, to_uint8, viewable


def test_to_uint8_as_published():
    values = np.array([-3, -1, -0.996, 0, 1 / 255, 0.9999, 1, 7], np.float32)
    assert to_uint8(values).tolist() == [0, 0, 1, 128, 128, 255, 255, 255]
    assert to_uint8(values).dtype == np.uint8


def test_every_image_survives_the_way_through_floats():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(levels / np.float32(127.5) - 1), levels)


@pytest.mark.parametrize("count, columns", [(1, 1), (2, 2), (4, 2), (5, 3), (16, 4), (17, 5)])
def test_grids_are_nearly_square(count, columns):
    assert grid_columns(count) == columns


@pytest.mark.parametrize("channels", [1, 3])
def test_tile_goes_row_after_row_and_leaves_the_rest_black(channels):
    images = np.stack([np.full([2, 3, channels], value, np.uint8) for value in (10, 20, 30, 40, 50)])
    grid = tile(images, 3)
    assert grid.shape == (4, 9, channels)
    assert grid[::2, ::3, 0].tolist() == [[10, 20, 30], [40, 50, 0]]


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_png(channels, mode):
    image = np.random.default_rng(0).integers(0, 256, [5, 7, channels], np.uint8)
    read = Image.open(io.BytesIO(png_bytes(image)))
    assert (read.format, read.mode, read.size) == ("PNG", mode, (7, 5))
    np.testing.assert_array_equal(np.asarray(read).reshape(image.shape), image)


def test_png_of_an_unknown_kind():
    with pytest.raises(ValueError, match=r"found 5 channels, expected 1 \(gray\), 3 \(RGB\) or 4"):
        png_bytes(np.zeros([2, 2, 5], np.uint8))


def test_rgba_is_shown_over_a_checkerboard():
    pixels = np.random.default_rng(0).integers(0, 256, [3, 16, 24, 4], np.uint8)
    pixels[0, :, :, 3], pixels[1, :, :, 3] = 255, 0
    solid, empty, half = viewable(pixels)
    np.testing.assert_array_equal(solid, pixels[0, :, :, :3])  # alpha is used once, and not at all where it is full
    assert np.unique(empty).tolist() == [102, 153] and (empty[0, 0] != empty[0, 2]).all()
    alpha = pixels[2, :, :, 3:] / 255
    exact = pixels[2, :, :, :3] * alpha + empty * (1 - alpha)
    assert np.abs(half - exact).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("channels, shown", [(1, 1), (2, 1), (3, 3), (5, 3)])
def test_what_is_shown_of_other_channels(channels, shown):
    pixels = np.random.default_rng(0).integers(0, 256, [2, 4, 6, channels], np.uint8)
    np.testing.assert_array_equal(viewable(pixels), pixels[..., :shown])
