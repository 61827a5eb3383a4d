"""filtered_lrelu: against NumPy, derivatives against the reference, every path of the compiled op, bad input."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.ops import filtered_lrelu, library
from tests.ops import oracles

_RNG = np.random.default_rng(0)


def _low_pass(taps):
    """A symmetric filter."""
    return np.hanning(taps + 2)[1:-1] / np.hanning(taps + 2).sum()


def _radial(taps):
    """A filter that depends on the radius only, and is not separable."""
    positions = np.arange(taps) - (taps - 1) / 2
    f = np.exp(-np.hypot(positions[:, np.newaxis], positions) / taps * 4)
    return f / f.sum()


# Name: fu, fd, up, down, padding, height and width. The first ones are the layers of StyleGAN3-T and -R and have paths
# of their own in the compiled op.
_CASES = {
    "t up 2 down 2": (_low_pass(12), _low_pass(12), 2, 2, (9, 8, 9, 8), (13, 14)),
    "t up 4 down 2": (_low_pass(24), _low_pass(12), 4, 2, (5, 4, 6, 7), (9, 10)),
    "t up 2 down 4": (_low_pass(12), _low_pass(24), 2, 4, (20, 19, 18, 21), (10, 9)),
    "t up 4 down 4": (_low_pass(24), _low_pass(24), 4, 4, (20, 17, 19, 18), (9, 8)),
    "r up 2 down 2": (_low_pass(12), _radial(12), 2, 2, (11, 10, 11, 10), (12, 13)),
    "r up 4 down 2": (_low_pass(24), _radial(12), 4, 2, (5, 4, 5, 4), (9, 10)),
    "radial both": (_radial(12), _radial(12), 2, 2, (11, 10, 11, 10), (12, 13)),
    "radial then separable": (_radial(12), _low_pass(12), 2, 2, (11, 10, 9, 12), (12, 13)),
    "r up 4 down 4": (_low_pass(24), _radial(24), 4, 4, (20, 17, 19, 18), (9, 8)),
    "many columns": (_low_pass(12), _low_pass(12), 2, 2, (9, 8, 9, 8), (3, 210)),
    "many columns, radial": (_low_pass(12), _radial(12), 2, 2, (9, 8, 9, 8), (3, 210)),
    "many rows": (_low_pass(12), _low_pass(12), 2, 2, (9, 8, 9, 8), (70, 3)),
    "no filters": (None, None, 1, 1, (0, 0, 0, 0), (9, 8)),
    "no filters, crop": (None, None, 1, 1, (-1, -2, -3, -1), (9, 10)),
    "no filters, factors": (None, None, 2, 3, (1, 2, 3, 4), (9, 10)),
    "not symmetric": (_RNG.normal(size=[12]), _RNG.normal(size=[12]), 2, 2, (9, 8, 9, 8), (13, 14)),
    "matrices not symmetric": (_RNG.normal(size=[12, 12]), _RNG.normal(size=[12, 12]), 2, 2, (9, 8, 9, 8), (9, 10)),
    "odd matrices": (_RNG.normal(size=[5, 4]), _RNG.normal(size=[3, 7]), 2, 1, (4, 6, 5, 3), (7, 9)),
    "up 1 down 2": (_RNG.normal(size=[7]), _RNG.normal(size=[4, 4]), 1, 2, (3, 4, 2, 5), (11, 13)),
    "up 3 down 3": (_RNG.normal(size=[10]), _RNG.normal(size=[7]), 3, 3, (6, 5, 4, 7), (8, 7)),
    "up 2 down 5": (_RNG.normal(size=[7]), _RNG.normal(size=[3]), 2, 5, (6, 3, -2, 7), (16, 15)),
    "crop": (_low_pass(12), _low_pass(12), 2, 2, (-3, 14, 12, -5), (13, 14)),
    "much padding": (_low_pass(12), _low_pass(12), 2, 2, (40, 33, 37, 45), (5, 4)),
    "one pixel": (_low_pass(12), _low_pass(12), 2, 2, (11, 10, 11, 10), (1, 1)),
}


def _as_matrix(f, gain=1.0):
    """Taps are rounded to single precision after the gain, as `filters.as_taps` says."""
    f = np.ones([1, 1]) if f is None else np.float32(f).astype(np.float64)
    f = np.float32(f * gain ** (f.ndim / 2)).astype(np.float64)
    return np.outer(f, f) if f.ndim == 1 else f


def _oracle(x, fu, fd, b, up, down, padding, gain, slope, clamp, flip_filter):
    x = oracles.upfirdn2d(x + b, _as_matrix(fu, up**2), (up, up), (1, 1), padding, flip_filter)
    x = np.clip(gain * np.where(x > 0, x, slope * x), -clamp, clamp)
    return oracles.upfirdn2d(x, _as_matrix(fd), (1, 1), (down, down), flip_filter=flip_filter)


def _images(case, channels, batch=2):
    *_, (height, width) = _CASES[case]
    rng = np.random.default_rng(1)
    return rng.normal(size=[batch, height, width, channels]), rng.normal(size=[channels])


@pytest.mark.parametrize("case", _CASES)
def test_matches_numpy(impl, case):
    fu, fd, up, down, padding, _ = _CASES[case]
    x, b = _images(case, channels=5)
    for flip_filter, gain, clamp in ((False, math.sqrt(2), 0.9), (True, -0.7, math.inf)):
        expected = _oracle(x, fu, fd, b, up, down, padding, gain, 0.3, clamp, flip_filter)
        for dtype, tolerance in ((tf.float64, 1e-11), (tf.float32, 2e-5)):
            arguments = tf.constant(x, dtype), fu, fd, tf.constant(b, dtype), up, down, padding, gain, 0.3
            found = filtered_lrelu(*arguments, None if math.isinf(clamp) else clamp, flip_filter, impl=impl)
            assert found.dtype == dtype and found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * max(1, np.abs(expected).max()))


def _derivatives(impl, x, b, case, clamp=0.9, gain=1.3, slope=0.2):
    """The result, first and second derivatives, and third of the scalar that they go into."""
    fu, fd, up, down, padding, _ = _CASES[case]
    rng = np.random.default_rng(2)

    def weighted(y):
        weights = tf.constant(rng.normal(size=y.shape), tf.float64)
        return tf.reduce_sum(tf.cast(weights, y.dtype) * y)

    x, b = tf.constant(x), tf.constant(b)
    with tf.GradientTape() as tape3:
        tape3.watch([x, b])
        with tf.GradientTape() as tape2:
            tape2.watch([x, b])
            with tf.GradientTape() as tape1:
                tape1.watch([x, b])
                y = filtered_lrelu(x, fu, fd, b, up, down, padding, gain, slope, clamp, impl=impl)
                scalar = weighted(y**3)
            dx, db = tape1.gradient(scalar, [x, b])
            scalar = weighted(dx**2) + weighted(db**2)
        ddx, ddb = tape2.gradient(scalar, [x, b])
        scalar = weighted(ddx) + weighted(ddb)
    return [y, dx, db, ddx, ddb, *tape3.gradient(scalar, [x, b])]


@pytest.mark.parametrize("channels", [1, 3, 16, 17, 40])
@pytest.mark.parametrize("case", ["t up 4 down 2", "r up 2 down 2", "up 3 down 3"])
def test_channels(impl, case, channels):
    x, b = _images(case, channels)
    for found, expected in zip(_derivatives(impl, x, b, case), _derivatives("reference", x, b, case), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
@pytest.mark.parametrize("case", _CASES)
def test_implementations_agree_to_third_order(case):
    x, b = _images(case, channels=2)
    for options in ({}, {"clamp": None, "gain": -0.8, "slope": -0.3}):
        found = _derivatives("custom", x, b, case, **options)
        for a, e in zip(found, _derivatives("reference", x, b, case, **options), strict=True):
            np.testing.assert_allclose(a, e, rtol=1e-9, atol=1e-10 * max(1, np.abs(e).max()))


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
@pytest.mark.parametrize("case", ["t up 4 down 2", "r up 2 down 2", "radial both", "odd matrices"])
def test_single_precision_gradients(case):
    x, b = _images(case, channels=21)
    found = _derivatives("custom", np.float32(x), np.float32(b), case)[:3]
    for a, e in zip(found, _derivatives("reference", x, b, case)[:3], strict=True):
        np.testing.assert_allclose(a, e, rtol=2e-5, atol=2e-5 * np.abs(e).max())


def test_no_bias_and_gradient_where_clamped(impl):
    x = tf.constant(np.linspace(-4, 4, 8).reshape([1, 1, 8, 1]))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = filtered_lrelu(x, padding=(1, 0), gain=1, slope=0.5, clamp=1.5, impl=impl)
    np.testing.assert_allclose(y[0, 0, 1:-1, 0], np.clip(np.where(x > 0, x, x / 2), -1.5, 1.5).ravel())
    slopes = np.where(np.abs(y[0, 0, 1:-1, 0]) < 1.5, np.where(x[0, 0, :, 0] > 0, 1, 0.5), 0)
    np.testing.assert_allclose(tape.gradient(y, x)[0, 0, :, 0], slopes)


@pytest.mark.parametrize("shape", [[0, 12, 12, 3], [0, 12, 12, 16]])
def test_empty_batch(impl, shape):
    x, b = tf.zeros(shape), tf.ones(shape[-1:])
    with tf.GradientTape() as tape:
        tape.watch([x, b])
        y = filtered_lrelu(x, _low_pass(12), _low_pass(12), b, 2, 2, (9, 8), impl=impl)
    assert y.shape == [0, 9, 10, shape[3]]
    dx, db = tape.gradient(y, [x, b])
    assert dx.shape == shape
    np.testing.assert_array_equal(db, np.zeros(shape[-1:]))


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_half_types_accumulate_in_single_precision(impl, dtype):
    fu, fd, up, down, padding, _ = _CASES["t up 4 down 2"]
    x, b = (tf.cast(a, dtype) for a in _images("t up 4 down 2", channels=20))
    if impl == "custom" and dtype == tf.float16:
        impl = "auto"  # takes the reference
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, b])
        found = filtered_lrelu(x, fu, fd, b, up, down, padding, clamp=0.9, impl=impl)
        wide = tf.cast(x, tf.float32), fu, fd, tf.cast(b, tf.float32), up, down, padding
        expected = filtered_lrelu(*wide, clamp=0.9, impl="reference")
    assert found.dtype == dtype
    np.testing.assert_allclose(tf.cast(found, tf.float32), expected, rtol=2**-7, atol=2**-9)
    for a, e in zip(tape.gradient(found, [x, b]), tape.gradient(expected, [x, b]), strict=True):
        e = tf.cast(e, tf.float32)
        np.testing.assert_allclose(tf.cast(a, tf.float32), e, rtol=2**-6, atol=2**-7 * np.abs(e).max())


@pytest.mark.parametrize("known", [[None, 13, 14, 3], [None, None, None, None]], ids=["batch", "nothing"])
def test_shapes_known_only_when_run(impl, known):
    def op(x):
        return filtered_lrelu(x, _low_pass(12), _low_pass(12), None, 2, 2, (9, 8), impl=impl)

    @tf.function(input_signature=[tf.TensorSpec(known)])
    def traced(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = op(x)
        return y, tape.gradient(y, x)

    static = traced.get_concrete_function().output_shapes[0]
    assert static.as_list() == ([None, 10, 12, 3] if known[1] else [None] * 4)
    x = tf.random.stateless_normal([2, 13, 14, 3], seed=[0, 3])
    y, gradient = traced(x)
    np.testing.assert_allclose(y, op(x), rtol=1e-5, atol=1e-6)
    assert gradient.shape == x.shape


def test_nan_and_infinity_are_not_hidden(impl):
    x = np.zeros([1, 9, 10, 3], np.float32)
    x[0, 4, 5, 1] = np.nan
    y = filtered_lrelu(tf.constant(x), _low_pass(24), _low_pass(12), None, 4, 2, (5, 4, 6, 7), clamp=1, impl=impl)
    assert np.isnan(y[..., 1]).any() and not np.isnan(y[..., 0]).any()


_PRINT_ERROR = """
import numpy as np
import tensorflow as tf
from tests.ops.test_filtered_lrelu import _derivatives, _images
worst = 0
for case in ("t up 4 down 2", "r up 2 down 2", "radial both", "odd matrices"):
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 5e-6)):
        x, b = (a.astype(dtype) for a in _images(case, channels=19))
        exact = _derivatives("reference", x.astype(np.float64), b.astype(np.float64), case)[:3]
        for found, expected in zip(_derivatives("custom", x, b, case)[:3], exact):
            deviation = np.max(np.abs(found.numpy().astype(np.float64) - expected)) / np.max(np.abs(expected))
            worst = max(worst, deviation / tolerance)
