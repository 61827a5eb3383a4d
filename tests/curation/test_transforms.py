"""Sizes: crops, bars, tiles, filters, light and transparency."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sg_keras.curation.encode import encoded, is_transparent, with_channels, without_alpha
from sg_keras.curation.recipe import Recipe, Transform
from sg_keras.curation.resizing import RESAMPLING, resized
from sg_keras.curation.transforms import output_size, pieces
from tests.curation.originals import noise


def made(pixels: np.ndarray, name: str, size: tuple[int, int] | None, numbers: tuple[int, ...] = (), **options: object):
    recipe = Recipe(transform=Transform(name=name, numbers=numbers), resolution=size, channels=3, **options)  # type: ignore[arg-type]
    found = pieces(Image.fromarray(pixels), recipe, "a.png")
    assert all(piece.image.size == output_size(recipe, pixels.shape[1::-1]) for piece in found)
    return found


def only(pixels: np.ndarray, name: str, size: tuple[int, int], **options: object) -> np.ndarray:
    (piece,) = made(pixels, name, size, **options)  # type: ignore[arg-type]
    return np.asarray(piece.image)


def lanczos(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def test_none_stretches_or_leaves():
    original = noise(0, 30, 20)
    np.testing.assert_array_equal(only(original, "none", (16, 8)), lanczos(original, (16, 8)))
    np.testing.assert_array_equal(np.asarray(made(original, "none", None)[0].image), original)


@pytest.mark.parametrize("width, height", [(30, 20), (20, 31), (24, 24), (33, 8)])
def test_center_crop(width: int, height: int):
    original, side = noise(0, width, height), min(width, height)
    top, left = (height - side) // 2, (width - side) // 2
    crop = original[top : top + side, left : left + side]
    np.testing.assert_array_equal(only(original, "center-crop", (16, 16)), lanczos(crop, (16, 16)))


def test_center_crop_to_a_rectangle_keeps_its_shape():
    original = noise(0, 60, 60)
    np.testing.assert_array_equal(only(original, "center-crop", (16, 8)), lanczos(original[15:45], (16, 8)))


def test_center_crop_tall():
    original = noise(0, 60, 40)
    found = only(original, "center-crop-tall", (8, 16))
    np.testing.assert_array_equal(found[:, 4:12], lanczos(original[:, 20:40], (8, 16)))
    assert not found[:, :4].any() and not found[:, 12:].any()
    assert made(noise(0, 10, 40), "center-crop-tall", (8, 16)) == []  # narrower than its shape
    assert made(noise(0, 60, 12), "center-crop-tall", (8, 16)) == []  # lower than the image


def test_wide_originals_that_are_too_small_are_left_out():
    assert made(noise(0, 12, 40), "center-crop-wide", (16, 8)) == []
    assert made(noise(0, 64, 16), "center-crop-wide", (16, 8)) == []


@pytest.mark.parametrize("mode, black", [("L", 0), ("RGBA", (0, 0, 0, 255))])
def test_center_crop_wide_of_gray_images_and_of_alpha(mode: str, black: object):
    original = Image.fromarray(noise(0, 32, 32)).convert(mode)
    recipe = Recipe(transform=Transform(name="center-crop-wide"), resolution=(16, 8))
    found = np.asarray(pieces(original, recipe, "a.png")[0].image)
    assert found.shape[:2] == (16, 16) and (found[:4] == black).all() and (found[12:] == black).all()
    np.testing.assert_array_equal(found[4:12], lanczos(np.asarray(original)[8:24], (16, 8)))


def test_fit_with_bars():
    original = noise(0, 40, 20)
    small = lanczos(original, (16, 8))
    found = only(original, "fit", (16, 16), background="#ff8000")
    np.testing.assert_array_equal(found[4:12], small)
    assert (found[:4] == (255, 128, 0)).all() and (found[12:] == (255, 128, 0)).all()
    edges = only(original, "fit", (16, 16), background="edge")
    np.testing.assert_array_equal(edges[4:12], small)
    assert (edges[:4] == small[0]).all() and (edges[12:] == small[-1]).all()
    blurred = only(original, "fit", (16, 16), background="blur")
    np.testing.assert_array_equal(blurred[4:12], small)
    assert 0 < blurred[:4].std() < original.std() / 2
    tall = only(noise(0, 20, 40), "fit", (16, 16), background="edge")
    np.testing.assert_array_equal(tall[:, 4:12], lanczos(noise(0, 20, 40), (8, 16)))


def test_random_crops_follow_from_seed_and_name():
    original = noise(0, 100, 80)
    recipe = Recipe(transform=Transform(name="random-crops", numbers=(5,)), resolution=(16, 8), channels=3)
    boxes = {}
    for name in ("a.png", "b.png"):
        found = pieces(Image.fromarray(original), recipe, name)
        boxes[name] = [piece.box for piece in found]
        for piece in found:
            assert piece.box is not None
            left, top, width, height = piece.box
            assert 0 <= left <= 100 - width and 0 <= top <= 80 - height and 16 <= width <= 100
            assert abs(width - 2 * height) <= 1
            np.testing.assert_array_equal(
                np.asarray(piece.image), lanczos(original[top : top + height, left : left + width], (16, 8))
            )
        assert [piece.box for piece in pieces(Image.fromarray(original), recipe, name)] == boxes[name]
    assert boxes["a.png"] != boxes["b.png"] and len(set(boxes["a.png"])) == 5
    assert made(noise(0, 10, 80), "random-crops", (16, 8), (5,)) == []


def test_tiles():
    original = noise(0, 50, 40)
    found = made(original, "tiles", None, (20, 15))
    assert [piece.box for piece in found] == [(x, y, 20, 20) for y in (0, 15) for x in (0, 15, 30)]
    np.testing.assert_array_equal(np.asarray(found[4].image), original[15:35, 15:35])
    small = made(original, "tiles", (8, 8), (20, 20))
    assert len(small) == 4
    np.testing.assert_array_equal(np.asarray(small[1].image), lanczos(original[:20, 20:40], (8, 8)))
    assert made(noise(0, 19, 40), "tiles", None, (20, 20)) == []


@pytest.mark.parametrize("name", sorted(RESAMPLING))
def test_filters_are_pillows(name: str):
    original = Image.fromarray(noise(0))
    np.testing.assert_array_equal(
        np.asarray(resized(original, (7, 9), name)), np.asarray(original.resize((7, 9), RESAMPLING[name]))
    )


def test_linear_light_averages_light():
    board = np.indices((16, 16)).sum(0) % 2 * 255
    gray = Image.fromarray(board.astype(np.uint8))
    assert set(np.unique(np.asarray(resized(gray, (4, 4), "box", True)))) == {188}  # half of the light
    rgb = Image.fromarray(noise(3, 16, 16))
    same = resized(rgb, (16, 16), "lanczos", True)
    assert same is rgb
    large = np.asarray(resized(Image.new("RGB", (8, 8), (1, 100, 254)), (4, 4), "lanczos", True))
    assert (large == (1, 100, 254)).all()


def test_linear_light_weighs_by_alpha():
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, :4] = (255, 0, 0, 255)
    pixels[:, 4:] = (0, 255, 0, 0)  # green that nobody sees
    found = np.asarray(resized(Image.fromarray(pixels), (1, 1), "box", True))[0, 0]
    assert tuple(found) == (255, 0, 0, 128)
    stored = np.asarray(resized(Image.fromarray(pixels), (1, 1), "box"))[0, 0]
    assert tuple(stored)[:3] == (255, 0, 0)


def test_transparency_on_colours():
    pixels = noise(0, channels=4)
    pixels[..., 3] = np.where(np.arange(24) < 12, 255, 0)
    image = Image.fromarray(pixels)
    assert is_transparent(image)
    white = np.asarray(without_alpha(image, "white"))
    np.testing.assert_array_equal(white[:, :12], pixels[:, :12, :3])
    assert (white[:, 12:] == 255).all()
    assert (np.asarray(without_alpha(image, "#102030"))[:, 12:] == (16, 32, 48)).all()
    gray = Image.merge("LA", (Image.new("L", (2, 2), 9), Image.new("L", (2, 2), 0)))
    assert without_alpha(gray, "black").mode == "L" and without_alpha(gray, "#ff0000").mode == "RGB"


def test_channels():
    rgb, gray = Image.fromarray(noise(0)), Image.fromarray(noise(0, channels=0))
    assert with_channels(rgb, 3) is rgb and with_channels(rgb, 1).mode == "L"
    np.testing.assert_array_equal(np.asarray(with_channels(gray, 3))[..., 1], noise(0, channels=0))
    assert (np.asarray(with_channels(rgb, 4))[..., 3] == 255).all()


def test_the_same_image_gives_the_same_bytes():
    image = Image.fromarray(noise(0))
    for file_format in ("png", "jpeg:95", "webp-lossless", "pixels"):
        assert encoded(image, file_format) == encoded(image, file_format)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"transform": Transform(name="fit")}, "resolution: found none with transform fit"),
        ({"transform": Transform(name="center-crop-wide"), "resolution": (8, 16)}, "expected width above height"),
        ({"transform": Transform(name="center-crop-tall"), "resolution": (16, 8)}, "expected height above width"),
        ({"alpha": "keep", "channels": 3}, "alpha: found keep with 3 channels"),
        ({"format": "jpeg:90", "channels": 4}, "format: found jpeg:90 with 4 channels"),
        ({"format": "webp-lossless", "channels": 1}, "format: found webp-lossless with gray images"),
    ],
)
def test_recipes_that_contradict_themselves(values: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Recipe(**values)
