"""upfirdn2d and its wrappers: against NumPy, gradients against numerics, shapes, types and bad input."""

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.ops import downsample2d, filtered_lrelu, library, setup_filter, upfirdn2d, upsample2d
from tests.ops import oracles

_RNG = np.random.default_rng(0)
_FILTERS = {
    "4x4": np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64,
    "3x5": _RNG.normal(size=[3, 5]),
    "12": _RNG.normal(size=[12]),
    "1x1": np.ones([1, 1]),
}
_GEOMETRIES = [  # up, down, padding
    ((1, 1), (1, 1), (1, 2, 2, 1)),
    ((2, 2), (1, 1), (2, 1, 2, 1)),
    ((1, 1), (2, 2), (1, 1, 1, 1)),
    ((2, 2), (1, 1), (9, 7, 8, 6)),
    ((3, 2), (2, 4), (5, 6, 7, 4)),
    ((4, 1), (1, 3), (8, 9, 10, 11)),
    ((2, 2), (1, 1), (-3, 11, 12, -2)),
]


def _as_matrix(f):
    f = np.float32(f)
    return np.outer(f.astype(np.float64), f.astype(np.float64)) if f.ndim == 1 else f


@pytest.mark.parametrize("filter_name", _FILTERS)
@pytest.mark.parametrize("geometry", _GEOMETRIES, ids=str)
@pytest.mark.parametrize("channels", [1, 3, 20])
def test_matches_numpy(impl, filter_name, geometry, channels):
    up, down, padding = geometry
    f = _FILTERS[filter_name]
    x = np.random.default_rng(1).normal(size=[2, 13, 11, channels])
    for flip_filter in (False, True):
        expected = oracles.upfirdn2d(x, _as_matrix(f), up, down, padding, flip_filter)
        found = upfirdn2d(tf.constant(x), f, up, down, padding, flip_filter, impl=impl)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
        found = upfirdn2d(tf.constant(x, tf.float32), f, up, down, padding, flip_filter, impl=impl)
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("geometry", [_GEOMETRIES[0], _GEOMETRIES[1], _GEOMETRIES[2], _GEOMETRIES[4]], ids=str)
@pytest.mark.parametrize("taps", [2, 4, 5, 9])
@pytest.mark.parametrize("channels", [16, 67, 150])
def test_rows_longer_than_what_is_computed_at_once(impl, geometry, taps, channels):
    up, down, padding = geometry
    f = np.random.default_rng(2).normal(size=[taps])
    x = np.random.default_rng(3).normal(size=[1, 9, 90, channels])
    expected = oracles.upfirdn2d(x, _as_matrix(f), up, down, padding)
    found = upfirdn2d(tf.constant(x), np.outer(np.float32(f), np.float32(f)), up, down, padding, impl=impl)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-5)  # the products of taps are rounded
    found = upfirdn2d(tf.constant(x), setup_filter(f, separable=True, normalize=False), up, down, padding, impl=impl)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("shape", "dtype"), [([4, 160, 162, 17], tf.float32), ([2, 160, 161, 67], tf.bfloat16)])
def test_results_beyond_the_cache_are_the_same(shape, dtype):
    """They take another way to memory."""
    x = tf.cast(tf.random.stateless_normal(shape, seed=[0, 5]), dtype)
    f = setup_filter([1, 3, 3, 1])
    one_by_one = tf.concat([upsample2d(image, f) for image in tf.split(x, shape[0])], 0)
    np.testing.assert_array_equal(tf.cast(upsample2d(x, f), tf.float32), tf.cast(one_by_one, tf.float32))


