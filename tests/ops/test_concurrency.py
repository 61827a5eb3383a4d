"""Ops called by several Python threads at once, in one graph or several, give the bits of a lone call."""

import concurrent.futures
import threading

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.ops import (
    bias_act,
    channel_scale,
    filtered_lrelu,
    library,
    scale_bias_act,
    setup_filter,
    upfirdn2d,
    warp_affine,
)

pytestmark = pytest.mark.skipif(bool(library.custom_ops_problem()), reason=library.custom_ops_problem())

_THREADS = 6
_CALLS = 4  # of each thread
_TAPS = setup_filter([1, 3, 3, 1])
_TURNS = np.float32([[[0.9, -0.4, 0.03], [0.35, 0.8, -0.07]]] * 2)
_LOW_PASS = setup_filter(np.hanning(14)[1:-1])


def _chain(x: tf.Tensor, s: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """All ops, one after another."""
    x = channel_scale(x, s, impl="custom")
    x = scale_bias_act(x, s, None, b, clamp=2.0, impl="custom")
    x = upfirdn2d(x, _TAPS, up=2, padding=(2, 1, 2, 1), gain=4, impl="custom")
    x = filtered_lrelu(x, _LOW_PASS, _LOW_PASS, b, up=2, down=2, padding=11, clamp=2.0, impl="custom")
    x = warp_affine(x, _TURNS, (20, 22), impl="custom")
    return bias_act(x, b, "swish", impl="custom")


def _results(x: tf.Tensor, s: tf.Tensor, b: tf.Tensor) -> list[tf.Tensor]:
    """The chain's result, first derivatives, and second derivatives."""
    inputs = [x, s, b]
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            y = _chain(*inputs)
        first = inner.gradient(y, inputs, output_gradients=y)
    return [y, *first, *outer.gradient(first, inputs)]


def _inputs(seed: int) -> list[tf.Tensor]:
    random = np.random.default_rng(seed)
    shapes = [[2, 19, 21, 20], [2, 20], [20]]
    return [tf.constant(random.normal(size=shape), tf.float32) for shape in shapes]


def _bits(tensors: list[tf.Tensor]) -> list[bytes]:
    return [tensor.numpy().tobytes() for tensor in tensors]


def _check_at_once(function) -> None:
    """Threads that start together, each on inputs of its own, get what lone calls got."""
    expected = [_bits(function(*_inputs(seed))) for seed in range(_THREADS)]
    together = threading.Barrier(_THREADS)

    def call(seed: int) -> list[list[bytes]]:
        inputs = _inputs(seed)
        together.wait(timeout=1800)
        return [_bits(function(*inputs)) for _ in range(_CALLS)]

    with concurrent.futures.ThreadPoolExecutor(_THREADS) as pool:
        for alone, found in zip(expected, pool.map(call, range(_THREADS)), strict=True):
            assert found == [alone] * _CALLS


def test_eager_calls():
    _check_at_once(_results)


def test_one_graph():
    _check_at_once(tf.function(_results))


def test_graphs_traced_at_once():
    """Each thread traces a graph of its own, while the others trace theirs or run them."""
    expected = _bits(_results(*_inputs(0)))
    together = threading.Barrier(_THREADS)

    def trace_and_call(_: int) -> list[bytes]:
        together.wait(timeout=1800)
        return _bits(tf.function(_results)(*_inputs(0)))

    with concurrent.futures.ThreadPoolExecutor(_THREADS) as pool:
        # Graphs may be optimised otherwise than eager ops: the same among themselves, and close to those.
        found = list(pool.map(trace_and_call, range(_THREADS)))
    assert all(bits == found[0] for bits in found)
    for ours, theirs in zip(found[0], expected, strict=True):
        np.testing.assert_allclose(
            np.frombuffer(ours, np.float32), np.frombuffer(theirs, np.float32), rtol=1e-4, atol=1e-3
        )


def test_sessions_side_by_side():
    """Sessions have thread pools of their own."""

    def run(threads: int) -> list[bytes]:
        graph = tf.Graph()
        with graph.as_default():
            inputs = [tf.constant(tensor) for tensor in arrays]
            y = _chain(*inputs)
            outputs = [y, *tf.gradients(y, inputs, grad_ys=y)]
        config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads, use_per_session_threads=True)
        with tf.compat.v1.Session(graph=graph, config=config) as session:
            return [array.tobytes() for _ in range(_CALLS) for array in session.run(outputs)]

    arrays = [tensor.numpy() for tensor in _inputs(0)]
    with concurrent.futures.ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(run, range(1, _THREADS + 1)))
    assert all(bits == found[0] for bits in found)
