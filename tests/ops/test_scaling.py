"""channel_scale and scale_bias_act: against NumPy, gradients against numerics, shapes, types and bad input."""

import math

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.ops import channel_scale, library, scale_bias_act
from tests.ops import oracles

pytestmark = pytest.mark.rounding

_SHAPES = [[2, 3, 4, 5], [3, 9, 17, 64], [1, 16, 16, 37], [2, 5, 3, 1]]


def _inputs(shape, noise="each", dtype=tf.float64, seed=0):
    """x, scale, noise, b with the argument of the activation away from 0 and the result from the clamp at 1."""
    rng = np.random.default_rng(seed)
    n, height, width, channels = shape
    scale = rng.uniform(0.5, 2, size=[n, channels])
    b = rng.normal(size=[channels])
    noises = {"each": rng.normal(size=[n, height, width, 1]), "shared": rng.normal(size=[1, height, width, 1])}
    added = noises.get(noise, 0) + b
    u = rng.normal(size=shape)
    u = np.where(np.abs(u) < 0.05, 0.3, u)
    u = np.where(np.abs(math.sqrt(2) * u - 1) < 0.05, 0.5, u)
    x = (u - added) / scale[:, None, None, :]
    return [None if a is None else tf.constant(a, dtype) for a in (x, scale, noises.get(noise), b)]


def _gradients(function, arguments, cotangent):
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        y = function(*arguments)
    return tape.gradient(y, arguments, cotangent)


def _check_numerically(function, arguments):
    theoretical, numerical = tf.test.compute_gradient(function, arguments, delta=1e-5)
    for ours, theirs in zip(theoretical, numerical, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-7)


@pytest.mark.parametrize("shape", _SHAPES, ids=str)
def test_channel_scale_matches_numpy(impl, shape):
    x, s, _, _ = _inputs(shape)
    dy = tf.random.stateless_normal(shape, seed=[0, 0], dtype=tf.float64)
    np.testing.assert_allclose(channel_scale(x, s, impl=impl), x.numpy() * s.numpy()[:, None, None, :], rtol=1e-14)
    dx, ds = _gradients(lambda x, s: channel_scale(x, s, impl=impl), [x, s], dy)
    np.testing.assert_allclose(dx, dy.numpy() * s.numpy()[:, None, None, :], rtol=1e-14)
    np.testing.assert_allclose(ds, np.sum(dy.numpy() * x.numpy(), axis=(1, 2)), rtol=1e-10, atol=1e-12)


def test_channel_scale_second_order(impl):
    x, s, _, _ = _inputs([2, 2, 3, 2])
    dy = tf.random.stateless_normal(x.shape, seed=[0, 1], dtype=tf.float64)

    def first_order(x, s, dy):
        dx, ds = _gradients(lambda x, s: channel_scale(x, s, impl=impl), [x, s], dy)
        return tf.concat([tf.reshape(dx, [-1]), tf.reshape(ds, [-1])], axis=0)

    _check_numerically(first_order, [x, s, dy])


@pytest.mark.parametrize("shape", _SHAPES, ids=str)
@pytest.mark.parametrize("noise", ["each", "shared", "none"])
@pytest.mark.parametrize("act", ["lrelu", "linear", "tanh"])
def test_scale_bias_act_matches_numpy(impl, shape, noise, act):
    for dtype, tolerance in ((tf.float64, 1e-13), (tf.float32, 5e-6)):
        x, scale, n, b = _inputs(shape, noise, dtype)
        found = scale_bias_act(x, scale, n, b, act, clamp=1.0, impl=impl)
        u = x.numpy() * scale.numpy()[:, None, None, :] + (0 if n is None else n.numpy())
        gain = math.sqrt(2) if act == "lrelu" else 1.0
        expected = oracles.bias_act(u, b.numpy(), act, 0.2, gain, 1.0)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("noise", ["each", "shared", "none"])
@pytest.mark.parametrize("act", ["lrelu", "tanh"])
def test_scale_bias_act_gradients_match_numerics(impl, noise, act):
    x, scale, n, b = _inputs([2, 2, 3, 2], noise)
    arguments = [x, scale, b] if n is None else [x, scale, n, b]
    dy = tf.random.stateless_normal(x.shape, seed=[0, 2], dtype=tf.float64)

    def op(*tensors):
        tensors = [*tensors[:2], None, tensors[2]] if n is None else tensors
        return scale_bias_act(*tensors, act=act, clamp=1.0, impl=impl)

    def first_order(*tensors):
        gradients = _gradients(op, list(tensors[:-1]), tensors[-1])
        return tf.concat([tf.reshape(g, [-1]) for g in gradients], axis=0)

    _check_numerically(op, arguments)
    _check_numerically(first_order, [*arguments, dy])


