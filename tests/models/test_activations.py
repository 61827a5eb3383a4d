"""What the layers of a synthesis network make, and noise that is given to it."""

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.models import Generator
from tests.tiny_generator import tiny_generator

pytestmark = pytest.mark.rounding


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
def test_activations_of_stylegan2_end_with_the_image(architecture):
    G = Generator(z_dim=4, w_dim=4, img_resolution=16, channel_base=64, channel_max=8, architecture=architecture)
    ws = tf.constant(np.random.RandomState(0).randn(2, G.num_ws, 4), tf.float32)
    found = dict(G.synthesis.activations(ws))
    convolutions = [name for name in found if "conv" in name]
    assert convolutions == ["b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"]
    assert [name for name in found if "torgb" in name] == (
        ["b4.torgb", "b8.torgb", "b16.torgb"] if architecture == "skip" else ["b16.torgb"]
    )
    assert found["b8.conv0"].shape == (2, 8, 8, 8)
    np.testing.assert_allclose(found["image"], G.synthesis(ws), rtol=1e-5, atol=1e-5)


def test_activations_of_stylegan3_end_with_the_image():
    G = tiny_generator(c_dim=0, cfg="stylegan3-t")
    ws = tf.constant(np.random.RandomState(0).randn(2, G.num_ws, G.w_dim), tf.float32)
    found = dict(G.synthesis.activations(ws))
    assert list(found) == ["input", *(layer.name for layer in G.synthesis.plan.layers), "image"]
    np.testing.assert_allclose(found["image"], G.synthesis(ws), rtol=1e-5, atol=1e-5)


def test_each_image_has_the_noise_that_is_given_to_it():
    G = tiny_generator(c_dim=0)
    ws = tf.constant(np.random.RandomState(0).randn(2, G.num_ws, G.w_dim), tf.float32)
    stored = {name: variable.numpy() for name, variable in G.synthesis.noise_variables().items()}
    assert list(stored) == ["b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"]
    expected = G.synthesis(ws).numpy()
    np.testing.assert_array_equal(G.synthesis(ws, noise_images=stored), expected)
    pairs = {name: np.stack([image, -image]) for name, image in stored.items()}
    found = G.synthesis(ws, noise_images=pairs).numpy()
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-5)
    for name, variable in G.synthesis.noise_variables().items():
        variable.assign(-stored[name])
    np.testing.assert_allclose(found[1], G.synthesis(ws)[1], rtol=1e-5, atol=1e-5)
