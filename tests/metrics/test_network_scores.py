"""Path lengths and equivariance of small generators, asked for by name."""

import dataclasses

import numpy as np
import pytest

from sg_keras.config.metric_specs import METRICS, MetricSpec, parse_metric
from sg_keras.features.vgg16 import VGG16
from sg_keras.metrics.fakes import NetworkFakes
from sg_keras.metrics.network_scores import PATHS, measure_network
from sg_keras.metrics.rendering import FakeSampling
from tests.stand_in_networks import vgg16_weights, write_vgg16
from tests.tiny_generator import tiny_generator


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory):
    return VGG16(write_vgg16(tmp_path_factory.mktemp("vgg16") / "vgg16.h5", vgg16_weights()))


def labels(uniform: np.ndarray) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[(3 * uniform).astype(int)]


def network(cfg: str = "stylegan2", seed: int = 0, **sampling) -> NetworkFakes:
    return NetworkFakes(tiny_generator(resolution=32, cfg=cfg), labels, FakeSampling(seed, **sampling))


def few(name: str, count: int = 6) -> MetricSpec:
    return dataclasses.replace(METRICS[name], num_generated=count)


@pytest.mark.parametrize("name", PATHS)
def test_path_lengths(name, vgg16):
    told = []
    found = measure_network(few(name), network(), {"vgg16": vgg16}, told.append)
    assert found.value > 0 and found.low < found.value < found.high and told == [4, 6]


def test_they_follow_from_the_seed(vgg16):
    one, again, other = (
        measure_network(few("ppl2_wend", 4), network(seed=seed), {"vgg16": vgg16}) for seed in (0, 0, 1)
    )
    assert one == again != other


@pytest.mark.long
def test_noise_is_the_same_at_both_ends(vgg16):
    """Noise of its own at each end would make steps of 1e-4 look like those of 1."""
    still = measure_network(few("ppl2_wend"), network(noise_mode="none"), {"vgg16": vgg16}).value
    assert measure_network(few("ppl2_wend"), network(), {"vgg16": vgg16}).value < 100 * still


@pytest.mark.long
def test_truncation_shortens_paths(vgg16):
    whole, half = (
        measure_network(few("ppl2_wend"), network(truncation_psi=psi), {"vgg16": vgg16}).value for psi in (1, 0.1)
    )
    assert half < whole


@pytest.mark.parametrize("name", ["eqt50k_int", "eqt50k_frac", "eqr50k"])
def test_equivariance_of_stylegan3(name):
    found = measure_network(few(name, 10), network("stylegan3-r"), {})
    assert 5 < found.low < found.value < found.high < 100
    assert measure_network(few(name, 10), network("stylegan3-r"), {}) == found
    assert measure_network(few(name, 10), network("stylegan3-r", seed=1), {}) != found


def test_what_cannot_be_asked():
    with pytest.raises(ValueError, match="eqr1k: found a StyleGAN2 network, expected StyleGAN3"):
        measure_network(parse_metric("eqr1k"), network(), {})
    with pytest.raises(ValueError, match="ppl2_wend: found images alone, expected a network"):
        measure_network(METRICS["ppl2_wend"], None, {})


def test_networks_of_half_precision_are_measured_in_full():
    """A step of 1e-4 is less than half precision resolves."""
    G = tiny_generator(resolution=32, cfg="stylegan3-t")
    half = type(G).from_config({**G.get_config(), "num_fp16_res": 2, "half_dtype": "bfloat16"})
    half.set_weights(G.get_weights())
    one, other = (
        measure_network(few("eqt50k_int", 4), NetworkFakes(model, labels, FakeSampling()), {}) for model in (G, half)
    )
    assert one.value == pytest.approx(other.value, abs=1e-3)
