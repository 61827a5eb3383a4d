"""The published ops' numbers: a few of the golden cases, in both precisions and implementations."""

import functools
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from sg_keras import ops

pytestmark = pytest.mark.rounding

_FOLDER = pathlib.Path(__file__).parents[1] / "fixtures" / "ops"
_CASES = {
    case["file"]: case
    for group in json.loads((_FOLDER / "manifest.json").read_text(encoding="utf-8"))["groups"]
    for case in group["cases"]
}


def _channels_last(array):
    return np.moveaxis(array, 1, -1)


def _close(found, expected, case, precision):
    """The manifest's rules "op" and "absolute"."""
    rule = case["tolerance"]["rule"]
    assert rule in ("op", "absolute")
    limits = case["tolerance"].get(precision, case["tolerance"]["f32"])
    scale = np.abs(expected).max()
    allowed = limits["atol"] * (max(1, scale) if rule == "op" else 1) + limits["rtol"] * np.abs(expected)
    if expected.dtype == np.float32:
        allowed = np.maximum(allowed, 2e-7 * scale)
    found = np.asarray(found, np.float64)
    assert found.shape == expected.shape
    assert np.all(np.abs(found - expected) <= allowed)


@pytest.mark.parametrize("precision", ["f64", "f32"])
@pytest.mark.parametrize("name", [name for name in _CASES if "bias_act" in name])
def test_bias_act(impl, precision, name):
    case, arrays = _CASES[name], np.load(_FOLDER / name)
    arguments = {key: value for key, value in case["args"].items() if key != "dim"}
    assert case["args"]["dim"] == 1
    dtype = tf.float64 if precision == "f64" else tf.float32
    x, dy, v = (tf.constant(_channels_last(arrays[key]), dtype) for key in ("x", "dy", "v"))
    b = tf.constant(arrays["b"], dtype) if "b" in arrays else None
    sources = [x] if b is None else [x, b]
    with tf.GradientTape() as tape2:
        tape2.watch([*sources, dy])
        with tf.GradientTape() as tape1:
            tape1.watch(sources)
            y = ops.bias_act(x, b, impl=impl, **arguments)
        first = tape1.gradient(y, sources, dy)
        scalar = tf.reduce_sum(first[0] * v)
    second = tape2.gradient(scalar, [*sources, dy], unconnected_gradients="zero")
    expected = {"y": y, "dx": first[0], "g2_x": second[0], "g2_dy": second[-1]}
    for key, found in expected.items():
        _close(found, _channels_last(arrays[key]), case, precision)
    if b is not None:
        _close(first[1], arrays["db"], case, precision)
        _close(second[1], arrays["g2_b"], case, precision)


@pytest.mark.parametrize("precision", ["f64", "f32"])
@pytest.mark.parametrize("name", [name for name in _CASES if "upfirdn2d" in name and "setup" not in name])
def test_upfirdn2d(impl, precision, name):
    case, arrays = _CASES[name], np.load(_FOLDER / name)
    dtype = tf.float64 if precision == "f64" else tf.float32
    x = tf.constant(_channels_last(arrays["x"]), dtype)
    f = arrays.get("f")
    filters_alone = case["function"] == "filter2d"  # ours is upsample2d by 1
    op = functools.partial(ops.upsample2d, up=1) if filters_alone else getattr(ops, case["function"])
    if "dy" not in arrays:
        _close(op(x, f, impl=impl, **case["args"]), _channels_last(arrays["y"]), case, precision)
        return
    dy, ddx = (tf.constant(_channels_last(arrays[key]), dtype) for key in ("dy", "ddx"))
    with tf.GradientTape() as tape2:
        tape2.watch(dy)
        with tf.GradientTape() as tape1:
            tape1.watch(x)
            y = op(x, f, impl=impl, **case["args"])
        dx = tape1.gradient(y, x, dy)
    d2_dy = tape2.gradient(dx, dy, ddx)
    for found, key in ((y, "y"), (dx, "dx"), (d2_dy, "d2_dy")):
        _close(found, _channels_last(arrays[key]), case, precision)


def test_setup_filter():
    case, arrays = _CASES["upfirdn2d/setup_filter.npz"], np.load(_FOLDER / "upfirdn2d" / "setup_filter.npz")
    for call in case["args"]["calls"]:
        options = {key: value for key, value in call.items() if key not in ("index", "f")}
        f = None if call["f"] is None else arrays[call["f"]]
        _close(ops.setup_filter(f, **options), arrays[f"out{call['index']}"], case, "f32")
