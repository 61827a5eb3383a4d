"""Generator and discriminator: shapes, serialisation, truncation, freezing, bad arguments."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from sg_keras.models import Discriminator, Generator

pytestmark = pytest.mark.rounding

SMALL = {"img_resolution": 16, "img_channels": 1, "channel_base": 64, "channel_max": 8}
G_SMALL = {**SMALL, "z_dim": 6, "w_dim": 5, "mapping_kwargs": {"num_layers": 2}}


def _latents(count: int = 4, width: int = 6) -> tf.Tensor:
    return tf.constant(np.random.RandomState(0).randn(count, width), tf.float32)


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
@pytest.mark.parametrize("c_dim", [0, 3])
def test_networks_survive_saving(architecture, c_dim, tmp_path):
    labels = tf.one_hot([0, 1, 2, 0], c_dim) if c_dim else None
    generator = Generator(c_dim=c_dim, architecture=architecture, **G_SMALL)
    images = generator(_latents(), labels)
    discriminator = Discriminator(c_dim=c_dim, architecture=architecture, freeze_layers=2, **SMALL)
    logits = discriminator(images, labels)
    assert images.shape == (4, 16, 16, 1)
    assert logits.shape == (4, 1)
    for network, arguments, expected in ((generator, _latents(), images), (discriminator, images, logits)):
        network.save(tmp_path / "network.keras")
        loaded = keras.models.load_model(tmp_path / "network.keras")
        assert loaded.get_config() == network.get_config()
        assert [v.path for v in loaded.trainable_variables] == [v.path for v in network.trainable_variables]
        np.testing.assert_array_equal(loaded(arguments, labels), expected)


def test_truncation_pulls_the_first_ws_towards_their_mean():
    generator = Generator(**G_SMALL)
    generator.mapping.w_avg.assign(np.arange(5, dtype=np.float32))
    ws = generator.mapping(_latents()).numpy()
    pulled = generator.mapping(_latents(), truncation_psi=0.5, truncation_cutoff=2).numpy()
    assert ws.shape == (4, 6, 5)
    np.testing.assert_allclose(pulled[:, :2], (ws[:, :2] + np.arange(5)) / 2, rtol=1e-6)
    np.testing.assert_array_equal(pulled[:, 2:], ws[:, 2:])


def test_without_a_constant_the_first_block_begins_with_a_dense_layer():
    """Maps of half its size, units in the order C,H,W, from its first w; then it is a block as all others."""
    keras.utils.set_random_seed(0)
    G = Generator(**{**G_SMALL, "img_resolution": [24, 16], "dtype": "float64", "no_const": True})
    assert G.num_ws == 7
    block = G.synthesis.blocks[0]
    block.fc.bias.assign(np.random.RandomState(1).randn(3 * 2 * 8))
    ws = np.random.RandomState(2).randn(2, 7, 5)
    weight, bias = (np.asarray(v.value) for v in block.fc.variables)
    maps = ws[:, 0] @ weight / np.sqrt(5) + bias
    maps = np.sqrt(2) * np.where(maps < 0, 0.2, 1) * maps
    maps = maps.reshape(2, 8, 3, 2).transpose(0, 2, 3, 1)
    found = dict(G.synthesis.activations(tf.constant(ws), noise_mode="none"))
    assert list(found)[:4] == ["b4.conv0", "b4.conv1", "b4.torgb", "b8.conv0"]
    expected = block.conv0(tf.constant(maps), tf.constant(ws[:, 0]), noise_mode="none")
    np.testing.assert_allclose(found["b4.conv0"], expected, rtol=1e-12)
    expected = block.torgb(block.conv1(expected, tf.constant(ws[:, 1]), noise_mode="none"), tf.constant(ws[:, 2]))
    np.testing.assert_allclose(found["b4.torgb"], expected, rtol=1e-12)
    assert "no_const" not in Generator(**G_SMALL).get_config(), "expected the configuration of before"


def test_freezing_counts_from_the_image():
    discriminator = Discriminator(freeze_layers=5, **SMALL)
    assert discriminator.frozen_layer_names == ["b16.fromrgb", "b16.conv0", "b16.conv1", "b16.skip", "b8.conv0"]
    trained = {v.path for v in discriminator.trainable_variables}
    assert "D/b16/conv0/weight" not in trained
    assert "D/b8/conv1/weight" in trained


def test_summaries_show_the_blocks():
    lines: list[str] = []
    Generator(**G_SMALL).summary(print_fn=lines.append)
    Discriminator(c_dim=2, **SMALL).summary(print_fn=lines.append)
    text = "\n".join(lines)
    for word in ("synthesis.b16", "16 x 16 x 4", "b4", "mapping", "total"):
        assert word in text


@pytest.mark.parametrize(
    ("network", "kwargs", "message"),
    [
        (Generator, {"img_resolution": 36}, "img_resolution: found 36x36, expected 32x32 or 40x40, the nearest"),
        (Generator, {"architecture": "u-net"}, "architecture: found 'u-net'"),
        (
            Generator,
            {"no_const": True, "img_resolution": [16, 20]},
            "no_const: found images of 20x16, whose first block "
            "of 5x4 has no half, expected sides that are multiples of 8",
        ),
        (
            Generator,
            {"no_const": True, "cfg": "stylegan3-t"},
            "no_const: found it with stylegan3-t, which has no const",
        ),
        (Generator, {"channels": [[4, 8]]}, "channels: found 4:8, which says nothing of 8 and 16, expected RESOLUTION"),
        (
            Generator,
            {"channels": [[4, 8], [16, 4]], "cfg": "stylegan3-t"},
            "channels: found 4:8,16:4, which says nothing",
        ),
        (Discriminator, {"channels": [[8, 8], [16, 4]]}, "channels: found 8:8,16:4, which says nothing of 4, expected"),
        (Discriminator, {"architecture": "u-net"}, "architecture: found 'u-net'"),
        (Discriminator, {"img_resolution": 2}, "img_resolution: found 2"),
    ],
)
def test_bad_arguments(network, kwargs, message):
    with pytest.raises(ValueError, match=message):
        network(**{**SMALL, **kwargs})
