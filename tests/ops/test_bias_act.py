"""bias_act: against NumPy, gradients against numerics, shapes, types and bad input."""

import math

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.ops import ACTIVATIONS, bias_act, library
from tests.ops import oracles

_SHAPES = [[7, 5], [2, 6, 6, 64], [3, 4, 5, 1], [3, 17, 19, 3], [1, 1, 1, 5000], [11]]


def _inputs(shape, seed=0):
    """x and b with x + b and the clamped value away from every kink."""
    rng = np.random.default_rng(seed)
    b = rng.normal(size=shape[-1:])
    u = rng.normal(size=shape)
    u = np.where(np.abs(u) < 0.05, 0.3, u)
    return u - b, b


@pytest.mark.parametrize("act", ACTIVATIONS)
@pytest.mark.parametrize("shape", _SHAPES, ids=str)
def test_matches_numpy(impl, act, shape):
    x, b = _inputs(shape)
    gain = math.sqrt(2) if act in ("relu", "lrelu", "swish") else 1.0
    for dtype, tolerance in ((tf.float64, 1e-13), (tf.float32, 3e-6)):
        x_, b_ = tf.constant(x, dtype), tf.constant(b, dtype)
        found = bias_act(x_, b_, act, impl=impl)
        expected = oracles.bias_act(x, b, act, 0.2, gain, np.inf)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
        found = bias_act(x_, None, act, alpha=0.3, gain=0.7, clamp=0.4, impl=impl)
        expected = oracles.bias_act(x, 0, act, 0.3, 0.7, 0.4)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("act", ACTIVATIONS)
@pytest.mark.parametrize("clamp", [None, 0.6])
def test_gradients_match_numerics(impl, act, clamp):
    x, b = (tf.constant(a) for a in _inputs([3, 2, 4]))
    dy = tf.random.stateless_normal([3, 2, 4], seed=[0, 1], dtype=tf.float64)

    def op(x, b):
        return bias_act(x, b, act, gain=1.3, clamp=clamp, impl=impl)

    def gradients(x, b, dy):
        with tf.GradientTape() as tape:
            tape.watch([x, b])
            y = op(x, b)
        dx, db = tape.gradient(y, [x, b], dy)
        return tf.concat([tf.reshape(dx, [-1]), db], axis=0)

    for function, arguments in ((op, [x, b]), (gradients, [x, b, dy])):
        theoretical, numerical = tf.test.compute_gradient(function, arguments, delta=1e-5)
        for ours, theirs in zip(theoretical, numerical, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-7)


@pytest.mark.parametrize("act", ["lrelu", "swish", "selu"])
def test_implementations_agree_to_third_order(impl, act):
    x, b = (tf.constant(a) for a in _inputs([3, 5]))

    def third(chosen):
        with tf.GradientTape() as tape3:
            tape3.watch([x, b])
            with tf.GradientTape() as tape2:
                tape2.watch(x)
                with tf.GradientTape() as tape1:
                    tape1.watch(x)
                    y = tf.reduce_sum(bias_act(x, b, act, clamp=2.0, impl=chosen) ** 3)
                g1 = tf.reduce_sum(tape1.gradient(y, x) ** 2)
            g2 = tf.reduce_sum(tape2.gradient(g1, x) ** 2)
        return tape3.gradient(g2, [x, b])

    for ours, theirs in zip(third(impl), third("reference"), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("shape", "dtype"), [([3, 150, 149, 101], tf.float32), ([20, 90, 121, 64], tf.bfloat16)])
@pytest.mark.parametrize("act", ["lrelu", "linear"])
def test_results_beyond_the_cache_are_the_same(shape, dtype, act):
    """They take another way to memory."""
    x, dy = (tf.cast(tf.random.stateless_normal(shape, seed=[0, i]), dtype) for i in range(2))
    b = tf.cast(tf.random.stateless_normal(shape[-1:], seed=[0, 2]), dtype)

    def run(x, dy):
        with tf.GradientTape() as tape:
            tape.watch([x, b])
            y = bias_act(x, b, act, clamp=1.5)
        dx, db = tape.gradient(y, [x, b], dy)
        return y, dx, tf.cast(db, tf.float32)

    *whole, db = run(x, dy)
    of_parts = []
    for k, part in enumerate(zip(tf.split(x, shape[0]), tf.split(dy, shape[0]), strict=True)):
        *found, part_db = run(*part)
        of_parts.append(part_db)
        for one, many in zip(found, whole, strict=True):  # in parts: TensorFlow keeps what it once took
            np.testing.assert_array_equal(tf.cast(one[0], tf.float32), tf.cast(many[k], tf.float32))
    tolerance = 1e-4 if dtype == tf.float32 else 2**-6
    np.testing.assert_allclose(db, sum(of_parts), rtol=tolerance, atol=tolerance * np.sqrt(np.prod(shape[:3])))


