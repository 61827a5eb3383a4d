"""Averages and blends of networks."""

import numpy as np
import pytest

from sg_keras.models import Discriminator
from sg_keras.weights import average_networks, blend_networks, published_weights
from sg_keras.weights.combine import layer_resolutions
from tests.tiny_generator import tiny_generator


def other_networks(networks, seed=1):
    """Networks of the same shape with other weights."""
    random = np.random.RandomState(seed)
    others = {name: type(network).from_config(network.get_config()) for name, network in networks.items()}
    for network in others.values():
        for variable in network.variables:
            variable.assign(random.randn(*variable.shape))
    return others


def some_networks(cfg="stylegan2", resolution=16):
    networks = {name: tiny_generator(cfg=cfg, name=name, resolution=resolution) for name in ("G", "G_ema")}
    D = Discriminator(c_dim=3, img_resolution=resolution, img_channels=1, channel_base=64, channel_max=8)
    return {**networks, "D": D}


def assert_equal(found, expected):
    found, expected = published_weights(found), published_weights(expected)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


@pytest.mark.parametrize("cfg", ["stylegan2", "stylegan3-r"])
def test_averages(cfg):
    """That of equal networks is the same to the bit; others are averaged in float64, every variable."""
    networks = some_networks(cfg)
    others = other_networks(networks)
    same = average_networks([networks] * 3, [0.1, 0.7, 0.3])
    mixed = average_networks([networks, others], [1, 2])
    for name, network in networks.items():
        assert_equal(same[name], network)
        assert (mixed[name].name, type(mixed[name])) == (name, type(network))
        first, second, found = (published_weights(one[name]) for one in (networks, others, mixed))
        for key, value in found.items():
            expected = (first[key].astype(np.float64) + 2 * second[key].astype(np.float64)) / 3
            np.testing.assert_array_equal(value, expected.astype(np.float32), err_msg=key)
    assert any("noise_const" in key for key in published_weights(mixed["G"])) or cfg != "stylegan2"


@pytest.mark.parametrize("cfg, joint, low", [("stylegan2", 16, ["b4", "b8"]), ("stylegan3-t", 12, ["L0", "L1"])])
def test_a_sharp_joint_takes_each_layer_as_it_is(cfg, joint, low):
    networks = some_networks(cfg)
    others = other_networks(networks)
    blended = blend_networks(networks, others, joint)
    for name in ("G", "G_ema"):
        first, second, found = (published_weights(one[name]) for one in (networks, others, blended))
        for key, value in found.items():
            part, layer = key.split(".")[:2]
            is_low = part == "mapping" or layer == "input" or layer.split("_")[0] in low
            np.testing.assert_array_equal(value, (first if is_low else second)[key], err_msg=key)
        assert len(low) < len(layer_resolutions(networks[name]))
    assert blended["D"] is others["D"]


@pytest.mark.parametrize("cfg", ["stylegan2", "stylegan3-t"])
@pytest.mark.parametrize("ramp", [0, 2.5])
def test_a_network_blended_with_itself_is_the_same(cfg, ramp):
    networks = some_networks(cfg)
    blended = blend_networks(networks, networks, 16, ramp)
    assert list(blended) == ["G", "G_ema", "D"]
    for name, network in networks.items():
        assert_equal(blended[name], network)


def test_a_ramp_passes_over_in_equal_parts():
    low = {"G_ema": tiny_generator(resolution=64)}
    high = other_networks(low)
    blended = published_weights(blend_networks(low, high, 16, ramp=4)["G_ema"])
    below, above = published_weights(low["G_ema"]), published_weights(high["G_ema"])
    for level, share in ((4, 0.125), (8, 0.375), (16, 0.625), (32, 0.875), (64, 1)):
        for leaf in ("conv1.weight", "torgb.affine.bias", "conv1.noise_const"):
            key = f"synthesis.b{level}.{leaf}"
            expected = below[key].astype(np.float64) * (1 - share) + above[key].astype(np.float64) * share
            np.testing.assert_allclose(blended[key], expected, rtol=1e-6, err_msg=key)


def test_resolutions_of_layers():
    """StyleGAN3's cutoffs rise over the layers to the image's own, where the last ones stay."""
    found = layer_resolutions(tiny_generator(cfg="stylegan3-t", resolution=32))
    np.testing.assert_allclose(list(found.values()), [4, 4 * 8**0.5, 32, 32], rtol=1e-6)
    assert layer_resolutions(tiny_generator()) == {"b4": 4, "b8": 8, "b16": 16}


def test_what_cannot_be():
    one, other = {"G": tiny_generator(name="G")}, {"G": tiny_generator(name="G", channels=3)}
    deeper = {"G": tiny_generator(name="G", resolution=32)}
    free = {"G": tiny_generator(name="G", no_const=True)}
    for work, message in (
        (lambda: average_networks([one]), "networks: found 1, expected two at least"),
        (lambda: average_networks([one, one], [1]), "weights: found 1, expected 2 numbers"),
        (lambda: average_networks([one, one], [1, -1]), "weights: found 1,-1, expected 2 numbers, .* sum is not 0"),
        (
            lambda: average_networks([one, one, other]),
            "G: found img_channels 1 in the first and 3 in number 3, expected networks of one shape",
        ),
        (lambda: average_networks([one, free]), "G: found no_const False in the first and True in number 2, expected"),
        (lambda: blend_networks(one, deeper, 8), "G: found img_resolution 16 in the low and 32 in the high"),
        (lambda: blend_networks(one, one, 4), "resolution: found 4, expected more than 4 and 16 at most"),
        (lambda: blend_networks(one, one, 17), "resolution: found 17, expected more than 4 and 16 at most"),
    ):
        with pytest.raises(ValueError, match=message):
            work()
