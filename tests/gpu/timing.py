"""Times of the kernels on a GPU, as a share of the bandwidth of a copy on the device."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.gpu import bias_act, filtered_lrelu, scaling, upfirdn2d, warp_affine
from tests.gpu.devices import Array, Cupy
from tests.gpu.launchers import Launchers

_SHAPE = (16, 128, 128, 128)
_TYPES = ("float32", "float16", "bfloat16")
_ROUNDS = 20
_CALLS = 10


def microseconds(device: Cupy, run: Callable[[], Any]) -> float:
    """Median time of a call, of rounds of several calls without a wait."""
    cupy = device.cupy
    start, end = cupy.cuda.Event(), cupy.cuda.Event()
    times = []
    for _ in range(_ROUNDS):
        start.record()
        for _ in range(_CALLS):
            run()
        end.record()
        end.synchronize()
        times.append(cupy.cuda.get_elapsed_time(start, end) * 1000 / _CALLS)
    return statistics.median(times)


def copy_gigabytes_per_second(device: Cupy, array: Array) -> float:
    """Bytes read and written by a plain copy."""
    target = device.cupy.empty_like(array.memory)
    time = microseconds(device, lambda: device.cupy.copyto(target, array.memory))
    return 2 * array.memory.nbytes / time / 1e3


def _calls(launchers: Launchers, dtype: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """What is timed: the launcher and its fields, by a name for people."""
    recorder = Recorder(launchers)
    calls: dict[str, tuple[str, dict[str, Any]]] = {}
    for name, run in {
        **_elementwise(recorder, dtype),
        **_resampling(recorder, dtype),
        **_filtered_lrelu(recorder, dtype),
        **_warp(recorder, dtype),
    }.items():
        run()
        calls[name] = recorder.last
    return calls


def _elementwise(recorder: Launchers, dtype: str) -> dict[str, Callable[[], Any]]:
    device = recorder.device
    images, height, width, channels = _SHAPE
    random = np.random.default_rng(0)
    x, dy, y = (device.put(random.standard_normal(_SHAPE, np.float32), dtype) for _ in range(3))
    b = device.put(random.standard_normal(channels, np.float32), dtype)
    s = device.put(random.standard_normal([images, channels], np.float32), dtype)
    noise = device.put(random.standard_normal([images, height, width, 1], np.float32), dtype)
    lrelu, swish = bias_act.constants("lrelu"), bias_act.constants("swish")
    return {
        "bias_act lrelu": lambda: bias_act.forward(recorder, x, b, dtype, lrelu),
        "bias_act swish": lambda: bias_act.forward(recorder, x, b, dtype, swish),
        "bias_act_grad lrelu with db": lambda: bias_act.gradient(recorder, dy, y, dtype, lrelu, True, True),
        "channel_scale": lambda: scaling.channel_scale(recorder, x, s, dtype),
        "channel_dot": lambda: scaling.channel_dot(recorder, x, dy, dtype),
        "scale_bias_act": lambda: scaling.scale_bias_act(recorder, x, s, noise, b, dtype, lrelu),
        "scale_bias_act_grad": lambda: scaling.scale_bias_act_gradient(recorder, dy, y, x, s, dtype, lrelu),
    }


def _resampling(recorder: Launchers, dtype: str) -> dict[str, Callable[[], Any]]:
    random = np.random.default_rng(1)
    x = recorder.device.put(random.standard_normal(_SHAPE, np.float32), dtype)
    four_taps = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    geometries: dict[str, dict[str, Any]] = {
        "upfirdn2d up 2": {"f": four_taps, "up": 2, "padding": (2, 1, 2, 1), "gain": 4},
        "upfirdn2d down 2": {"f": four_taps, "down": 2, "padding": 1},
        "upfirdn2d": {"f": four_taps, "padding": (2, 1, 2, 1)},
        "upfirdn2d up 2, 12 taps": {"f": np.ones(12), "up": 2, "padding": (6, 5, 6, 5)},
        "upfirdn2d matrix 8x8": {"f": random.standard_normal([8, 8]), "padding": (4, 3, 4, 3)},
    }
    resampled = {name: upfirdn2d.resampling(_SHAPE[1:3], **arguments) for name, arguments in geometries.items()}
    return {name: functools.partial(upfirdn2d.apply, recorder, x, each, dtype) for name, each in resampled.items()}


def _filtered_lrelu(recorder: Launchers, dtype: str) -> dict[str, Callable[[], Any]]:
    """Middle layers of StyleGAN3: separable filters (T) and a radial one (R)."""
    height, width, channels = _SHAPE[1:]
    x = np.random.default_rng(2).standard_normal(_SHAPE, np.float32)
    ones = {count: np.ones(count, np.float32) / count for count in (12, 24)}
    layers = {
        "T up 4 down 2": (ones[24], ones[12], 4, 2, (5, 4, 5, 4)),
        "T up 2 down 2": (ones[12], ones[12], 2, 2, (9, 8, 9, 8)),
        "R up 2 down 2": (ones[12], np.outer(ones[12], ones[12]), 2, 2, (9, 8, 9, 8)),
    }
    runs: dict[str, Callable[[], Any]] = {}
    for name, (fu, fd, up, down, padding) in layers.items():
        geometry = filtered_lrelu.as_applied(
            (height, width), fu, fd, up, down, padding, False, gain=2**0.5, slope=0.2, clamp=256.0
        )
        runs[f"filtered_lrelu {name}"] = functools.partial(
            filtered_lrelu.forward, recorder, geometry, dtype, x, np.zeros(channels, np.float32)
        )
    return runs


def _warp(recorder: Launchers, dtype: str) -> dict[str, Callable[[], Any]]:
    """Augmentation of images: a slight turn."""
    random = np.random.default_rng(3)
    images, size = 4 * _SHAPE[0], (2 * _SHAPE[1], 2 * _SHAPE[2])
    x = random.standard_normal([images, *size, 3], np.float32)
    theta = np.tile(np.array([[1.0, -0.3, 0.1], [0.3, 1.0, -0.1]], np.float32), [images, 1, 1])
    return {
        "warp_affine": lambda: warp_affine.warp(recorder, x, theta, size, dtype),
        "warp_affine_transpose": lambda: warp_affine.transpose(recorder, x, theta, size, dtype),
        "warp_affine_matrix_gradient": lambda: warp_affine.matrix_gradient(recorder, x, x, theta, dtype),
    }


class Recorder(Launchers):
    """Launchers that remember the last call, for calls that are made again."""

    last: tuple[str, dict[str, Any]]

    def __init__(self, launchers: Launchers):
        self.library = launchers.library
        self.device = launchers.device

    def call(self, name: str, **fields: Any) -> None:
        self.last = (name, fields)
        super().call(name, **fields)


def report(launchers: Launchers) -> Iterator[str]:
    """Lines: op, type, microseconds, gigabytes a second of its inputs and outputs, share of a copy's."""
    device = launchers.device
    if not isinstance(device, Cupy):
        raise TypeError(f"times are of a GPU: found {type(device).__name__}, expected Cupy")
    for dtype in _TYPES:
        copy = copy_gigabytes_per_second(device, device.put(np.zeros(_SHAPE, np.float32), dtype))
        yield f"copy {dtype} {copy:.0f} GB/s"
        for name, (launcher, fields) in _calls(launchers, dtype).items():
            prepared = launchers.prepare(launcher, **fields)
            time = microseconds(device, prepared)
            moved = sum(value.memory.nbytes for value in fields.values() if isinstance(value, Array))
            rate = moved / time / 1e3
            yield f"{name} {dtype} {time:.1f} us {rate:.0f} GB/s {rate / copy:.0%} of copy"
