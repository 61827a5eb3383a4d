"""Distances that gradients go through."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageFilter

from examples.metrics_study import shipped_photograph
from sg_keras.features import (
    ColourFeatures,
    DiscriminatorTaps,
    EfficientNetLite0,
    EfficientNetTaps,
    PixelFeatures,
    SummedFeatures,
)
from sg_keras.features.folded_stages import FoldedStages
from sg_keras.features.perceptual import of_seeable_size, of_unit_length, opaque_colours
from sg_keras.features.vgg16 import VGG16
from sg_keras.models import Discriminator
from tests.stand_in_networks import vgg16_weights, write_vgg16

pytestmark = pytest.mark.rounding


@pytest.fixture(scope="module")
def see():
    return EfficientNetTaps()


def photograph() -> Image.Image:
    return Image.fromarray(shipped_photograph("astronaut.png")[:256, 100:356]).resize((128, 128))


def distance(features, a, b) -> float:
    a, b = (features.perceptual_features(tf.constant(np.asarray(image)[np.newaxis], tf.float32)) for image in (a, b))
    return float(tf.reduce_sum(tf.square(a - b)))


def test_distances_order_what_people_see(see):
    image = photograph()
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=20)
    apart = [
        distance(see, image, other)
        for other in (
            image,
            image.point(lambda value: int(value * 0.95)),
            image.filter(ImageFilter.GaussianBlur(1)),
            Image.open(buffer),
            image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        )
    ]
    assert apart[0] == 0
    assert apart == sorted(apart)


@pytest.mark.parametrize("shape", [(32, 32, 1), (32, 48, 3), (8, 8, 4), (300, 600, 3)])
def test_gradients_reach_every_kind_of_image(see, shape):
    images = tf.Variable(np.random.default_rng(0).uniform(0, 255, [1, *shape]), dtype=tf.float32)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(tf.square(see.perceptual_features(images)[:, ::7]))
    gradient = tape.gradient(value, images).numpy()
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_folded_stages_are_those_of_the_network():
    network = EfficientNetLite0().network
    images = tf.constant(np.random.default_rng(0).uniform(0, 255, [2, 64, 96, 3]), tf.float32)
    expected = network(images, training=False)
    for stage, maps in enumerate(FoldedStages(network, 5).maps(images), 1):
        # Measured: 2e-6 of the largest.
        limit = 2e-5 * np.abs(expected[f"stage{stage}"]).max()
        np.testing.assert_allclose(maps, expected[f"stage{stage}"], rtol=0, atol=limit)


def test_sizes_that_are_looked_at():
    assert of_seeable_size(tf.zeros([1, 32, 48, 3])).shape == (1, 64, 96, 3)
    assert of_seeable_size(tf.zeros([1, 100, 900, 3])).shape == (1, 100, 900, 3)
    assert of_seeable_size(tf.zeros([1, 520, 1024, 3])).shape == (1, 174, 342, 3)


def test_alpha_is_laid_over_white():
    images = tf.constant([[[[0.0, 100.0, 200.0, 0.0], [0.0, 100.0, 200.0, 255.0]]]])
    np.testing.assert_allclose(opaque_colours(images), [[[[255, 255, 255], [0, 100, 200]]]])


def test_other_networks(tmp_path):
    D = Discriminator(img_resolution=16, img_channels=1, channel_base=64)
    images = tf.constant(np.random.default_rng(0).uniform(0, 255, [2, 16, 16, 1]), tf.float32)
    found = DiscriminatorTaps(D).perceptual_features(images)
    after = [maps for maps, _ in D.after_blocks(images / 127.5 - 1)]
    np.testing.assert_allclose(found, np.concatenate([of_unit_length(maps) for maps in after], axis=1), rtol=1e-5)
    vgg = ColourFeatures(VGG16(write_vgg16(tmp_path / "vgg.h5", vgg16_weights())), "vgg16")
    both = SummedFeatures([(vgg, 1.0), (PixelFeatures(), 4.0)])
    assert both.name == "vgg16+pixel"
    expected = distance(vgg, images[0], images[1]) + 4 * distance(PixelFeatures(), images[0], images[1])
    assert distance(both, images[0], images[1]) == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="found a discriminator of 4x4 images"):
        DiscriminatorTaps(Discriminator(img_resolution=4, channel_base=64)).perceptual_features(tf.zeros([1, 4, 4, 3]))
