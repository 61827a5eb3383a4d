"""Contact sheets."""

import numpy as np
import pytest

from sg_keras.inference import contact_sheet


@pytest.mark.parametrize("channels", [1, 3])
def test_images_and_words(channels):
    images = np.random.default_rng(0).integers(0, 256, [3, 128, 100, channels], np.uint8)
    sheet = contact_sheet(images, [["seed 0", "cat"], ["seed 1", "a dog of a very long name"], ["seed 2", "猫"]], 2)
    height, width = sheet.shape[0] // 2, sheet.shape[1] // 2
    left = (width - 100) // 2
    np.testing.assert_array_equal(sheet[8:136, left : left + 100], images[0])
    np.testing.assert_array_equal(sheet[height + 8 : height + 136, left : left + 100], images[2])
    for row, column in ((0, 0), (0, 1), (1, 0)):
        below = sheet[row * height + 136 : (row + 1) * height, column * width : (column + 1) * width]
        assert below.min() < 128, "expected words below each image"
    assert (sheet[height:, width:] == 255).all()


def test_small_images_are_enlarged_by_a_whole_factor():
    image = np.random.default_rng(0).integers(0, 256, [16, 32, 1], np.uint8)
    sheet = contact_sheet([image], [["seed 0"]], 1)
    np.testing.assert_array_equal(sheet[8:56, 8:104], image.repeat(3, 0).repeat(3, 1))
    with pytest.raises(ValueError, match="captions: found 0 for 1 images, expected one for each"):
        contact_sheet([image], [], 1)
