"""Measures of single images."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from sg_keras.curation.quality import LOOK_VERSION, flaws, look_at, symmetry
from sg_keras.curation.work import Job
from tests.curation.drawn_set import scene
from tests.curation.originals import file_of, noise


def _measures(pixels: np.ndarray, **how: object):
    return look_at(Job(0, "a.png", file_of(pixels, **how))).measures


def test_measures_of_a_plain_image():
    pixels = np.full([40, 60, 3], 100, np.uint8)
    found = _measures(pixels)
    assert (found.width, found.height, found.channels) == (60, 40, 3)
    assert (found.brightness, found.contrast, found.sharpness, found.symmetry) == (100, 0, 0, 1)
    assert found.brisque is None and flaws(found) == ("flat",)


def test_channels_count_transparency_only_where_there_is_any():
    opaque = np.dstack([noise(0), np.full([20, 24], 255, np.uint8)])
    assert _measures(opaque).channels == 3
    opaque[0, 0, 3] = 7
    assert _measures(opaque).channels == 4
    assert _measures(noise(0, channels=0)).channels == 1


def test_hashes():
    first, second = _measures(scene(0)), _measures(scene(0), compress_level=1)
    assert first.pixel_hash == second.pixel_hash and first.bytes != second.bytes
    changed = scene(0)
    changed[0, 0, 0] ^= 1
    assert _measures(changed).pixel_hash != first.pixel_hash
    assert _measures(changed).perceptual_hash == first.perceptual_hash


def test_looks_that_are_kept_have_another_version_where_they_change():
    """Raise LOOK_VERSION where any of these numbers becomes another one."""
    found = _measures(noise(5, 96, 80))
    numbers = (found.brightness, found.contrast, found.sharpness, found.brisque, found.symmetry)
    assert LOOK_VERSION == 1
    assert numbers == pytest.approx((127.5608, 49.4022, 47850.7, 111.2735, 0.9696), rel=1e-4)
    assert found.perceptual_hash == 4248331210919424147


def test_what_cannot_be_read_has_a_reason():
    looked = look_at(Job(3, "a.png", b"x"))
    assert looked.index == 3 and looked.measures is None and looked.reason.startswith("found no image")
    assert look_at(Job(4, "b", reason="gone")).reason == "gone"


def test_the_small_copy_and_the_thumbnail():
    looked = look_at(Job(0, "a.png", file_of(noise(0, 300, 100, 4))))
    assert looked.seen.shape == (224, 224, 3) and looked.seen.dtype == np.uint8
    with Image.open(io.BytesIO(looked.thumbnail)) as image:
        assert image.format == "WEBP" and max(image.size) == 88


def test_symmetry():
    image = np.full([64, 64, 3], 255, np.uint8)
    image[20:40, 10:54] = 30
    assert symmetry(Image.fromarray(image)) == pytest.approx(1)
    moved = np.full([64, 64, 3], 255, np.uint8)
    moved[20:40, 10:44] = 30
    half = np.full([64, 64, 3], 255, np.uint8)
    half[20:40, 4:30] = 30
    assert 0.4 < symmetry(Image.fromarray(moved)) < 0.9
    assert symmetry(Image.fromarray(half)) == 0
    mirrored = symmetry(Image.fromarray(np.ascontiguousarray(moved[:, ::-1])))
    assert mirrored == pytest.approx(symmetry(Image.fromarray(moved)))


def test_symmetry_of_a_silhouette_counts_alpha_alone():
    image = noise(0, 64, 64, 4)
    image[..., 3] = 0
    image[10:50, 12:52, 3] = 255
    assert symmetry(Image.fromarray(image)) == pytest.approx(1)