@pytest.mark.parametrize("factor", [1, 2, 3, (2, 1)], ids=str)
@pytest.mark.parametrize("filter_name", _FILTERS)
def test_wrappers_keep_size_and_mean(impl, factor, filter_name):
    x = tf.random.stateless_normal([2, 12, 18, 3], seed=[0, 0], dtype=tf.float64)
    f = setup_filter(np.abs(_FILTERS[filter_name]))
    factor_x, factor_y = (factor, factor) if isinstance(factor, int) else factor
    assert upsample2d(x, f, up=1, impl=impl).shape == x.shape
    assert upsample2d(x, f, up=factor, impl=impl).shape == [2, 12 * factor_y, 18 * factor_x, 3]
    assert downsample2d(x, f, down=factor, impl=impl).shape == [2, 12 // factor_y, 18 // factor_x, 3]
    inner = upsample2d(tf.ones([1, 40, 40, 1], tf.float64), setup_filter([1, 3, 3, 1]), impl=impl)[:, 8:-8, 8:-8]
    np.testing.assert_allclose(inner, 1, rtol=1e-12)


@pytest.mark.parametrize("filter_name", ["4x4", "3x5"])
@pytest.mark.parametrize("geometry", _GEOMETRIES[:5], ids=str)
def test_gradients_match_numerics(impl, filter_name, geometry):
    up, down, padding = geometry

    def op(x):
        return upfirdn2d(x, _FILTERS[filter_name], up, down, padding, gain=1.5, impl=impl)

    def gradient(cotangent):
        zeros = tf.zeros([1, 5, 6, 2], tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(zeros)
            y = op(zeros)
        return tape.gradient(y, zeros, cotangent)

    x = tf.random.stateless_normal([1, 5, 6, 2], seed=[0, 1], dtype=tf.float64)
    for function, argument in ((op, x), (gradient, op(x))):
        theoretical, numerical = tf.test.compute_gradient(function, [argument], delta=1e-3)
        np.testing.assert_allclose(theoretical[0], numerical[0], atol=1e-9)


def test_implementations_agree_to_third_order(impl):
    x = tf.random.stateless_normal([2, 6, 7, 4], seed=[0, 2], dtype=tf.float64)

    def third(chosen):
        with tf.GradientTape() as tape3:
            tape3.watch(x)
            with tf.GradientTape() as tape2:
                tape2.watch(x)
                with tf.GradientTape() as tape1:
                    tape1.watch(x)
                    y = tf.reduce_sum(upsample2d(x, setup_filter([1, 3, 3, 1]), impl=chosen) ** 4)
                g1 = tf.reduce_sum(tape1.gradient(y, x) ** 2)
            g2 = tf.reduce_sum(tape2.gradient(g1, x))
        return tape3.gradient(g2, x)

    np.testing.assert_allclose(third(impl), third("reference"), rtol=1e-10)


@pytest.mark.parametrize("shape", [[0, 8, 8, 3], [0, 6, 5, 16]])
def test_empty_batch(impl, shape):
    x = tf.zeros(shape)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = upsample2d(x, setup_filter([1, 3, 3, 1]), impl=impl)
    assert y.shape == [0, shape[1] * 2, shape[2] * 2, shape[3]]
    assert tape.gradient(y, x).shape == shape


@pytest.mark.parametrize("known", [[None, 8, 6, 3], [None, None, None, None]], ids=["batch", "nothing"])
def test_shapes_known_only_when_run(impl, known):
    f = setup_filter([1, 2, 3], normalize=False)

    def resample(x):
        return downsample2d(upsample2d(x, f, up=3, impl=impl), f, down=(2, 1), padding=-1, impl=impl)

    @tf.function(input_signature=[tf.TensorSpec(known)])
    def traced(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = resample(x)
        return y, tape.gradient(y, x)

    static = traced.get_concrete_function().output_shapes[0]
    assert static.as_list() == ([None, 22, 8, 3] if known[1] else [None] * 4)
    x = tf.random.stateless_normal([2, 8, 6, 3], seed=[0, 3])
    y, gradient = traced(x)
    np.testing.assert_allclose(y, resample(x), rtol=1e-6)
    assert gradient.shape == x.shape


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_half_types_accumulate_in_single_precision(impl, dtype):
    x = tf.cast(tf.random.stateless_normal([2, 8, 8, 20], seed=[0, 4]), dtype)
    f = setup_filter([1, 3, 3, 1])
    if impl == "custom" and dtype == tf.float16:
        with pytest.raises(ValueError, match="impl='custom': found dtype float16"):
            upsample2d(x, f, impl=impl)
        impl = "auto"  # takes the reference
    found = upsample2d(x, f, impl=impl)
    expected = tf.cast(upsample2d(tf.cast(x, tf.float32), f, impl="reference"), dtype)
    assert found.dtype == dtype
    np.testing.assert_allclose(tf.cast(found, tf.float32), tf.cast(expected, tf.float32), rtol=2**-7, atol=2**-9)


@pytest.mark.parametrize("up", [(1, 1), (2, 2), (3, 1), (1, 4)])
def test_zeros_are_inserted_by_few_axes_to_the_same_bits(up):
    """As along six axes, one for the zeros of each direction, which exported graphs may not have."""
    x = np.random.default_rng(0).standard_normal([2, 3, 4, 5]).astype(np.float32)
    expected = np.zeros([2, 3 * up[0], 4 * up[1], 5], np.float32)
    expected[:, :: up[0], :: up[1]] = x

    @tf.function(input_signature=[tf.TensorSpec([None, 3, 4, 5], tf.float32)])
    def inserted(x):
        return upfirdn2d(x, None, up=up[::-1], impl="reference")

    for count in (2, 0):
        np.testing.assert_array_equal(inserted(x[:count]), expected[:count])
    graphs = [inserted.get_concrete_function().graph.as_graph_def(add_shapes=True)]
    nodes = [node for graph in graphs for f in graph.library.function for node in f.node_def] + [*graphs[0].node]
    shapes = [shape for node in nodes for shape in node.attr["_output_shapes"].list.shape if not shape.unknown_rank]
    assert shapes and max(len(shape.dim) for shape in shapes) <= 4
    sliced = [
        node for node in nodes if node.op == "StridedSlice" and node.attr["T"].type == tf.float32.as_datatype_enum
    ]
    assert not sliced or up != (1, 1)


def _compiled(taps, **options):
    return tf.function(
        lambda x: upfirdn2d(x, taps, **options),
        input_signature=[tf.TensorSpec([None, 70, 41, 3], tf.float64)],
        autograph=False,
    )


@pytest.mark.parametrize("up, down, padding", [(2, 1, 9), (1, 2, 0), (1, 2, -3), (3, 2, (5, -2, 0, 7)), (1, 1, 4)])
def test_matrices_are_the_same_map(up, down, padding):
    """In the form for exported graphs, of images higher and wider than a block of results, and of short filters."""
    x = np.random.default_rng(0).standard_normal([2, 70, 41, 3])
    for taps in (np.random.default_rng(1).standard_normal(12), [1, 3, 3, 1]):
        options = {"up": up, "down": down, "padding": padding}
        portable = _compiled(taps, impl="portable", **options)
        for count in (2, 0):
            expected = upfirdn2d(x[:count], taps, impl="reference", **options)
            np.testing.assert_allclose(portable(x[:count]), expected, atol=1e-12)
        ops = {op.type for op in portable.get_concrete_function().graph.get_operations()}
        assert ("BatchMatMulV2" in ops) == (len(taps) > 4)
    f = np.random.default_rng(2).standard_normal(12)
    found, expected = (
        filtered_lrelu(x, f, f, up=2, down=2, padding=11, impl=impl) for impl in ("portable", "reference")
    )
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_reference_leaves_no_custom_op_in_a_graph():
    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3])])
    def traced(x):
        return upsample2d(x, setup_filter([1, 3, 3, 1]), impl="reference")

    graph = traced.get_concrete_function().graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert not [node.op for node in nodes if node.op.startswith("SgKeras")]


