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
        (Discriminator, {"architecture": "u-net"}, "architecture: found 'u-net'"),
        (Discriminator, {"img_resolution": 2}, "img_resolution: found 2"),
    ],
)
def test_bad_arguments(network, kwargs, message):
    with pytest.raises(ValueError, match=message):
        network(**{**SMALL, **kwargs})
