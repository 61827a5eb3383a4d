"""What a discriminator sees: maps before the epilogue, averaged."""

import numpy as np
import pytest

from sg_keras.features import DiscriminatorFeatures
from sg_keras.models import Discriminator


def discriminator(channels: int = 3, **arguments) -> Discriminator:
    return Discriminator(img_resolution=16, img_channels=channels, channel_base=64, **arguments)


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
def test_features_are_the_means_of_the_last_maps(architecture):
    D = discriminator(architecture=architecture)
    seen = images(40, 16, 16, 3)
    x, image = None, seen.astype(np.float32) / 127.5 - 1
    for block in D.blocks:
        x, image = block(x, image)
    found = DiscriminatorFeatures(D).features(seen)
    assert found.shape == (40, 16) and found.dtype == np.float32
    np.testing.assert_allclose(found, x.numpy().mean(axis=(1, 2)), rtol=1e-4, atol=1e-5)


def test_images_of_other_sizes_and_kinds():
    of_colours, of_grays = DiscriminatorFeatures(discriminator()), DiscriminatorFeatures(discriminator(1))
    gray = images(2, 16, 16, 1)
    np.testing.assert_allclose(of_colours.features(gray), of_colours.features(gray.repeat(3, axis=3)), rtol=1e-4)
    assert of_grays.features(images(3, 20, 30, 1)).shape == (3, 16)
    with pytest.raises(
        ValueError, match="images: found 3 channels, expected 1, which the discriminator was trained on"
    ):
        of_grays.features(images(2, 16, 16, 3))


def test_fingerprints_follow_the_weights():
    D = discriminator()
    before = DiscriminatorFeatures(D).fingerprint
    assert DiscriminatorFeatures(D).fingerprint == before
    D.blocks[0].fromrgb.bias.assign_add([1.0] * D.blocks[0].fromrgb.bias.shape[0])
    assert DiscriminatorFeatures(D).fingerprint != before


def test_one_without_blocks_is_refused():
    with pytest.raises(ValueError, match="found a discriminator of 4x4 images"):
        DiscriminatorFeatures(Discriminator(img_resolution=4, channel_base=64))
