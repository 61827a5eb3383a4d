"""warp_affine: against NumPy and SciPy, exact cases, adjoint, gradients to second order, odd matrices, bad input."""

import itertools

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from sg_keras.ops import library, warp_affine


def _turn(angle, scale=1.0):
    return scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _matrix(linear, offset=(0.0, 0.0)):
    return np.concatenate([linear, np.reshape(offset, [2, 1])], axis=1)


_MATRICES = {
    "turned": _matrix(_turn(0.7), (0.05, -0.1)),
    "magnified": _matrix(_turn(-2.5, 0.31), (0.3, 0.2)),
    "reduced": _matrix(_turn(0.2, 3.3)),
    "sheared": _matrix([[1.1, 0.8], [-0.1, 0.7]], (-0.2, 0.0)),
    "mirrored": _matrix([[-1.0, 0.0], [0.0, 1.05]], (0.013, 0.0)),
    "moved": _matrix(np.eye(2), (0.37, -0.51)),
    "one line": _matrix([[0.9, 0.4], [0.45, 0.2]]),
    "one point": _matrix(np.zeros([2, 2]), (0.4, -0.3)),
    "beside": _matrix(_turn(0.3), (3.0, 0.0)),
    "far away": _matrix(_turn(1.0, 1e3), (1e7, -1e7)),
}
_ALL = np.stack(list(_MATRICES.values()))


def _positions(theta, size, size_of_x):
    """Row and column in x of each pixel of the result, [N, height, width] each, by the definition."""
    v, u = np.meshgrid(*((2 * np.arange(n) + 1) / n - 1 for n in size), indexing="ij")
    x, y = np.einsum("nab,bhw->anhw", theta, np.stack([u, v, np.ones_like(u)]))
    return ((y + 1) * size_of_x[0] - 1) / 2, ((x + 1) * size_of_x[1] - 1) / 2


def _oracle(x, theta, size):
    """The warp in NumPy, float64."""
    height, width = x.shape[1:3]
    rows, columns = _positions(theta, size, (height, width))
    y = np.zeros([len(x), *size, x.shape[3]])
    for n, di, dj in itertools.product(range(len(x)), (0, 1), (0, 1)):
        i, j = np.floor(rows[n]) + di, np.floor(columns[n]) + dj
        weight = (1 - np.abs(rows[n] - i)) * (1 - np.abs(columns[n] - j))
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        pixels = x[n, np.where(inside, i, 0).astype(int), np.where(inside, j, 0).astype(int)]
        y[n] += np.where(inside, weight, 0)[..., np.newaxis] * pixels
    return y


def _images(shape, seed=0, dtype=tf.float64):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), dtype)


def _gradients(function, arguments, cotangent):
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        y = function(*arguments)
    return tape.gradient(y, arguments, cotangent)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 20, 70])
@pytest.mark.parametrize(
    "sizes", [((13, 21), (17, 70)), ((1, 1), (3, 2)), ((40, 2), (1, 1)), ((2, 33), (16, 64))], ids=str
)
def test_matches_numpy(impl, channels, sizes):
    size_of_x, size = sizes
    x = _images([len(_ALL), *size_of_x, channels])
    expected = _oracle(x.numpy(), _ALL, size)
    for dtype, tolerance in ((tf.float64, 1e-11), (tf.float32, 5e-5)):
        found = warp_affine(tf.cast(x, dtype), tf.constant(_ALL, dtype), size, impl=impl)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_matches_scipy(impl):
    x = _images([len(_ALL), 23, 18, 1])
    found = warp_affine(x, tf.constant(_ALL), (20, 31), impl=impl)
    for n, (rows, columns) in enumerate(zip(*_positions(_ALL, (20, 31), (23, 18)), strict=True)):
        expected = scipy.ndimage.map_coordinates(x[n, :, :, 0].numpy(), [rows, columns], order=1, mode="grid-constant")
        np.testing.assert_allclose(found[n, :, :, 0], expected, atol=1e-11)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64, tf.bfloat16])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_whole_pixels_are_exact(impl, dtype, channels):
    x = _images([1, 14, 14, channels], dtype=dtype)
    image = tf.cast(x, tf.float64).numpy()[0]
    moved = np.zeros_like(image)
    moved[: 14 - 7, :7] = image[7:, 14 - 7 :]
    cases = [
        (_matrix(np.eye(2)), image),
        (_matrix(np.diag([-1, 1])), image[:, ::-1]),
        (_matrix(np.eye(2), (1.0, 1.0)), moved),  # by half the size
        (_matrix([[0, -1], [1, 0]]), np.rot90(image, 1)),
        (_matrix([[0, 1], [-1, 0]]), np.rot90(image, -1)),
    ]
    for matrix, expected in cases:
        theta = tf.constant(matrix[np.newaxis], tf.float64 if dtype == tf.float64 else tf.float32)
        found = warp_affine(x, theta, (14, 14), impl=impl)
        np.testing.assert_array_equal(tf.cast(found, tf.float64)[0], expected)