def test_implementations_agree_to_third_order(impl):
    x, scale, noise, b = _inputs([2, 3, 3, 4])

    def third(chosen):
        tensors = [x, scale, noise, b]
        with tf.GradientTape() as tape3:
            tape3.watch(tensors)
            with tf.GradientTape() as tape2:
                tape2.watch(tensors)
                with tf.GradientTape() as tape1:
                    tape1.watch(tensors)
                    y = tf.reduce_sum(scale_bias_act(*tensors, clamp=1.0, impl=chosen) ** 3)
                g1 = sum(tf.reduce_sum(g**2) for g in tape1.gradient(y, tensors))
            g2 = sum(tf.reduce_sum(g**2) for g in tape2.gradient(g1, tensors))
        return tape3.gradient(g2, tensors)

    for ours, theirs in zip(third(impl), third("reference"), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("noise", ["each", "shared", "none"])
def test_batch_known_only_when_run(impl, noise):
    x, scale, n, b = _inputs([3, 4, 4, 6], noise, tf.float32)
    noise_spec = [] if n is None else [tf.TensorSpec([None if noise == "each" else 1, 4, 4, 1])]

    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4, 6]), tf.TensorSpec([None, 6]), *noise_spec])
    def traced(x, scale, n=None):
        tensors = [x, scale] if n is None else [x, scale, n]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            y = scale_bias_act(x, scale, n, b, impl=impl)
        return y, *tape.gradient(y, tensors)

    assert traced.get_concrete_function().output_shapes[0].as_list() == [None, 4, 4, 6]
    for size in (3, 0):
        tensors = [x[:size], scale[:size]] + ([] if n is None else [n[:size] if noise == "each" else n])
        y, *gradients = traced(*tensors)
        assert y.shape == [size, 4, 4, 6]
        assert [g.shape for g in gradients] == [t.shape for t in tensors]
        np.testing.assert_allclose(y, scale_bias_act(x, scale, n, b, impl="reference")[:size], rtol=1e-5, atol=1e-6)


def test_half_precision(impl):
    tensors = _inputs([2, 4, 4, 20], dtype=tf.bfloat16)
    y = scale_bias_act(*tensors, impl=impl)
    gradients = _gradients(lambda *t: scale_bias_act(*t, impl=impl), tensors, tf.ones_like(y))
    assert {g.dtype for g in (y, *gradients)} == {tf.bfloat16}
    expected = scale_bias_act(*(tf.cast(t, tf.float32) for t in tensors), impl="reference")
    np.testing.assert_allclose(tf.cast(y, tf.float32), expected, rtol=2**-6, atol=2**-5)


_X, _S, _B = np.zeros([2, 4, 4, 3], np.float32), np.zeros([2, 3], np.float32), np.zeros([3], np.float32)
_BAD = {
    "rank": ((_X[0], _S, None, _B), {}, r"x: found shape \(4, 4, 3\)"),
    "scale": ((_X, _S[:1], None, _B), {}, r"scale: found shape \(1, 3\) of float32 for x of shape \(2, 4, 4, 3\)"),
    "scale type": ((_X, _S.astype(np.float64), None, _B), {}, "scale: found shape .* of float64"),
    "noise": ((_X, _S, _X[..., 0], _B), {}, r"noise: found shape \(2, 4, 4\)"),
    "bias": ((_X, _S, None, _B[:2]), {}, r"b: found shape \(2,\)"),
    "activation": ((_X, _S, None, _B, "gelu"), {}, "act: found 'gelu'"),
    "impl": ((_X, _S, None, _B), {"impl": "fast"}, "impl: found 'fast'"),
}


@pytest.mark.parametrize("case", _BAD)
def test_bad_input(case):
    arguments, options, message = _BAD[case]
    with pytest.raises(ValueError, match=message):
        scale_bias_act(*arguments, **options)


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
def test_compiled_ops_refuse_bad_input():
    ops, constants = library.custom_ops(), dict(act="lrelu", alpha="0.2", gain="1", clamp="inf")
    for call, message in (
        (lambda: ops.sg_keras_channel_scale(_X, _S[:, :2]), r"s: found shape \[2,2\] for x of shape \[2,4,4,3\]"),
        (lambda: ops.sg_keras_channel_dot(_X, _X[:, :2]), r"b: found shape \[2,2,4,3\]"),
        (lambda: ops.sg_keras_scale_bias_act(_X, _S, _X, _B, **constants), r"noise: found shape \[2,4,4,3\]"),
        (lambda: ops.sg_keras_scale_bias_act_grad(_X, _X, _X[:1], _S, **constants), "dy, y, x: found shapes"),
        (
            lambda: ops.sg_keras_scale_bias_act_grad(_X, _X, _X, _S, **(constants | {"alpha": "-1"})),
            "alpha, gain: found -1 and 1",
        ),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            call()
