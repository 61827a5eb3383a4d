"""The CUDA kernels of bias_act, scale_bias_act, channel_scale and upfirdn2d against NumPy, in the emulator.

Every call is made several times, with threads in ascending and in descending order, and with few blocks: the same bits
mean that no barrier is missing where one thread reads what another wrote, nor where a block goes on to its next work.
"""

import math
from typing import Any

import numpy as np
import pytest

from tests.golden.manifest import load_manifest
from tests.gpu import bias_act, harness, scaling, upfirdn2d
from tests.gpu.devices import NUMPY_TYPES, TYPE_CODES, Array
from tests.gpu.launchers import LaunchError, Launchers
from tests.ops import oracles

DTYPES = tuple(TYPE_CODES)
# Error of a result of about 1: rounding of the result for 16-bit types, which are computed in single precision.
_ERRORS = {"float32": 3e-6, "float64": 1e-14, "float16": 2.0**-11, "bfloat16": 2.0**-8}
_CASES = [case for case in load_manifest(harness.FIXTURES) if case.group in ("bias_act", "upfirdn2d")]


def in_every_order(launchers: Launchers, run: Any) -> Any:
    """The results of a call, {name: array}, the same bits in every order of threads."""
    expected = run()
    for descending, blocks in ((True, None), (False, 2), (True, 1)):
        launchers.launch_in_descending_order(descending)
        launchers.launch_at_most(blocks)
        try:
            found = run()
        finally:
            launchers.launch_in_descending_order(False)
            launchers.launch_at_most(None)
        for name, array in expected.items():
            assert array.tobytes() == found[name].tobytes(), (name, descending, blocks)
    return expected


def _values(seed: int, shape: Any, dtype: str) -> np.ndarray:
    """Random numbers of a type, away from 0."""
    values = np.random.default_rng(seed).normal(size=shape)
    return np.where(np.abs(values) < 0.05, 0.3, values).astype(NUMPY_TYPES[dtype])


def _assert_close(found: np.ndarray, expected: np.ndarray, dtype: str, terms: float = 1.0) -> None:
    """`terms`: size of what is added up, if that is more than the result."""
    expected = expected.astype(np.float64)
    tolerance = _ERRORS[dtype]
    rounding = tolerance * np.abs(expected)
    accumulated = 1e-6 * terms if dtype in ("float16", "bfloat16") else tolerance * max(1.0, terms)
    np.testing.assert_array_less(np.abs(found.astype(np.float64) - expected), rounding + accumulated + 1e-30)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_golden(launchers: Launchers, case: Any, dtype: str):
    module = {"bias_act": bias_act, "upfirdn2d": upfirdn2d}[case.group]
    if case.function == "setup_filter":
        assert module.golden(launchers, case, dtype) is None
        return
    found = in_every_order(launchers, lambda: module.golden(launchers, case, dtype))
    judgement = harness.judge(case, found, dtype)
    assert judgement.passed, judgement


# ---------------------------------------------------------------------------------------------------- bias_act

_SHAPES = [[7, 5], [2, 6, 6, 64], [3, 4, 5, 1], [2, 17, 19, 3], [1, 1, 1, 5000], [11], [9000, 1], [40, 33], [3, 9, 200]]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", _SHAPES, ids=str)
def test_bias_act(launchers: Launchers, shape: list[int], dtype: str):
    device = launchers.device
    x, b, dy = _values(0, shape, dtype), _values(1, shape[-1:], dtype), _values(2, shape, dtype)
    function = bias_act.constants("lrelu", clamp=1.5)

    def run() -> dict[str, np.ndarray]:
        x_, b_, dy_ = (device.put(array, dtype) for array in (x, b, dy))
        y = bias_act.forward(launchers, x_, b_, dtype, function)
        plain = bias_act.forward(launchers, x_, None, dtype, bias_act.constants("tanh"))
        dx, db = bias_act.gradient(launchers, dy_, y, dtype, function, True, True)
        return {name: device.get(array) for name, array in {"y": y, "tanh": plain, "dx": dx, "db": db}.items()}

    found = in_every_order(launchers, run)
    x, b, dy = (array.astype(np.float64) for array in (x, b, dy))
    _assert_close(found["y"], oracles.bias_act(x, b, "lrelu", 0.2, math.sqrt(2), 1.5), dtype)
    _assert_close(found["tanh"], np.tanh(x), dtype)
    y = found["y"].astype(np.float64)
    clamp = float(NUMPY_TYPES[dtype](1.5))
    dx = np.where(np.abs(y) >= clamp, 0, dy * math.sqrt(2) * np.where(y > 0, 1, 0.2))
    _assert_close(found["dx"], dx, dtype)
    rows = found["dx"].astype(np.float64).reshape(-1, shape[-1])
    _assert_close(found["db"], rows.sum(axis=0), dtype, terms=0.1 * len(rows))


