"""One harness for every layer: it serialises, builds, runs in both precisions and has a gradient."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from sg_keras.layers import Conv2D, Dense, MinibatchStd, SynthesisLayer, ToRGB

IMAGES, WIDTH = (4, 8, 8, 6), 5
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
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("layer_class", "kwargs", "inputs", "output"), CASES)
def test_layer(layer_class, kwargs, inputs, output, dtype):
    layer = layer_class(**kwargs, dtype=dtype, name="layer")
    arguments = [tf.constant(np.random.RandomState(i).randn(*shape), dtype) for i, shape in enumerate(inputs)]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        y = layer(*arguments)
    assert y.shape == output
    assert y.dtype == dtype
    assert all(np.all(np.isfinite(g)) for g in tape.gradient(y, arguments))

    twin = layer_class.from_config(layer.get_config())
    twin(*arguments)
    for target, source in zip(twin.variables, layer.variables, strict=True):
        assert target.path == source.path
        target.assign(source.value)
    np.testing.assert_array_equal(twin(*arguments), y)
    assert twin.get_config() == layer.get_config()


def test_unknown_batch_size_keeps_the_other_sizes_static():
    layer = Conv2D(3, 3, up=2)
    y = keras.Model(x := keras.Input((8, 8, 6)), layer(x)).output
    assert y.shape == (None, 16, 16, 3)


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