@pytest.mark.parametrize("channels", [1, 3, 6, 130])
def test_gradient_is_the_adjoint(impl, channels):
    """Over several bands of rows and blocks of channels, too."""
    sizes = [((19, 11), (70, 9)), ((420, 150), (90, 81))] if channels < 6 else [((19, 11), (70, 9))]
    for size_of_x, size in sizes:
        x = _images([len(_ALL), *size_of_x, channels])
        cotangent = _images([len(_ALL), *size, channels], seed=1)
        theta = tf.constant(_ALL)
        y = warp_affine(x, theta, size, impl=impl)
        (dx,) = _gradients(lambda x, theta=theta, size=size: warp_affine(x, theta, size, impl=impl), [x], cotangent)
        of_y = tf.reduce_sum(y * cotangent, axis=(1, 2, 3))
        np.testing.assert_allclose(tf.reduce_sum(x * dx, axis=(1, 2, 3)), of_y, rtol=1e-10, atol=1e-10)


_SMOOTH = ["turned", "magnified", "sheared"]


def _smooth_arguments(channels):
    """x and theta with no position near a pixel's centre, where the derivative by theta jumps."""
    theta = np.stack([_MATRICES[name] for name in _SMOOTH])
    positions = np.stack(_positions(theta, (4, 3), (5, 6)))
    assert np.abs(positions - np.rint(positions)).min() > 1e-3
    return _images([len(theta), 5, 6, channels]), tf.constant(theta)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_derivatives_match_numerics(impl, channels):
    """First and second ones, along random directions of each argument."""
    x, theta = _smooth_arguments(channels)
    cotangent = _images([len(_SMOOTH), 4, 3, channels], seed=2)
    weights = [_images(t.shape, seed=3) for t in (x, theta)]

    def result(x, theta, cotangent):
        return tf.reduce_sum(warp_affine(x, theta, (4, 3), impl=impl) * cotangent)

    def first_order(x, theta, cotangent):
        gradients = _gradients(lambda x, theta: result(x, theta, cotangent), [x, theta], None)
        return sum(tf.reduce_sum(g * w) for g, w in zip(gradients, weights, strict=True))

    arguments, step = [x, theta, cotangent], 1e-5
    for function in (result, first_order):
        gradients = _gradients(function, arguments, None)
        for k, seed in itertools.product(range(3), range(3)):
            direction = _images(arguments[k].shape, seed=10 + seed)
            beside = [
                [a + sign * step * direction if i == k else a for i, a in enumerate(arguments)] for sign in (1, -1)
            ]
            numerical = (function(*beside[0]) - function(*beside[1])) / (2 * step)
            np.testing.assert_allclose(tf.reduce_sum(gradients[k] * direction), numerical, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_implementations_agree_to_third_order(impl, channels):
    x, theta = _images([len(_ALL), 9, 12, channels]), tf.constant(_ALL)

    def derivatives(chosen):
        with tf.GradientTape(persistent=True) as tape3:
            tape3.watch([x, theta])
            with tf.GradientTape(persistent=True) as tape2:
                tape2.watch([x, theta])
                with tf.GradientTape() as tape1:
                    tape1.watch([x, theta])
                    y = tf.reduce_sum(warp_affine(x, theta, (11, 10), impl=chosen) ** 3)
                first = tape1.gradient(y, [x, theta])
                of_first = sum(tf.reduce_sum(g**2) for g in first)
            second = tape2.gradient(of_first, [x, theta])
            of_second = sum(tf.reduce_sum(g**2) for g in second)
        return [*first, *second, *tape3.gradient(of_second, [x, theta])]

    for ours, theirs in zip(derivatives(impl), derivatives("reference"), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10 * np.abs(theirs).max())


@pytest.mark.parametrize("channels", [1, 3, 8])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -3e38, 1e20, 3e9, -2.2e9], ids=str)
def test_matrices_beyond_all_bounds_give_zero(impl, channels, value):
    dtype = tf.float64 if abs(value) > 1e39 else tf.float32
    theta = np.tile(_MATRICES["turned"], [7, 1, 1])
    for k in range(6):
        theta[k].flat[k] = value
    x, theta = _images([7, 6, 8, channels], dtype=dtype), tf.constant(theta, dtype)

    def op(x, theta):
        return warp_affine(x, theta, (4, 70), impl=impl)

    y = op(x, theta)
    np.testing.assert_array_equal(y[:6], np.zeros([6, 4, 70, channels]))
    np.testing.assert_array_equal(y[6:], op(x[6:], theta[6:]))
    dx, dtheta = _gradients(op, [x, theta], tf.ones_like(y))
    np.testing.assert_array_equal(dx[:6], tf.zeros_like(x)[:6])
    np.testing.assert_array_equal(dtheta[:6], np.zeros([6, 2, 3]))
    assert np.isfinite(dx).all() and np.abs(dx[6]).max() > 0 and np.abs(dtheta[6]).max() > 0