@pytest.mark.parametrize("options", [{"gain": -1.5}, {"alpha": -0.3}, {"alpha": 0.0}, {"gain": 0.0}], ids=str)
def test_slopes_that_the_result_does_not_show(impl, options):
    x, b = (tf.constant(a) for a in _inputs([4, 6]))
    theoretical, numerical = tf.test.compute_gradient(
        lambda x, b: bias_act(x, b, "lrelu", clamp=0.9, impl=impl, **options), [x, b], delta=1e-6
    )
    for ours, theirs in zip(theoretical, numerical, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-7)


@pytest.mark.parametrize("act", ["linear", "lrelu", "tanh"])
def test_not_a_number_passes_through(impl, act):
    y = bias_act(tf.constant([[np.nan, 1.0]]), tf.zeros([2]), act, clamp=0.5, impl=impl)
    assert np.isnan(y[0, 0]) and not np.isnan(y[0, 1])


def test_empty_batch(impl):
    x, b = tf.zeros([0, 4, 4, 3]), tf.zeros([3])
    with tf.GradientTape() as tape:
        tape.watch([x, b])
        y = bias_act(x, b, "lrelu", impl=impl)
    assert y.shape == [0, 4, 4, 3]
    dx, db = tape.gradient(y, [x, b])
    assert dx.shape == [0, 4, 4, 3]
    np.testing.assert_array_equal(db, [0, 0, 0])


def test_shapes_known_only_when_run(impl):
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3]), tf.TensorSpec([3])])
    def traced(x, b):
        with tf.GradientTape() as tape:
            tape.watch([x, b])
            y = bias_act(x, b, "lrelu", impl=impl)
        return y, *tape.gradient(y, [x, b])

    assert traced.get_concrete_function().output_shapes[0].as_list() == [None, None, None, 3]
    y, dx, db = traced(tf.ones([2, 4, 5, 3]), tf.zeros([3]))
    np.testing.assert_allclose(y, math.sqrt(2), rtol=1e-6)
    np.testing.assert_allclose(db, 40 * math.sqrt(2), rtol=1e-6)
    assert dx.shape == y.shape


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_half_types(impl, dtype):
    x, b = (tf.cast(a, dtype) for a in _inputs([4, 40]))
    chosen = "auto" if dtype == tf.float16 else impl
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = bias_act(x, b, "lrelu", clamp=256, impl=chosen)
    assert y.dtype == dtype and tape.gradient(y, x).dtype == dtype
    expected = bias_act(tf.cast(x, tf.float32), tf.cast(b, tf.float32), "lrelu", clamp=256, impl="reference")
    np.testing.assert_allclose(tf.cast(y, tf.float32), expected, rtol=2**-6, atol=2**-7)


_X = np.zeros([2, 3], np.float32)
_BAD = {
    "activation": ((_X, None, "gelu"), {}, "act: found 'gelu', expected one of linear, relu, lrelu"),
    "scalar": ((np.float32(1), None), {}, r"x: found shape \(\) of float32"),
    "type": ((_X.astype(np.int32), None), {}, r"x: found shape \(2, 3\) of int32"),
    "bias size": ((_X, np.zeros([4], np.float32)), {}, r"b: found shape \(4,\) of float32 for x of shape \(2, 3\)"),
    "bias rank": ((_X, np.zeros([1, 3], np.float32)), {}, r"b: found shape \(1, 3\)"),
    "bias type": ((_X, np.zeros([3], np.float64)), {}, r"b: found shape \(3,\) of float64"),
    "clamp": ((_X, None), {"clamp": -1}, "clamp: found -1"),
    "gain": ((_X, None), {"gain": math.nan}, "gain: found nan"),
    "impl": ((_X, None), {"impl": "fast"}, "impl: found 'fast'"),
}


@pytest.mark.parametrize("case", _BAD)
def test_bad_input(case):
    arguments, options, message = _BAD[case]
    with pytest.raises(ValueError, match=message) as error:
        bias_act(*arguments, **options)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
def test_compiled_ops_refuse_bad_input():
    constants = dict(act="lrelu", alpha="0.2", gain="1", clamp="inf")
    ops = library.custom_ops()
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"b: found shape \[2\] for x of shape \[2,3\]"):
        ops.sg_keras_bias_act(_X, [0.0, 0.0], **constants)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"dy: found shape \[2,3\], expected \[2\]"):
        ops.sg_keras_bias_act_grad(_X, [0.0, 0.0], of_result=True, sum_bias=False, **constants)
    with pytest.raises(tf.errors.InvalidArgumentError, match="of_result: expected a piecewise linear"):
        ops.sg_keras_bias_act_grad(_X, _X, of_result=True, sum_bias=True, **(constants | {"act": "tanh"}))
    with pytest.raises(tf.errors.InvalidArgumentError, match="gain: found 2 numbers, expected one"):
        ops.sg_keras_bias_act(_X, _X[0], **(constants | {"gain": "1 2"}))
