"""VGG16 from a file in Keras' form: against Keras' own network with random weights, and the distance of PPL."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sg_keras.features.resize import resized_rgb
from sg_keras.features.vgg16 import VGG16, build_vgg16
from tests.stand_in_networks import vgg16_weights, write_vgg16

TAPS = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")


def dense(x: np.ndarray, weights: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.maximum(x @ weights[0] + weights[1], 0)


def test_features_are_those_of_keras(tmp_path):
    """At the true widths but for the dense layers, which have 120 million weights."""
    theirs = keras.applications.VGG16(include_top=False, weights=None, input_shape=[224, 224, 3])
    weights = vgg16_weights((64, 128, 256, 512, 512, 8))
    for layer in theirs.layers:
        if layer.weights:
            layer.set_weights(weights[layer.name])
    seen = VGG16(write_vgg16(tmp_path / "vgg16.h5", weights))
    images = np.random.default_rng(0).integers(0, 256, [2, 30, 20, 3], np.uint8)
    ready = keras.applications.vgg16.preprocess_input(resized_rgb(images, 224).copy())
    maps = theirs.predict(ready, verbose=0).reshape(2, -1)
    expected = dense(dense(maps, weights["fc1"]), weights["fc2"])
    found = seen.features(images)
    assert found.shape == (2, 8) and (found >= 0).all() and found.max() > 0
    np.testing.assert_allclose(found, expected, atol=1e-4 * expected.max())


@pytest.fixture(scope="module")
def weights():
    return vgg16_weights()


@pytest.fixture(scope="module")
def small(tmp_path_factory, weights):
    return VGG16(write_vgg16(tmp_path_factory.mktemp("vgg16") / "vgg16.h5", weights))


def test_the_distance_of_two_images(small, weights):
    """Squared differences of maps of length 1, averaged over places, summed over channels and blocks."""
    one, other = np.random.default_rng(0).uniform(0, 255, [2, 32, 48, 3]).astype(np.float32)
    network = build_vgg16((2, 3, 4, 4, 4, 8))
    x = tf.stack([one, other])[..., ::-1] - np.float32([103.939, 116.779, 123.68])
    expected = 0.0
    for layer in network.layers:
        if layer.name.startswith("block"):
            if layer.weights:
                layer.set_weights(weights[layer.name])
            x = layer(x)
            if layer.name in TAPS:
                a, b = (maps / np.maximum(np.linalg.norm(maps, axis=2, keepdims=True), 1e-5) for maps in x.numpy())
                expected += ((a - b) ** 2).sum(axis=2).mean()
    a, b = small.perceptual_features(tf.stack([one, other])).numpy()
    assert ((a - b) ** 2).sum() == pytest.approx(expected, rel=1e-4)


def test_images_that_are_too_small_for_it(small):
    assert small.perceptual_features(tf.zeros([1, 16, 16, 3])).shape[0] == 1
    with pytest.raises(ValueError, match="images: found 8x32, expected 16x16 at least"):
        small.perceptual_features(tf.zeros([1, 8, 32, 3]))


def test_fingerprints_are_those_of_the_weights(small, weights, tmp_path):
    again = VGG16(write_vgg16(tmp_path / "again.h5", weights))
    other = VGG16(write_vgg16(tmp_path / "other.h5", vgg16_weights(seed=1)))
    assert again.fingerprint == small.fingerprint != other.fingerprint
    assert "not by the published VGG" in small.note


def test_other_files_are_refused_in_one_line(weights, tmp_path):
    without_top = {name: pair for name, pair in weights.items() if name.startswith("block")}
    swapped = {**weights, "fc2": weights["fc1"]}
    (tmp_path / "text.h5").write_bytes(b"weights")
    for path, message in (
        (tmp_path / "text.h5", "found no HDF5 file"),
        (write_vgg16(tmp_path / "notop.h5", without_top), "found other weights"),
        (write_vgg16(tmp_path / "swapped.h5", swapped), "found other weights"),
    ):
        with pytest.raises(ValueError) as error:
            VGG16(path)
        assert str(error.value).startswith(f"{path}: {message}") and "\n" not in str(error.value)
    with pytest.raises(OSError, match=r"none\.h5"):
        VGG16(tmp_path / "none.h5")
