"""Names beside the rows of a grid."""

import numpy as np
import pytest

from sg_keras.inference import named_rows


def test_without_names_the_grid_is_as_it_was():
    grid = np.random.default_rng(0).integers(0, 256, [32, 48, 3], np.uint8)
    assert named_rows(grid, ()) is grid


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [8, 32, 256])
def test_each_row_has_its_name_and_the_images_stay(channels, side):
    grid = np.random.default_rng(0).integers(0, 256, [3 * side, 2 * side, channels], np.uint8)
    drawn = named_rows(grid, ["cat", "a rather long name of a class", "cat"])
    margin = drawn[:, : -2 * side]
    np.testing.assert_array_equal(drawn[:, -2 * side :], grid)
    rows = margin.reshape(3, side, -1)
    assert (rows.min(axis=(1, 2)) < 128).all(), "expected ink beside every row"
    np.testing.assert_array_equal(rows[0], rows[2])
    assert (rows[0] != rows[1]).any()


def test_what_the_font_cannot_draw_is_a_number():
    grid = np.zeros([64, 32, 1], np.uint8)
    np.testing.assert_array_equal(named_rows(grid, ["\u732b", "\u72ac"]), named_rows(grid, ["row 1", "row 2"]))


def test_a_name_for_each_row():
    with pytest.raises(ValueError, match="found 3 for a grid of 64 pixels"):
        named_rows(np.zeros([64, 32, 1], np.uint8), ["a", "b", "c"])