print(worst)
"""


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
def test_code_for_older_processors():
    """The vectors of filtered_lrelu are as wide as the processor's registers: other code, other sums."""
    command = [sys.executable, "-c", _PRINT_ERROR]
    processes = [
        subprocess.Popen(
            command, env={**os.environ, "SG_KERAS_PROCESSOR": processor}, stdout=subprocess.PIPE, text=True
        )
        for processor in ("avx2", "baseline")
    ]
    assert all(float(process.communicate(timeout=1800)[0]) <= 1 for process in processes)


def test_reference_leaves_no_custom_op_in_a_graph():
    @tf.function(input_signature=[tf.TensorSpec([None, 13, 14, 3])])
    def traced(x):
        return filtered_lrelu(x, _low_pass(12), _low_pass(12), None, 2, 2, 8, impl="reference")

    graph = traced.get_concrete_function().graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert not [node.op for node in nodes if node.op.startswith("SgKeras")]


_X = np.zeros([1, 8, 8, 3], np.float32)
_BAD = {
    "rank": ({"x": _X[0]}, r"x: found shape \(8, 8, 3\) of float32"),
    "type": ({"x": _X.astype(np.int32)}, "x: found shape .* of int32"),
    "no pixels": ({"x": _X[:, :0]}, r"x: found shape \(1, 0, 8, 3\)"),
    "filter rank": ({"fu": np.ones([2, 2, 2])}, r"f: found an array of shape \(2, 2, 2\)"),
    "empty filter": ({"fd": []}, r"f: found an array of shape \(0,\)"),
    "bias shape": ({"b": np.zeros([2], np.float32)}, r"b: found shape \(2,\) of float32 for x of shape"),
    "bias type": ({"b": np.zeros([3])}, "b: found shape .* of float64"),
    "up": ({"up": 0}, "up: found 0"),
    "up by axis": ({"up": (2, 1)}, r"up: found \(2, 1\), expected a whole number, at least 1"),
    "down": ({"down": 1.5}, "down: found 1.5"),
    "padding": ({"padding": (1, 2, 3)}, r"padding: found \(1, 2, 3\)"),
    "crops everything": ({"padding": -4}, r"found images 8x8, up 1, padding \(-4, -4, -4, -4\)"),
    "filters too large": ({"fd": np.ones([9, 9])}, r"filters of shapes \(1, 1\) and \(9, 9\)"),
    "gain": ({"gain": math.nan}, "gain: found nan"),
    "slope": ({"slope": math.nan}, "slope: found nan"),
    "clamp": ({"clamp": -1}, "clamp: found -1.0"),
    "impl": ({"impl": "cuda"}, "impl: found 'cuda', expected one of auto, custom, reference"),
}