@pytest.mark.parametrize("channels", [1, 3, 8])
def test_what_falls_outside_spoils_nothing(impl, channels):
    """A cotangent that is not finite, of a pixel that lies outside x, stays out of the gradient."""
    x, theta = _images([1, 5, 5, channels]), tf.constant(_matrix(_turn(0.1), (0.9, 0.0))[np.newaxis])
    outside = np.all(warp_affine(x, theta, (6, 7), impl=impl).numpy() == 0, axis=-1, keepdims=True)
    assert 0 < outside.sum() < outside.size
    cotangent = np.where(outside, np.inf, np.ones([1, 6, 7, channels]))
    (dx,) = _gradients(lambda x: warp_affine(x, theta, (6, 7), impl=impl), [x], tf.constant(cotangent))
    assert np.isfinite(dx).all()


def test_empty_batch(impl):
    x, theta = tf.zeros([0, 5, 6, 3]), tf.zeros([0, 2, 3])
    y = warp_affine(x, theta, (7, 8), impl=impl)
    assert y.shape == [0, 7, 8, 3]
    gradients = _gradients(lambda x, theta: warp_affine(x, theta, (7, 8), impl=impl), [x, theta], y)
    assert [g.shape for g in gradients] == [x.shape, theta.shape]


@pytest.mark.parametrize("known", [[None, 8, 6, 3], [None, None, None, 3], [None] * 4], ids=["batch", "channels", "no"])
@pytest.mark.parametrize("size_is_known", [True, False])
def test_shapes_known_only_when_run(impl, known, size_is_known):
    @tf.function(input_signature=[tf.TensorSpec(known), tf.TensorSpec([None, 2, 3]), tf.TensorSpec([2], tf.int64)])
    def traced(x, theta, size):
        with tf.GradientTape() as outer:
            outer.watch([x, theta])
            with tf.GradientTape() as tape:
                tape.watch([x, theta])
                y = warp_affine(x, theta, (5, 7) if size_is_known else size, impl=impl)
            gradients = tape.gradient(y, [x, theta])
            penalty = sum(tf.reduce_sum(g**2) for g in gradients)
        return y, *gradients, *outer.gradient(penalty, [x, theta])

    static = traced.get_concrete_function().output_shapes
    assert static[0].as_list() == [None, *((5, 7) if size_is_known else (None, None)), known[3]]
    x, theta = _images([3, 8, 6, 3], dtype=tf.float32), tf.constant(_ALL[:3], tf.float32)
    y, *others = traced(x, theta, tf.constant([5, 7], tf.int64))
    np.testing.assert_allclose(y, warp_affine(x, theta, (5, 7), impl="reference"), atol=1e-5)
    assert [g.shape for g in others] == [x.shape, theta.shape] * 2
    static_x = [s.as_list() for s in (static[1], static[3])]
    assert static_x == [known, known] or known[1] is None


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
@pytest.mark.parametrize("channels", [1, 3, 20])
def test_half_types_accumulate_in_single_precision(impl, dtype, channels):
    if impl == "custom" and dtype not in library.custom_dtypes():
        with pytest.raises(ValueError, match="impl='custom': found dtype float16"):
            warp_affine(tf.zeros([1, 2, 2, 3], dtype), tf.zeros([1, 2, 3]), (2, 2), impl=impl)
        impl = "auto"  # takes the reference
    x, theta = _images([len(_ALL), 9, 12, channels], dtype=dtype), tf.constant(_ALL, tf.float32)
    cotangent = _images([len(_ALL), 8, 70, channels], seed=1, dtype=dtype)

    def results(chosen, *tensors):
        y = warp_affine(tensors[0], theta, (8, 70), impl=chosen)
        return y, *_gradients(lambda x, t: warp_affine(x, t, (8, 70), impl=chosen), [tensors[0], theta], tensors[1])

    found = results(impl, x, cotangent)
    assert [f.dtype for f in found] == [dtype, dtype, tf.float32]
    expected = results("reference", tf.cast(x, tf.float32), tf.cast(cotangent, tf.float32))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(tf.cast(ours, tf.float32), theirs, rtol=2**-7, atol=2**-9 * np.abs(theirs).max())


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
def test_unasked_derivative_by_the_matrix_is_not_computed(monkeypatch):
    def refuse(*_):
        raise AssertionError("computed for nothing")

    x, theta = _smooth_arguments(3)
    monkeypatch.setattr(library.custom_ops(), "sg_keras_warp_affine_matrix_gradient", refuse)
    assert _gradients(lambda x: warp_affine(x, theta, (4, 4), impl="custom"), [x], None)[0].shape == x.shape


