"""Fakes to be scored: each depends on the seed and its number alone."""

import numpy as np
import pytest

from sg_keras.metrics import fakes
from sg_keras.metrics.fakes import fake_blocks, network_digest
from sg_keras.metrics.rendering import FakeSampling, Renderer
from tests.tiny_generator import tiny_generator


@pytest.fixture(scope="module")
def network():
    G = tiny_generator(3, resolution=8, name="G_ema", cfg="stylegan2")
    for variable in G.variables:
        if variable.path.endswith("noise_strength"):
            variable.assign(1.0)
    return G


def labels(uniform: np.ndarray) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[(3 * uniform).astype(int)]


def made(network, count, seed=0, psi=1.0):
    blocks = list(fake_blocks(Renderer(network, FakeSampling(seed, psi)), count, labels, network_digest(network)))
    return np.concatenate([block.images() for block in blocks]), [block.content for block in blocks]


def test_the_first_are_the_same_however_many_there_are(network, monkeypatch):
    many, contents = made(network, 40)
    few, _ = made(network, 19)
    assert many.shape == (40, 8, 8, 1) and many.dtype == np.uint8
    np.testing.assert_array_equal(few, many[:19])
    monkeypatch.setattr(fakes, "BLOCK", 16)
    in_blocks, more = made(network, 40)
    np.testing.assert_array_equal(in_blocks, many)
    assert len(contents) == 1 and len(set(more)) == 3


def test_content_says_who_made_them_and_how(network):
    contents = {
        made(network, 4)[1][0],
        made(network, 4, seed=1)[1][0],
        made(network, 4, psi=0.5)[1][0],
        made(network, 5)[1][0],
    }
    assert len(contents) == 4
    variable = next(v for v in network.trainable_variables if v.path.endswith("const"))
    before = variable.numpy()
    variable.assign(before + 1)
    contents.add(made(network, 4)[1][0])
    variable.assign(before)
    assert len(contents) == 5


def test_seeds_and_noise_differ(network):
    assert (made(network, 4)[0] != made(network, 4, seed=1)[0]).any()
    still = np.concatenate(
        [
            block.images()
            for block in fake_blocks(
                Renderer(network, FakeSampling(0, noise_mode="none")), 4, labels, network_digest(network)
            )
        ]
    )
    assert (made(network, 4)[0] != still).any()


def test_a_conditional_network_needs_labels(network):
    with pytest.raises(ValueError, match="the network is conditional: found no labels"):
        list(fake_blocks(Renderer(network, FakeSampling()), 4, None, network_digest(network)))


def test_the_same_network_under_another_name_is_the_same():
    digests = {network_digest(tiny_generator(3, resolution=8, name=name, cfg="stylegan2")) for name in ("G", "G_ema")}
    assert len(digests) == 1
    assert network_digest(tiny_generator(2, resolution=8, name="G", cfg="stylegan2")) not in digests
