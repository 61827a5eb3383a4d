"""The frozen graph of FID, KID and IS, on a stand-in with its tensor names, against the same network in Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sg_keras.features.inception import InceptionGraph
from tests.stand_in_networks import (
    CHANNELS,
    CLASSES,
    EPSILON,
    FEATURES,
    inception_graph,
    inception_weights,
    write_inception,
)


def in_keras(weights: dict[str, np.ndarray]) -> keras.Model:
    layers = [
        keras.layers.Conv2D(CHANNELS, 5, strides=4, use_bias=False),
        keras.layers.BatchNormalization(epsilon=EPSILON),
        keras.layers.ReLU(),
        keras.layers.Conv2D(FEATURES, 3, strides=4, padding="same", use_bias=False, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
    ]
    network = keras.Sequential([keras.Input([299, 299, 3]), *layers])
    layers[0].set_weights([weights["kernel"]])
    layers[1].set_weights([weights[name] for name in ("gamma", "beta", "mean", "variance")])
    layers[3].set_weights([weights["kernel2"]])
    return network


def resized_as_in_tensorflow_1(images: np.ndarray) -> np.ndarray:
    """Bilinear, pixel i of 299 at i * size / 299 of the image: no antialiasing, no half pixels."""
    for axis in (1, 2):
        size = images.shape[axis]
        at = np.arange(299) * (size / 299)
        low = np.floor(at).astype(int)
        shape = [299 if position == axis else 1 for position in range(4)]
        part = (at - low).reshape(shape)
        high = np.minimum(low + 1, size - 1)
        images = images.take(low, axis) * (1 - part) + images.take(high, axis) * part
    return images


@pytest.fixture(scope="module")
def extractor(tmp_path_factory):
    return InceptionGraph(write_inception(tmp_path_factory.mktemp("inception") / "graph.pb"))


def test_features_are_those_of_the_same_network_in_keras(extractor):
    images = np.random.default_rng(0).integers(0, 256, [19, 40, 56, 3], np.uint8)
    expected = in_keras(inception_weights()).predict(
        (resized_as_in_tensorflow_1(images.astype(np.float64)) - 128) / 128, verbose=0
    )
    found = extractor.features(images)
    assert found.shape == (19, FEATURES) and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_probabilities_are_without_the_bias(extractor):
    rows = np.random.default_rng(0).standard_normal([7, FEATURES]).astype(np.float32)
    logits = rows @ inception_weights()["classifier"]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = extractor.probabilities(rows)
    assert found.shape == (7, CLASSES)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_gray_and_rgba(extractor):
    gray = np.random.default_rng(0).integers(0, 256, [2, 16, 16, 1], np.uint8)
    opaque = np.concatenate([gray.repeat(3, axis=3), np.full_like(gray, 255)], axis=3)
    np.testing.assert_array_equal(extractor.features(gray), extractor.features(gray.repeat(3, axis=3)))
    np.testing.assert_allclose(extractor.features(opaque), extractor.features(gray), rtol=1e-5)
    with pytest.raises(ValueError, match="images: found float32, expected uint8"):
        extractor.features(gray.astype(np.float32))
    assert extractor.features(gray[:0]).shape == (0, FEATURES)


def test_the_archive_holds_the_same_graph(extractor, tmp_path):
    packed = InceptionGraph(write_inception(tmp_path / "inception-2015-12-05.tgz"))
    assert packed.fingerprint == extractor.fingerprint and packed.note == extractor.note
    other = InceptionGraph(write_inception(tmp_path / "other.pb", seed=1))
    assert other.fingerprint != extractor.fingerprint


def graph_without(name: str) -> bytes:
    graph = inception_graph(inception_weights())
    kept = tf.compat.v1.GraphDef()
    kept.node.extend(node for node in graph.node if not node.name.startswith(name))
    return kept.SerializeToString()


@pytest.mark.parametrize(
    "content, message",
    [
        (b"what is this", "found no GraphDef"),
        (b"", "found no GraphDef"),
        (b"\x1f\x8b and so on", "found a damaged archive"),
        (graph_without("softmax"), "found a GraphDef without a tensor softmax/logits:0"),
    ],
    ids=["text", "empty", "torn", "another graph"],
)
def test_other_files_are_refused_in_one_line(content, message, tmp_path):
    path = tmp_path / "graph.pb"
    path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        InceptionGraph(path)
    assert str(error.value).startswith(f"{path}: {message}") and "\n" not in str(error.value)
    with pytest.raises(OSError, match=r"none\.pb"):
        InceptionGraph(tmp_path / "none.pb")