def test_reference_leaves_no_custom_op_in_a_graph():
    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3]), tf.TensorSpec([None, 2, 3])])
    def traced(x, theta):
        return warp_affine(x, theta, (4, 4), impl="reference")

    graph = traced.get_concrete_function().graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert not [node.op for node in nodes if node.op.startswith("SgKeras")]


_X, _THETA, _SIZE = np.zeros([2, 8, 8, 3], np.float32), np.zeros([2, 2, 3], np.float32), (4, 4)
_BAD = {
    "rank": ((_X[0], _THETA, _SIZE), r"x: found shape \(8, 8, 3\) of float32"),
    "type": ((_X.astype(np.int32), _THETA, _SIZE), "x: found shape .* of int32"),
    "no pixels": ((_X[:, :0], _THETA, _SIZE), r"x: found shape \(2, 0, 8, 3\)"),
    "matrices": (
        (_X, _THETA[:, :, :2], _SIZE),
        r"theta: found shape \(2, 2, 2\) of float32 for x of shape \(2, 8, 8, 3\)",
    ),
    "batch": ((_X, _THETA[:1], _SIZE), r"theta: found shape \(1, 2, 3\)"),
    "type of matrices": ((_X, _THETA.astype(np.float64), _SIZE), "theta: found .* of float64 for .* of float32"),
    "three sizes": ((_X, _THETA, (4, 4, 3)), r"size: found \(4, 4, 3\), expected \(height, width\)"),
    "one size": ((_X, _THETA, 4), "size: found 4, expected"),
    "no size": ((_X, _THETA, (4, 0)), r"size: found \(4, 0\)"),
    "fraction": ((_X, _THETA, (4, 4.5)), r"size: found \(4, 4.5\)"),
    "tensor size": ((_X, _THETA, tf.constant([4.0, 4.0])), r"size: found a tensor of shape \(2,\) of float32"),
    "impl": ((_X, _THETA, _SIZE, "gpu"), "impl: found 'gpu'"),
}


@pytest.mark.parametrize("case", _BAD)
def test_bad_input(case):
    arguments, message = _BAD[case]
    with pytest.raises(ValueError, match=message) as error:
        warp_affine(*arguments)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
def test_compiled_ops_refuse_bad_input():
    ops = library.custom_ops()
    for call, message in (
        (lambda: ops.sg_keras_warp_affine(_X, _THETA[:1], [4, 4]), r"theta: found shape \[1,2,3\] for x of shape"),
        (lambda: ops.sg_keras_warp_affine(_X, _THETA, [4, 0]), "size: found 4x0, expected 1 to 32768"),
        (lambda: ops.sg_keras_warp_affine(_X, _THETA, [4]), r"size: found shape \[1\]"),
        (lambda: ops.sg_keras_warp_affine_transpose(_X, _THETA, [4, 32769]), "size: found 4x32769"),
        (
            lambda: ops.sg_keras_warp_affine_matrix_gradient(_X, _X[..., :1], _THETA),
            "dy: found shape .* as many channels",
        ),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            call()
