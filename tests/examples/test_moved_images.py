"""The strip of moved images, on untrained networks."""

import keras
import numpy as np
import pytest

from examples.moved_images import MOTIONS, agreement, draw, strip
from sg_keras.inference import latent
from sg_keras.models import Generator


def generator(cfg):
    keras.utils.set_random_seed(0)
    return Generator(z_dim=8, w_dim=8, img_resolution=32, img_channels=1, cfg=cfg, channel_base=128, channel_max=8)


@pytest.fixture(scope="module")
def networks():
    return {cfg: generator(cfg) for cfg in ("stylegan3-t", "stylegan2")}


def decibels(G, translate):
    w = G.mapping(latent(0, 8).astype(np.float32)).numpy()
    still = draw(G, w, (0.0, 0.0), 0.0)
    return agreement(still, draw(G, w, translate, 0.0), translate, 0.0)


def test_stylegan3_moves_as_a_whole_and_stylegan2_does_not(networks):
    translate = (1.5 / 32, 0.0)
    constant = [v.numpy() for v in networks["stylegan2"].variables]
    assert decibels(networks["stylegan3-t"], translate) > decibels(networks["stylegan2"], translate) + 10
    for variable, before in zip(networks["stylegan2"].variables, constant, strict=True):
        np.testing.assert_array_equal(variable.numpy(), before)


def test_no_motion_agrees_with_itself(networks):
    image = draw(networks["stylegan2"], np.zeros([1, networks["stylegan2"].num_ws, 8], np.float32), (0.0, 0.0), 0.0)
    assert agreement(image, image, (0.0, 0.0), 0.0) > 100


def test_strip_has_a_row_for_each_network(networks):
    one, two = strip({"a": networks["stylegan2"]}, 0, None), strip(networks, 0, None)
    assert one.width == two.width > 100 * len(MOTIONS)
    assert two.height > one.height > 100
