"""Fakes in batches: the same on any number of replicas, and in smaller batches where memory runs out."""

import logging
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.metrics import rendering
from sg_keras.metrics.rendering import FakeSampling, Renderer
from tests.tiny_generator import tiny_generator

ROOT = pathlib.Path(__file__).parents[2]
NUMBERS = np.arange(40)


@pytest.fixture(scope="module")
def network():
    return tiny_generator(3, resolution=8, name="G_ema", cfg="stylegan2")


def _inputs(G):
    random = np.random.default_rng(0)
    return random.standard_normal([40, G.z_dim], np.float32), np.eye(3, dtype=np.float32)[NUMBERS % 3]


def test_the_noise_of_a_fake_is_its_own(network, monkeypatch):
    z, c = _inputs(network)
    together = Renderer(network, FakeSampling()).images(NUMBERS, z, c)
    assert together.shape == (40, 8, 8, 1) and together.dtype == np.uint8
    monkeypatch.setattr(rendering, "_MOST_IMAGES", 3)
    alone = Renderer(network, FakeSampling()).images(NUMBERS[7:9], z[7:9], c[7:9])
    # Rounding alone may tell batches of other sizes apart.
    assert np.abs(together[7:9].astype(int) - alone).max() <= 1
    other = Renderer(network, FakeSampling(seed=1)).images(NUMBERS, z, c)
    assert (other != together).any()


def test_replicas_make_the_same_fakes_to_the_bit():
    done = subprocess.run(
        [sys.executable, "-m", "tests.metrics.fakes_on_replicas"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert [devices for devices, _ in lines] == ["1", "2", "4"]
    assert len({images for _, images in lines}) == 1, done.stdout


def test_out_of_memory_means_smaller_batches_said_once(network, monkeypatch, caplog):
    z, c = _inputs(network)
    renderer = Renderer(network, FakeSampling())
    sizes, render = [], renderer._render

    def with_little_memory(z, c, seeds):
        sizes.append(len(z))
        if len(z) > 16:
            raise tf.errors.ResourceExhaustedError(None, None, "no memory")
        return render(z, c, seeds)

    expected = renderer.images(NUMBERS, z, c)
    monkeypatch.setattr(renderer, "_render", with_little_memory)
    with caplog.at_level(logging.WARNING):
        found = renderer.images(NUMBERS, z, c)
        renderer.images(NUMBERS, z, c)
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert sizes[:3] == [64, 32, 16] and set(sizes[2:]) == {16}
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["out of memory"] * 2
