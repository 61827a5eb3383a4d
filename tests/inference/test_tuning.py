"""Pivotal tuning."""

import numpy as np
import pytest

from sg_keras.features import PixelFeatures
from sg_keras.inference import latents, styles
from sg_keras.inference.tuning import Tuner, TuningSettings
from tests.tiny_generator import tiny_generator

pytestmark = pytest.mark.rounding


def test_a_copy_comes_to_give_the_image():
    G = tiny_generator()
    before = [variable.numpy() for variable in G.variables]
    label = np.eye(3, dtype=np.float32)[:1]
    ws = styles(G, latents([1], G.z_dim), label)
    target = np.random.default_rng(0).integers(0, 256, [1, *G.image_shape], np.uint8)
    tuner = Tuner(G, PixelFeatures(), TuningSettings(num_steps=30, learning_rate=0.02, stop_below=None))
    steps = list(tuner.steps(ws, target, label))
    assert steps[-1].done == steps[-1].total == 30
    assert steps[-1].distances[0] < 0.7 * steps[0].distances[0]
    assert tuner.tuned.name == G.name
    moved = {new.path for new, old in zip(tuner.tuned.variables, before, strict=True) if np.any(new.numpy() != old)}
    assert moved and all("synthesis" in path and "noise_const" not in path for path in moved)
    for variable, value in zip(G.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.long
def test_locality_keeps_other_images_as_they_were():
    G = tiny_generator(c_dim=0)
    label = np.zeros([1, 0], np.float32)
    ws, others = (styles(G, latents(seeds, G.z_dim), label.repeat(len(seeds), 0)) for seeds in ([1], range(2, 10)))
    target = np.random.default_rng(0).integers(0, 256, [1, *G.image_shape], np.uint8)
    changes = []
    for factor in (0.0, 10.0):
        settings = TuningSettings(num_steps=30, learning_rate=0.02, stop_below=None, locality_factor=factor)
        tuner = Tuner(G, PixelFeatures(), settings)
        *_, _ = tuner.steps(ws, target, label)
        changes.append(float(np.square(tuner.tuned.synthesis(others) - G.synthesis(others)).mean()))
    assert changes[1] < 0.8 * changes[0]


def test_the_end_comes_early_where_it_is_close_enough():
    G = tiny_generator(c_dim=0)
    label = np.zeros([1, 0], np.float32)
    ws = styles(G, latents([1], G.z_dim), label)
    tuner = Tuner(G, PixelFeatures(), TuningSettings(stop_below=1e9))
    assert len(list(tuner.steps(ws, np.zeros([1, *G.image_shape], np.uint8), label))) == 1
