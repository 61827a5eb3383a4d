"""Sheets of directions."""

import numpy as np
import pytest

from sg_keras.inference import Direction, labelled_sheet, named_columns, sheet_styles


def test_styles_of_a_sheet_row_after_row():
    ws = np.zeros([2, 3])
    directions = [Direction(str(i), np.eye(3, dtype=np.float32)[i], 2.0, (i, 1), "pca") for i in range(2)]
    found = list(sheet_styles(ws, directions, [-1, 0, 1]))
    assert len(found) == 6
    np.testing.assert_array_equal(found[1], ws)
    np.testing.assert_array_equal(found[0], [[-2, 0, 0], [-2, 0, 0]])
    np.testing.assert_array_equal(found[5], [[0, 0, 0], [0, 2, 0]])


@pytest.mark.parametrize(
    "shape, cell", [((32, 16, 1), (68, 36)), ((100, 100, 3), (104, 104)), ((512, 1024, 4), (132, 260))]
)
def test_images_keep_their_places(shape, cell):
    images = [np.full(shape, 20 * number, np.uint8) for number in range(6)]
    sheet = labelled_sheet(images, ["first", "second"], ["-1", "0", "+1"])
    height, width = cell
    assert sheet.shape[2] == (1 if shape[2] == 1 else 3)
    grid = sheet[-2 * height :, -3 * width :]
    for number in range(6):
        row, column = divmod(number, 3)
        middle = grid[row * height + height // 2, column * width + width // 2]
        if shape[2] < 4:  # those of 4 lie over a checkerboard
            assert (middle == 20 * number).all()
    assert (sheet[: -2 * height, : -3 * width] > 200).all(), "expected an empty corner"
    assert sheet[: -2 * height, -3 * width :].min() < 128, "expected ink above the columns"
    with pytest.raises(ValueError, match="images: found 5, expected 2 rows of 3"):
        labelled_sheet(images[:5], ["first", "second"], ["-1", "0", "+1"])


def test_a_name_for_each_column():
    grid = np.zeros([8, 70, 1], np.uint8)
    assert named_columns(grid, ()) is grid
    named = named_columns(grid, ["a", "b"], margin=6)
    np.testing.assert_array_equal(named[-8:], grid)
    assert named.shape[1] == 70 and len(named) > 8
    with pytest.raises(ValueError, match="names: found 3 for a grid of 64 pixels"):
        named_columns(grid, ["a", "b", "c"], margin=6)
