"""Every layer through the harness, and what single layers compute."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import sg_keras.layers
from sg_keras.layers import (
    AliasFreeDesign,
    AliasFreeLayer,
    Conv2D,
    Dense,
    FourierInput,
    MinibatchStd,
    SynthesisLayer,
    ToRGB,
)
from tests.layers.harness import check_layer

pytestmark = pytest.mark.rounding

IMAGES, WIDTH = (4, 8, 8, 6), 5
DESIGN = AliasFreeDesign(
    in_channels=6,
    out_channels=3,
    in_size=8,
    out_size=12,
    in_sampling_rate=4,
    out_sampling_rate=8,
    in_cutoff=1.0,
    out_cutoff=2.0,
    in_half_width=1.0,
    out_half_width=2.0,
)
CASES = [
    (Dense, {"units": 3, "activation": "lrelu", "lr_multiplier": 0.5, "bias_init": 1.0}, ((4, 7),), (4, 3)),
    (Dense, {"units": 3, "bias": False}, ((4, 7),), (4, 3)),
    (Conv2D, {"filters": 3, "kernel_size": 3, "activation": "lrelu", "conv_clamp": 1.0}, (IMAGES,), (4, 8, 8, 3)),
    (Conv2D, {"filters": 3, "kernel_size": 3, "down": 2}, (IMAGES,), (4, 4, 4, 3)),
    (Conv2D, {"filters": 3, "kernel_size": 1, "up": 2, "bias": False}, (IMAGES,), (4, 16, 16, 3)),
    (MinibatchStd, {"group_size": 2, "num_channels": 3}, (IMAGES,), (4, 8, 8, 9)),
    (SynthesisLayer, {"filters": 3, "w_dim": WIDTH, "resolution": 8}, (IMAGES, (4, WIDTH)), (4, 8, 8, 3)),
    (SynthesisLayer, {"filters": 3, "w_dim": WIDTH, "resolution": 16, "up": 2}, (IMAGES, (4, WIDTH)), (4, 16, 16, 3)),
    (ToRGB, {"channels": 3, "w_dim": WIDTH}, (IMAGES, (4, WIDTH)), (4, 8, 8, 3)),
    (AliasFreeLayer, {"design": DESIGN, "w_dim": WIDTH}, (IMAGES, (4, WIDTH)), (4, 12, 12, 3)),
    (
        FourierInput,
        {"channels": 6, "w_dim": WIDTH, "size": 8, "sampling_rate": 6, "bandwidth": 2.0},
        ((4, WIDTH),),
        (4, 8, 8, 6),
    ),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("layer_class", "kwargs", "call", "output"), CASES)
def test_layer(layer_class, kwargs, call, output, dtype, tmp_path):
    mixed = ["float32"] if layer_class is ToRGB else None  # images add up in full precision
    check_layer(layer_class, kwargs, call, [output], tmp_path, dtype, mixed)


def test_every_layer_is_checked():
    layers = {getattr(sg_keras.layers, name) for name in sg_keras.layers.__all__} - {AliasFreeDesign}
    assert layers == {layer_class for layer_class, *_ in CASES}


def test_older_configurations_say_ops():
    config = Dense(2, impl="reference").get_config()
    assert Dense.from_config({**config, "ops": config.pop("impl")}).impl == "reference"


def test_a_subclass_says_what_it_was_given():
    class Half(Dense):
        def __init__(self, units=6, **kwargs):
            super().__init__(units // 2, **kwargs)

    config = Half(8, activation="lrelu", bias_init=(1.0, 2.0, 3.0, 4.0), name="half").get_config()
    assert (config["name"], config["units"], config["bias_init"]) == ("half", 8, [1.0, 2.0, 3.0, 4.0])
    assert Half.from_config(config)(tf.zeros([1, 3])).shape == (1, 4)


def test_minibatch_std_groups_are_strided():
    x = np.random.RandomState(0).randn(4, 1, 1, 1)
    y = MinibatchStd(group_size=2, dtype="float64")(tf.constant(x)).numpy()[:, 0, 0, 1]
    pairs = [np.std(x[[0, 2]]), np.std(x[[1, 3]])]  # sample i belongs to group i mod N/G
    np.testing.assert_allclose(y, [pairs[0], pairs[1], pairs[0], pairs[1]], rtol=1e-6)


def test_noise_modes():
    layer = SynthesisLayer(3, WIDTH, 8)
    x, w = tf.random.stateless_normal(IMAGES, [0, 1]), tf.random.stateless_normal([4, WIDTH], [0, 2])
    layer(x, w)
    layer.noise_strength.assign(1.0)
    none, const = layer(x, w, noise_mode="none"), layer(x, w, noise_mode="const")
    seeded = [layer(x, w, noise_mode="random", noise_seed=tf.constant([s, 0], tf.int64)) for s in (1, 1, 2)]
    assert np.ptp(none - const) > 0
    np.testing.assert_array_equal(seeded[0], seeded[1])
    assert np.ptp(seeded[0] - seeded[2]) > 0
    with pytest.raises(ValueError, match="noise_mode: found 'loud', expected const, random or none"):
        layer(x, w, noise_mode="loud")


def test_magnitudes_follow_the_input_and_only_when_told():
    layer = AliasFreeLayer(DESIGN, WIDTH, magnitude_ema_beta=0.9)
    x, w = tf.random.stateless_normal(IMAGES, [0, 1]), tf.random.stateless_normal([4, WIDTH], [0, 2])
    y = layer(x, w)
    assert float(layer.magnitude_ema) == 1
    with tf.GradientTape() as tape:
        tape.watch(x)
        updated = layer.updated_magnitude(tf.constant(2.0), x)
    np.testing.assert_allclose(updated, 0.9 * 2 + 0.1 * np.mean(np.square(x)), rtol=1e-6)
    assert tape.gradient(updated, x) is None
    np.testing.assert_allclose(layer(x * 2, w, magnitude=4.0), y, rtol=1e-4, atol=1e-5)


def test_fourier_features_fade_out_at_the_limit_of_their_rate():
    layer = FourierInput(1, WIDTH, size=16, sampling_rate=8, bandwidth=1.0)
    w = tf.zeros([1, WIDTH])
    layer(w)
    layer.weight.assign([[1.0]])
    layer.phases.assign([1 / 16])  # samples meet the waves' peaks, nearly
    peaks = []
    for frequency in (0.5, 1.0, 2.5, 4.0):
        layer.freqs.assign([[frequency, 0.0]])
        peaks.append(np.abs(layer(w)).max())
    np.testing.assert_allclose(peaks, [1, 1, 0.5, 0], atol=0.05)


@pytest.mark.parametrize("shape", [(2, 3), (3, 3, 3)])
def test_transforms_that_do_not_fit(shape):
    layer = FourierInput(4, WIDTH, size=8, sampling_rate=6, bandwidth=2.0)
    with pytest.raises(ValueError, match=r"transform: found shape .*, expected \[3, 3\] or \[2, 3, 3\]"):
        layer(tf.zeros([2, WIDTH]), transform=tf.zeros(shape))
