"""Copies, to the last bit and nearly."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from sg_keras.curation.duplicates import exact_groups, near_groups, perceptual_hash
from tests.curation.drawn_set import scene


def _luma(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("L"), np.float64)


def _small(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((32, 32), Image.Resampling.BOX)).ravel()


def _bits(first: np.ndarray, second: np.ndarray) -> int:
    return (perceptual_hash(_luma(first)) ^ perceptual_hash(_luma(second))).bit_count()


def test_the_hash_hardly_changes_where_the_image_does_not():
    for seed in range(5):
        image = scene(seed)
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=60)
        assert _bits(image, np.asarray(Image.open(buffer))) <= 4
        assert _bits(image, np.asarray(Image.fromarray(image).resize((100, 100)))) <= 2
        assert _bits(image, (image * 0.8).astype(np.uint8)) <= 2
        assert _bits(image, scene(seed + 50)) > 12


def test_exact_groups():
    assert exact_groups(["a", "b", "a", "c", "b", "a"]) == [[0, 2, 5], [1, 4]]


def test_near_groups_are_of_those_like_the_first():
    images = [scene(0), scene(1), (scene(0) * 0.9).astype(np.uint8), scene(2), np.full([64, 64, 3], 9, np.uint8)]
    images.append(images[-1] + np.uint8(1))
    hashes = [perceptual_hash(_luma(image)) for image in images]
    smalls = np.stack([_small(image) for image in images])
    assert near_groups(hashes, smalls, None) == [[0, 2]]  # flat ones are in none
    features = np.ones([6, 4], np.float32)
    assert near_groups(hashes, smalls, features) == [[0, 2]]
    features[2] *= -1
    assert near_groups(hashes, smalls, features) == []