@pytest.mark.parametrize("case", _BAD)
def test_bad_input(case):
    changes, message = _BAD[case]
    with pytest.raises(ValueError, match=message) as error:
        filtered_lrelu(**({"x": _X} | changes))
    assert "\n" not in str(error.value)


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
def test_compiled_ops_refuse_bad_attributes():
    one = dict(up_size=[1, 1], up_rows="1", up_columns="1", up_matrix="")
    one |= {name.replace("up", "down"): value for name, value in one.items()}
    one |= dict(up=1, down=1, gain="1", slope="1")
    forward = library.custom_ops().sg_keras_filtered_lrelu
    good = one | dict(padding=[0, 0, 0, 0], clamp="inf")
    y, mask = forward(_X, _X[0, 0, 0], **good)
    assert y.shape == _X.shape and mask.shape == [1, 1, 8, 8]
    for changes, message in (
        ({"up_rows": "1 x"}, "up_rows: found 'x', expected a number"),
        ({"down_size": [2, 2]}, "down_size: found 2x2 with 1 taps"),
        ({"up": 0}, "up"),
        ({"padding": [-8, 0, 0, 0]}, "leave no pixel"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            forward(_X, _X[0, 0, 0], **(good | changes))
    masked = library.custom_ops().sg_keras_filtered_lrelu_masked
    good = one | dict(pad_up=[0, 0], pad_down=[0, 0], sum_channels=True)
    assert masked(_X, mask, [8, 8], **good)[0].shape == _X.shape
    with pytest.raises(tf.errors.InvalidArgumentError, match="size: found 0x8"):
        masked(_X, mask, [0, 8], **good)
    with pytest.raises(tf.errors.InvalidArgumentError, match="mask: found shape"):
        masked(_X, mask[:, :0], [8, 8], **good)
