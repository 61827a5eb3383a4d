"""StyleGAN3's modulated convolution against weights made for each sample, as the paper writes them."""

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.ops import modulated_conv2d_stylegan3

pytestmark = pytest.mark.rounding

RANDOM = np.random.RandomState(0)
X, W, STYLES = RANDOM.randn(3, 5, 6, 4), RANDOM.randn(3, 3, 4, 2), RANDOM.randn(3, 4)


def oracle(x, w, styles, padding, demodulate, input_gain):
    if demodulate:
        w = w / np.sqrt(np.mean(w**2, axis=(0, 1, 2)))
        styles = styles / np.sqrt(np.mean(styles**2))
    outputs = []
    for image, style in zip(x, styles, strict=True):
        own = w * style[:, None]
        if demodulate:
            own = own / np.sqrt(np.sum(own**2, axis=(0, 1, 2)) + 1e-8)
        image = np.pad(image * input_gain, [(padding[0],) * 2, (padding[1],) * 2, (0, 0)])
        height, width = image.shape[0] - w.shape[0] + 1, image.shape[1] - w.shape[1] + 1
        windows = [[image[y : y + w.shape[0], x : x + w.shape[1]] for x in range(width)] for y in range(height)]
        outputs.append(np.einsum("yxhwi,hwio->yxo", windows, own))
    return np.stack(outputs)


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("padding", [(2, 2), (0, 0), (1, 2)])  # full, none, in between
@pytest.mark.parametrize("kernel", [W, W[:1, :1], W[:2]])
def test_values(kernel, padding, demodulate, impl):
    found = modulated_conv2d_stylegan3(
        tf.constant(X, tf.float32),
        tf.constant(kernel, tf.float32),
        tf.constant(STYLES, tf.float32),
        padding,
        demodulate,
        input_gain=0.7,
        impl=impl,
    )
    expected = oracle(X, kernel, STYLES, padding, demodulate, 0.7)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_batches_of_unknown_size():
    @tf.function(input_signature=[tf.TensorSpec([None, 5, 6, 4], tf.float64)])
    def function(x):
        y = modulated_conv2d_stylegan3(x, tf.constant(W), tf.ones_like(x[:, 0, 0]), 2)
        assert y.shape.as_list() == [None, 7, 8, 2]
        return y

    assert function(tf.constant(X)).shape == (3, 7, 8, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"styles": STYLES[:, :3]}, r"styles: found shape \(3, 3\) for x of shape \(3, 5, 6, 4\), expected \[N, C\]"),
        ({"padding": -1}, "padding: found -1, expected a whole number or"),
        ({"padding": (1, 2, 3)}, r"padding: found \(1, 2, 3\)"),
    ],
)
def test_bad_arguments(arguments, message):
    arguments = {"styles": STYLES, "padding": 0, **arguments}
    styles = tf.constant(arguments["styles"])
    with pytest.raises(ValueError, match=message):
        modulated_conv2d_stylegan3(tf.constant(X), tf.constant(W), styles, arguments["padding"])