@pytest.mark.parametrize("act", bias_act.ACTS)
def test_gradient_at_the_argument(launchers: Launchers, act: str):
    device, function = launchers.device, bias_act.constants(act, gain=-1.3, clamp=0.7)
    u, dy = _values(3, [5, 12], "float64"), _values(4, [5, 12], "float64")

    def run() -> dict[str, np.ndarray]:
        places, cotangents = device.put(u, "float64"), device.put(dy, "float64")
        dx, _ = bias_act.gradient(launchers, cotangents, places, "float64", function, False, False)
        return {"dx": device.get(dx)}

    step = 1e-6
    value = [oracles.bias_act(u + d, 0, act, function["alpha"], -1.3, 0.7) for d in (-step, step)]
    np.testing.assert_allclose(in_every_order(launchers, run)["dx"], dy * (value[1] - value[0]) / (2 * step), atol=1e-8)


@pytest.mark.parametrize("act", ["linear", "lrelu", "tanh", "swish"])
def test_not_a_number_passes_through(launchers: Launchers, act: str):
    x = launchers.device.put([[np.nan, 1.0, 2.0, 3.0]], "float16")
    y = bias_act.forward(launchers, x, None, "float16", bias_act.constants(act, clamp=0.5))
    assert list(np.isnan(launchers.device.get(y)[0])) == [True, False, False, False]


def test_rows_that_do_not_begin_at_a_word(launchers: Launchers):
    device, function = launchers.device, bias_act.constants("relu", gain=1.0)
    values = _values(5, [65], "float32")
    whole, target = device.put(values, "float32"), device.empty([65], "float32")
    x, y = (Array(a.memory, a.pointer + 4, (4, 16), a.dtype) for a in (whole, target))
    fields = {"type": 0, "rows": 4, "channels": 16, "b": None} | function
    launchers.call("bias_act", **fields, x=x, y=y)
    found = device.get(target)
    assert np.isnan(found[0])
    np.testing.assert_array_equal(found[1:], np.maximum(values[1:], 0))


# ---------------------------------------------------------------------------------------------------- scaling


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [[2, 5, 7, 16], [3, 4, 4, 3], [1, 40, 40, 8], [2, 3, 3, 300]], ids=str)
def test_scaling(launchers: Launchers, shape: list[int], dtype: str):
    device, function = launchers.device, bias_act.constants("lrelu", clamp=1.5)
    images, height, width, channels = shape
    x, dy, scale = _values(0, shape, dtype), _values(1, shape, dtype), _values(2, [images, channels], dtype)
    noise, b = _values(3, [images, height, width, 1], dtype), _values(4, [channels], dtype)

    def run() -> dict[str, np.ndarray]:
        x_, dy_, scale_, noise_, first_, b_ = (
            device.put(array, dtype) for array in (x, dy, scale, noise, noise[:1], b)
        )
        y = scaling.scale_bias_act(launchers, x_, scale_, noise_, b_, dtype, function)
        shared = scaling.scale_bias_act(launchers, x_, scale_, first_, b_, dtype, function)
        quiet = scaling.scale_bias_act(launchers, x_, scale_, None, b_, dtype, function)
        found = {"y": y, "shared": shared, "quiet": quiet}
        found["scaled"] = scaling.channel_scale(launchers, x_, scale_, dtype)
        found["dot"] = scaling.channel_dot(launchers, x_, dy_, dtype)
        gradient = scaling.scale_bias_act_gradient(launchers, dy_, y, x_, scale_, dtype, function)
        return {name: device.get(array) for name, array in found.items()} | gradient

    found = in_every_order(launchers, run)
    x, dy, scale, noise, b = (array.astype(np.float64) for array in (x, dy, scale, noise, b))
    scale = scale[:, None, None, :]
    for name, added in {"y": noise, "shared": noise[:1], "quiet": 0}.items():
        expected = oracles.bias_act(x * scale + added, b, "lrelu", 0.2, math.sqrt(2), 1.5)
        _assert_close(found[name], expected, dtype, terms=3)
    _assert_close(found["scaled"], x * scale, dtype)
    pixels = height * width
    _assert_close(found["dot"], (x * dy).sum(axis=(1, 2)), dtype, terms=0.1 * pixels)
    y = found["y"].astype(np.float64)
    du = np.where(np.abs(y) >= 1.5, 0, dy * math.sqrt(2) * np.where(y > 0, 1, 0.2))
    _assert_close(found["dx"], du * scale, dtype)
    _assert_close(found["dscale"], (du * x).sum(axis=(1, 2)), dtype, terms=0.1 * pixels)
    _assert_close(found["db"], du.sum(axis=(1, 2)), dtype, terms=0.1 * pixels)
    _assert_close(found["dnoise"], du.sum(axis=3, keepdims=True), dtype, terms=0.1 * channels)


