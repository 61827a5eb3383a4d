"""StyleGAN3's generators: plans, shapes, magnitudes, transforms, saving, bad arguments."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from sg_keras.inference import inverse_transform
from sg_keras.models import Discriminator, Generator, plan_synthesis

pytestmark = pytest.mark.rounding

SMALL = {
    "img_resolution": 16,
    "img_channels": 1,
    "channel_base": 64,
    "channel_max": 8,
    "z_dim": 6,
    "w_dim": 5,
    "synthesis_kwargs": {"num_layers": 4, "num_critical": 1, "margin_size": 4},
}
KINDS = ["stylegan3-t", "stylegan3-r"]


def latents(count=2, seed=0):
    return tf.constant(np.random.RandomState(seed).randn(count, 6), tf.float32)


def count(variables):
    return sum(int(np.prod(v.shape)) for v in variables)


@pytest.mark.parametrize("cfg", KINDS)
@pytest.mark.parametrize("c_dim", [0, 3])
def test_generators_survive_saving(cfg, c_dim, tmp_path):
    keras.utils.set_random_seed(1)
    G = Generator(c_dim=c_dim, cfg=cfg, **SMALL)
    labels = tf.one_hot([0, 2], c_dim) if c_dim else None
    images = G(latents(), labels)
    assert images.shape == (2, 16, 16, 1)
    G.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    assert loaded.get_config() == G.get_config()
    assert [v.path for v in loaded.variables] == [v.path for v in G.variables]
    np.testing.assert_array_equal(loaded(latents(), labels), images)


@pytest.mark.parametrize("cfg", KINDS)
def test_plans_count_what_is_built(cfg):
    G = Generator(cfg=cfg, **SMALL)
    assert G.synthesis.plan.num_parameters(G.w_dim) == count(G.synthesis.trainable_variables)
    assert G.num_ws == 6 and len(G.mapping.trainable_variables) == 4  # 2 layers
    assert [layer.name for layer in G.synthesis.plan.layers][-2:] == ["L3_16_4", "L4_16_1"]


def test_larger_and_smaller_images():
    for resolution in (8, 16, 2048):
        plan = plan_synthesis(resolution, 3)
        assert plan.layers[-1].design.out_size == resolution
        assert all(np.isfinite(layer.design.up_filter()).all() for layer in plan.layers[:-1])


@pytest.mark.parametrize("cfg", KINDS)
def test_magnitudes_are_updated_before_they_are_used(cfg):
    G = Generator(cfg=cfg, **{**SMALL, "synthesis_kwargs": {**SMALL["synthesis_kwargs"], "magnitude_ema_beta": 0.5}})
    ws, before = G.mapping(latents()), G.synthesis.magnitudes()
    images, updated = tf.function(G.synthesize_with_updates)(ws, before)
    assert set(updated) == set(before) and all(float(m) == 1 for m in before.values())
    assert all(float(m) == 1 for m in G.synthesis.magnitudes().values())  # nothing is stored yet
    for name, variable in G.magnitude_variables().items():
        variable.assign(updated[name])
    np.testing.assert_allclose(G.synthesis(ws), images, atol=1e-5)
    first = G.synthesis.plan.layers[0].name
    features = G.synthesis.input_layer(ws[:, 0])
    np.testing.assert_allclose(updated[first], 0.5 + 0.5 * np.mean(np.square(features)), rtol=1e-5)


def test_stylegan2_keeps_no_magnitudes_and_moves_no_images():
    G = Generator(**{**SMALL, "synthesis_kwargs": None})
    ws = G.mapping(latents())
    images, updated = G.synthesize_with_updates(ws, {}, noise_mode="const")
    np.testing.assert_array_equal(images, G.synthesis(ws))
    assert updated == G.magnitude_variables() == {}
    with pytest.raises(ValueError, match="transform: found one, expected none"):
        G.synthesis(ws, transform=tf.eye(3))


def test_a_transform_for_all_or_for_each():
    G = Generator(cfg="stylegan3-t", **SMALL)
    ws = G.mapping(latents())
    moves = [np.eye(3), inverse_transform((0.1, -0.2), 30)]
    each = G.synthesis(ws, transform=tf.constant(np.stack(moves), tf.float32))
    for index, move in enumerate(moves):
        alike = G.synthesis(ws, transform=tf.constant(move, tf.float32))
        np.testing.assert_allclose(each[index], alike[index], atol=1e-5)
    np.testing.assert_allclose(each[0], G.synthesis(ws)[0], atol=1e-5)


@pytest.mark.parametrize(
    ("cfg", "move", "moved_by_hand"),
    [
        ("stylegan3-t", {"translate": (0.25, 0.0)}, lambda a: np.roll(a, 8, axis=1)),
        ("stylegan3-t", {"translate": (0.0, -0.125)}, lambda a: np.roll(a, -4, axis=0)),
        ("stylegan3-r", {"rotate": 90.0}, np.rot90),  # counterclockwise
    ],
)
def test_images_move_as_they_are_told(cfg, move, moved_by_hand):
    keras.utils.set_random_seed(3)
    G = Generator(cfg=cfg, img_resolution=32, channel_base=256, channel_max=16, z_dim=6, w_dim=6)
    ws = G.mapping(latents(1))
    still = G.synthesis(ws)[0].numpy()
    found = G.synthesis(ws, transform=tf.constant(inverse_transform(**move), tf.float32))[0].numpy()
    inside = np.s_[10:-10, 10:-10]
    error, spread = (np.std((a - moved_by_hand(still))[inside]) for a in (found, still))
    assert error < 0.03 * spread


def test_summary_shows_the_plan():
    lines: list[str] = []
    Generator(cfg="stylegan3-r", **SMALL).summary(print_fn=lines.append)
    text = "\n".join(lines)
    for word in ("stylegan3-r", "L1_24_8", "L4_16_1", "2 (12R)", "4.287", "float32", "4 > 1", "total"):
        assert word in text, word


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"cfg": "stylegan4"}, "cfg: found 'stylegan4', expected stylegan2, stylegan3-t or stylegan3-r"),
        ({"cfg": "stylegan2"}, "synthesis_kwargs: found .* with stylegan2, expected none"),
        ({"img_resolution": 25}, "img_resolution: found 25x25, expected 24x24 or 26x26, the nearest sizes"),
        ({"channel_base": 8}, "channel_base: found 8, expected 16 or more, for one channel at the end"),
        ({"synthesis_kwargs": {"layers": 3}}, "synthesis_kwargs: found 'layers', expected one of num_layers"),
        ({"synthesis_kwargs": {"num_layers": 2}}, "num_critical: found 2, expected 0 to 1"),
        ({"synthesis_kwargs": {"num_layers": 0}}, "num_layers: found 0, expected 1 or more"),
        ({"synthesis_kwargs": {"margin_size": -1}}, "margin_size: found -1"),
        ({"synthesis_kwargs": {"first_cutoff": 9}}, "first_cutoff: found 9, expected a number between 0 and 8"),
        ({"synthesis_kwargs": {"first_stopband": 1}}, "first_stopband: found 1, expected more than first_cutoff=2"),
        ({"synthesis_kwargs": {"last_stopband_rel": 1}}, "last_stopband_rel: found 1.0, expected more than 1"),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        Generator(**{**SMALL, "cfg": "stylegan3-t", **kwargs})


def test_the_discriminator_is_stylegan2s():
    G = Generator(cfg="stylegan3-t", **SMALL)
    D = Discriminator(img_resolution=16, img_channels=1, channel_base=64, channel_max=8)
    assert D(tf.repeat(G(latents()), 2, axis=0)).shape == (4, 1)
