"""channel_scale, channel_dot, scale_bias_act and its gradient by their launchers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.gpu.devices import TYPE_CODES, Array
from tests.gpu.launchers import Launchers


def _extent(x: Array, dtype: str) -> dict[str, int]:
    images, height, width, channels = x.shape
    return {"type": TYPE_CODES[dtype], "images": images, "pixels": height * width, "channels": channels}


def channel_scale(launchers: Launchers, x: Array, s: Array, dtype: str) -> Array:
    """x [N, H, W, C] times s [N, C]."""
    y = launchers.device.empty(x.shape, dtype)
    launchers.call("channel_scale", **_extent(x, dtype), x=x, s=s, y=y)
    return y


def channel_dot(launchers: Launchers, a: Array, b: Array, dtype: str) -> Array:
    """Sum over the pixels of a * b, [N, C]."""
    s = launchers.device.empty([a.shape[0], a.shape[3]], dtype)
    launchers.call("channel_dot", **_extent(a, dtype), a=a, b=b, s=s)
    return s


def scale_bias_act(
    launchers: Launchers, x: Array, scale: Array, noise: Array | None, b: Array, dtype: str, function: dict[str, Any]
) -> Array:
    """clamp(gain * act(x * scale + noise + b))."""
    y = launchers.device.empty(x.shape, dtype)
    noise_images = 0 if noise is None else noise.shape[0]
    fields = _extent(x, dtype) | function | {"noise_images": noise_images}
    launchers.call("scale_bias_act", **fields, x=x, scale=scale, noise=noise, b=b, y=y)
    return y


def scale_bias_act_gradient(
    launchers: Launchers, dy: Array, y: Array, x: Array, scale: Array, dtype: str, function: dict[str, Any]
) -> dict[str, np.ndarray]:
    """dx, dscale, dnoise and db, on the host."""
    device = launchers.device
    images, height, width, channels = x.shape
    results = {
        "dx": device.empty(x.shape, dtype),
        "dscale": device.empty([images, channels], dtype),
        "dnoise": device.empty([images, height, width, 1], dtype),
        "db": device.empty([images, channels], dtype),
    }
    fields = _extent(x, dtype) | function
    launchers.call("scale_bias_act_grad", **fields, dy=dy, y=y, x=x, scale=scale, **results)
    return {name: device.get(array) for name, array in results.items()}