# ---------------------------------------------------------------------------------------------------- upfirdn2d

_TAPS = np.array([0.1, 0.5, 0.3, -0.2])
_GEOMETRIES: dict[str, dict[str, Any]] = {
    "up 2": {"up": 2, "padding": (2, 1, 2, 1), "gain": 4},
    "up 2, odd phase": {"up": 2, "padding": (3, 1, 1, 2)},
    "up 2, cropped": {"up": 2, "padding": (-3, 1, -2, -5)},
    "down 2": {"down": 2, "padding": 1},
    "down 2, odd": {"down": 2, "padding": (2, 0, -1, 3)},
    "filter alone": {"padding": (2, 1, 2, 1)},
    "flipped": {"padding": (0, 3, 5, -1), "flip_filter": True},
    "padded beyond the filter": {"padding": (9, 7, 6, 8)},
    "3 taps": {"up": 2, "padding": (2, 1, 1, 1), "f": _TAPS[:3]},
    "up 3 down 2, 7 taps": {"up": 3, "down": 2, "padding": (3, 2, 4, 5), "f": np.arange(1.0, 8) / 16},
    "axes differ": {"up": (1, 4), "down": (3, 1), "padding": (2, 3, 1, 0), "f": _TAPS},
    "12 taps, down 4": {"down": 4, "padding": 5, "f": np.arange(12.0) / 30},
    "matrix": {"up": 2, "down": 3, "padding": (4, 2, 3, 3), "f": np.arange(15.0).reshape(3, 5) / 40 - 0.2},
    "no filter": {"up": 2, "down": 3, "f": np.ones([1, 1])},
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("geometry", _GEOMETRIES)
def test_upfirdn2d(launchers: Launchers, geometry: str, dtype: str):
    device, arguments = launchers.device, {"f": _TAPS} | _GEOMETRIES[geometry]
    # Several tiles; a few channels, some packs of them, and more than a tile has.
    for seed, shape in enumerate([[1, 37, 33, 3], [2, 13, 22, 12], [1, 9, 8, 70]]):
        resampled = upfirdn2d.resampling(shape[1:3], **arguments)
        adjoint = resampled.adjoint((shape[1], shape[2]))
        x = _values(seed, shape, dtype)
        dy = _values(seed + 9, [shape[0], *resampled.size, shape[3]], dtype)

        def run(x=x, dy=dy, resampled=resampled, adjoint=adjoint) -> dict[str, np.ndarray]:
            maps = {"y": (x, resampled), "dx": (dy, adjoint)}
            return {
                name: device.get(upfirdn2d.apply(launchers, device.put(array, dtype), each, dtype))
                for name, (array, each) in maps.items()
            }

        found = in_every_order(launchers, run) if dtype == "float32" else run()
        x, dy = x.astype(np.float64), dy.astype(np.float64)
        f = arguments["f"].astype(np.float32).astype(np.float64)
        f = np.outer(f, f) if f.ndim == 1 else f
        expected = oracles.upfirdn2d(x, f, **_as_pairs(arguments))
        _assert_close(found["y"], expected, dtype, terms=10)
        # The adjoint by its definition: <dy, A v> = <A^T dy, v> for a few v.
        v = _values(seed + 20, shape, "float64")
        left = (dy * oracles.upfirdn2d(v, f, **_as_pairs(arguments))).sum()
        right = (found["dx"].astype(np.float64) * v).sum()
        size = np.sqrt(np.square(found["dx"].astype(np.float64)).sum()) * 3
        assert abs(left - right) <= max(_ERRORS[dtype], 1e-12) * max(size, 1)


def _as_pairs(arguments: dict[str, Any]) -> dict[str, Any]:
    pairs = {name: upfirdn2d.pair(arguments.get(name, 1))[::-1] for name in ("up", "down")}
    sides = upfirdn2d._sides(arguments.get("padding", 0))
    return pairs | {
        "padding": sides,
        "flip_filter": arguments.get("flip_filter", False),
        "gain": arguments.get("gain", 1.0),
    }


@pytest.mark.parametrize("separable", [True, False])
def test_long_filters(launchers: Launchers, separable: bool):
    """Longer than the arguments of a launch can hold."""
    device = launchers.device
    f = _values(0, [900] if separable else [29, 31], "float32") / 50
    x = _values(1, [1, 6, 5, 4], "float32")
    pad = 450 if separable else 16
    resampled = upfirdn2d.resampling((6, 5), f, padding=pad, separable=separable)
    found = device.get(upfirdn2d.apply(launchers, device.put(x, "float32"), resampled, "float32"))
    f, expected = f.astype(np.float64), x.astype(np.float64)
    if separable:
        expected = oracles.upfirdn2d(expected, f[:, np.newaxis], padding=(0, 0, pad, pad))
        expected = oracles.upfirdn2d(expected, f[np.newaxis], padding=(pad, pad, 0, 0))
    else:
        expected = oracles.upfirdn2d(expected, f, padding=(pad,) * 4)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------------------------------------------- the edges


def test_empty_batches(launchers: Launchers):
    device, function = launchers.device, bias_act.constants("lrelu")
    x, b, s = device.put(np.zeros([0, 4, 4, 3]), "float32"), device.put(np.zeros(3), "float32"), None
    s = device.put(np.zeros([0, 3]), "float32")
    assert bias_act.forward(launchers, x, b, "float32", function).shape == (0, 4, 4, 3)
    _, db = bias_act.gradient(launchers, x, x, "float32", function, True, True)
    np.testing.assert_array_equal(device.get(db), [0, 0, 0])
    scaling.channel_scale(launchers, x, s, "float32")
    scaling.scale_bias_act(launchers, x, s, None, b, "float32", function)
    scaling.scale_bias_act_gradient(launchers, x, x, x, s, "float32", function)
    upfirdn2d.apply(launchers, x, upfirdn2d.resampling((4, 4), _TAPS, padding=2), "float32")
    no_pixels = device.put(np.zeros([2, 0, 4, 3]), "float32")
    np.testing.assert_array_equal(device.get(scaling.channel_dot(launchers, no_pixels, no_pixels, "float32")), 0)


def test_refusals(launchers: Launchers):
    x = launchers.device.put(np.zeros([2, 4]), "float32")
    with pytest.raises(LaunchError, match="bias_act: error 1, invalid argument"):
        bias_act.forward(launchers, x, None, "float32", bias_act.constants("lrelu") | {"act": 9})
    fields = {"rows": 2, "channels": 4, "x": x, "y": x} | bias_act.constants("lrelu")
    with pytest.raises(LaunchError, match="invalid argument"):
        launchers.call("bias_act", type=4, **fields)
    images = launchers.device.put(np.zeros([1, 4, 4, 4]), "float32")
    too_long = upfirdn2d.resampling((4, 4), np.ones(20000, np.float32), padding=20000)
    with pytest.raises(LaunchError, match="upfirdn2d: error 1"):
        upfirdn2d.apply(launchers, images, upfirdn2d.dataclasses.replace(too_long, size=(4, 4)), "float32")