_X = np.zeros([1, 8, 8, 3], np.float32)
_BAD = {
    "rank": ((_X[0], None), {}, r"x: found shape \(8, 8, 3\) of float32"),
    "type": ((_X.astype(np.int32), None), {}, "x: found shape .* of int32"),
    "no pixels": ((_X[:, :0], None), {}, r"x: found shape \(1, 0, 8, 3\)"),
    "filter rank": ((_X, np.ones([2, 2, 2])), {}, r"f: found an array of shape \(2, 2, 2\)"),
    "empty filter": ((_X, []), {}, r"f: found an array of shape \(0,\)"),
    "up": ((_X, None), {"up": 0}, "up: found 0"),
    "down": ((_X, None), {"down": (1, -1)}, r"down: found \(1, -1\)"),
    "padding": ((_X, None), {"padding": (1, 2, 3)}, r"padding: found \(1, 2, 3\)"),
    "crops everything": ((_X, None), {"padding": -4}, r"found images 8x8, .* padding \(-4, -4, -4, -4\)"),
    "filter too large": ((_X, np.ones([9, 9])), {}, r"filter of shape \(9, 9\)"),
    "impl": ((_X, None), {"impl": "cuda"}, "impl: found 'cuda', expected one of auto, custom, reference"),
}


@pytest.mark.parametrize("case", _BAD)
def test_bad_input(case):
    arguments, options, message = _BAD[case]
    with pytest.raises(ValueError, match=message) as error:
        upfirdn2d(*arguments, **options)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
def test_compiled_op_refuses_bad_attributes():
    good = dict(filter_size=[1, 1], filter="1", filter_y="", filter_x="", flip=False)
    good |= dict(up=[1, 1], down=[1, 1], pad_before=[0, 0])
    op = library.custom_ops().sg_keras_upfirdn2d
    assert op(_X, [8, 8], **good).shape == _X.shape
    for changes, message in (
        ({"filter": "1 x"}, "filter: found 'x', expected a number"),
        ({"filter_size": [2, 2]}, "filter_size: found 2x2 with 1 taps"),
        ({"up": [0, 1]}, "up: expected two numbers"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            op(_X, [8, 8], **(good | changes))
    with pytest.raises(tf.errors.InvalidArgumentError, match="size: found 0x8"):
        op(_X, [0, 8], **good)
