"""The leak check warns of what leaks, and of nothing else: generators made of real digits."""

import numpy as np
import pytest

from sg_keras.augment.leaks import checked_transforms, find_leaks
from sg_keras.config import AugmentConfig
from sg_keras.data import open_dataset

BGC = ("xflip", "rotate90", "xint", "scale", "rotate", "aniso", "xfrac", "brightness", "contrast", "lumaflip")
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def halves():
    """Two halves of the digits, uint8 [898,32,32,1]."""
    images = open_dataset("digits").images(np.random.default_rng(0).permutation(1797))
    return images[:898], images[898:1796]


def leaking(images, change, share=0.5):
    """Some of the images changed, each in one way among those of `change`."""
    result = images.copy()
    for index in np.flatnonzero(RNG.random(len(images)) < share):
        result[index] = change(images[index].astype(np.float32)).clip(0, 255)
    return result


def in_color(images):
    """Digits in warm colours."""
    tint = np.array([1.0, 0.7, 0.4], np.float32) * RNG.uniform(0.8, 1, [len(images), 1, 1, 3])
    return (images * tint).astype(np.uint8)


def shifted(image):
    return np.roll(image, tuple(RNG.integers(-4, 5, 2)), (0, 1))


def erased(image):
    y, x = RNG.integers(0, 17, 2)
    image[y : y + 16, x : x + 16] = 127.5
    return image


CHANGES = {
    "xflip": lambda image: image[:, ::-1],
    "rotate90": lambda image: np.rot90(image, RNG.integers(1, 4)),
    "xint": shifted,
    "brightness": lambda image: image + RNG.normal() * 25,
    "contrast": lambda image: (image - 127.5) * 2 ** (RNG.normal() / 2) + 127.5,
    "lumaflip": lambda image: 255 - image,
    "noise": lambda image: image + RNG.normal(size=image.shape) * abs(RNG.normal()) * 13,
    "cutout": erased,
}


@pytest.mark.long
def test_real_digits_do_not_leak(halves):
    leaks = find_leaks(*halves, [*BGC, "imgfilter", "noise", "cutout"])
    assert not any(leak.certain for leak in leaks)
    assert all(abs(leak.share) < 0.1 and leak.told_apart > 0.3 for leak in leaks)


@pytest.mark.parametrize("name", CHANGES)
def test_what_leaks_is_found_with_its_share(name, halves):
    (leak,) = find_leaks(halves[0], leaking(halves[1], CHANGES[name]), [name])
    assert leak.certain and leak.share == pytest.approx(0.5, abs=0.13) and leak.standard_error < 0.08


def test_half_turns_are_found(halves):
    fakes = leaking(halves[1], lambda image: image[::-1, ::-1])
    assert find_leaks(halves[0], fakes, ["rotate180"])[0].certain


@pytest.mark.parametrize("name", ["hue", "saturation"])
def test_colours_that_leak_are_found(name, halves):
    reals, fakes = (in_color(half) for half in halves)
    assert not find_leaks(reals, fakes, [name])[0].certain
    changes = {
        "hue": lambda image: np.roll(image, RNG.integers(1, 3), 2),
        "saturation": lambda image: (
            image.mean(2, keepdims=True) + (image - image.mean(2, keepdims=True)) * 2 ** RNG.normal()
        ),
    }
    assert find_leaks(reals, leaking(fakes, changes[name]), [name])[0].certain


def test_another_leak_is_not_taken_for_this_one(halves):
    leaks = find_leaks(halves[0], leaking(halves[1], CHANGES["rotate90"]), BGC)
    assert (
        "rotate90" in {leak.transform for leak in leaks if leak.certain} <= {"rotate90", "rotate"}
    )  # a rotation by any angle


@pytest.mark.long
def test_bad_images_are_no_leak(halves):
    flat = halves[0].reshape(898, -1).astype(np.float32)
    mean, (_, strengths, directions) = flat.mean(0), np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    coarse = mean + RNG.normal(size=[898, 20]) * strengths[:20] / 30 @ directions[:20]
    noise = RNG.integers(0, 256, halves[0].shape)
    for fakes in (coarse.clip(0, 255).reshape(halves[0].shape), noise, np.broadcast_to(halves[0][:1], noise.shape)):
        assert not any(leak.certain for leak in find_leaks(halves[0], fakes.astype(np.uint8), BGC))


def test_diffaugment(halves):
    fakes = leaking(halves[1], erased)
    found = [
        leak.transform for leak in find_leaks(halves[0], fakes, ("color", "translation", "cutout")) if leak.certain
    ]
    assert found == ["cutout"]


def test_large_images(halves):
    reals, fakes = (np.repeat(np.repeat(half[:64], 4, 1), 4, 2) for half in halves)
    assert not find_leaks(reals, fakes, ["noise", "rotate90"])[1].certain


def test_transforms_that_the_data_hides_are_left_out():
    ada = AugmentConfig(mode="ada")
    assert checked_transforms(AugmentConfig(), 3, False, False) == ()
    assert checked_transforms(ada, 1, False, False) == (*BGC, "rotate180")
    assert checked_transforms(ada, 3, True, False) == (*BGC[1:], "hue", "saturation", "rotate180")
    assert checked_transforms(ada, 1, True, True) == BGC[1:]
    assert checked_transforms(AugmentConfig(mode="diffaug", diffaug=("color",)), 3, False, False) == ("color",)


def test_bad_input(halves):
    with pytest.raises(ValueError, match="expected the same"):
        find_leaks(halves[0], halves[1][:5], ["xflip"])
    with pytest.raises(ValueError, match="found 'shear', expected names of transforms"):
        find_leaks(*halves, ["shear"])


@pytest.mark.parametrize("shape", [(36, 51, 3), (90, 64, 4), (16, 40, 1), (70, 33, 5)])
def test_images_of_any_shape_and_number_of_channels(shape):
    images = np.random.default_rng(0).integers(0, 256, [32, *shape], np.uint8)
    names = checked_transforms(AugmentConfig(mode="ada", pipe="bgcfnc"), shape[2], mirror=False, mirrory=False)
    assert ("brightness" in names) == (shape[2] in (1, 3, 4)) and ("hue" in names) == (shape[2] in (3, 4))
    assert not any(leak.certain for leak in find_leaks(images[:16], images[16:], names))
