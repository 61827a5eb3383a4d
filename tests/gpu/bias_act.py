"""bias_act by its launchers: forward, and the gradients composed as the op's are in sg_keras/ops/bias_act.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.gpu.devices import TYPE_CODES, Array
from tests.gpu.launchers import Launchers

ACTS = ("linear", "relu", "lrelu", "tanh", "sigmoid", "elu", "selu", "softplus", "swish")
_PIECEWISE = ACTS[:3]


def constants(act: str, alpha: float | None = None, gain: float | None = None, clamp: float | None = None) -> dict:
    """The fields that say which function; defaults as in sg_keras.ops.bias_act."""
    default_gain = math.sqrt(2) if act in ("relu", "lrelu", "swish") else 1.0
    return {
        "act": ACTS.index(act),
        "alpha": (0.2 if act == "lrelu" else 0.0) if alpha is None else alpha,
        "gain": default_gain if gain is None else gain,
        "clamp": math.inf if clamp is None else clamp,
    }


def forward(launchers: Launchers, x: Array, b: Array | None, dtype: str, function: dict[str, Any]) -> Array:
    """y for x [..., C]."""
    y = launchers.device.empty(x.shape, dtype)
    launchers.call("bias_act", type=TYPE_CODES[dtype], **function, **_extent(x), x=x, b=b, y=y)
    return y


def gradient(
    launchers: Launchers, dy: Array, at: Array, dtype: str, function: dict[str, Any], of_result: bool, sum_bias: bool
) -> tuple[Array, Array | None]:
    """dx and, if asked, db."""
    device = launchers.device
    dx = device.empty(dy.shape, dtype)
    db = device.empty(dy.shape[-1:], dtype) if sum_bias else None
    launchers.call(
        "bias_act_grad",
        type=TYPE_CODES[dtype],
        **function,
        **_extent(dy),
        of_result=of_result,
        dy=dy,
        at=at,
        dx=dx,
        db=db,
    )
    return dx, db


def _extent(x: Array) -> dict[str, int]:
    return {"rows": int(np.prod(x.shape[:-1])), "channels": x.shape[-1]}


def second_derivative(u: np.ndarray, function: dict[str, Any]) -> np.ndarray:
    """Of clamp(gain * act(u)); the op composes it of TensorFlow's ops, so that there is no kernel for it."""
    act, gain, clamp = ACTS[function["act"]], function["gain"], function["clamp"]
    if act in _PIECEWISE:
        return np.zeros_like(u)
    s = 1 / (1 + np.exp(-u))
    elu = np.exp(np.minimum(u, 0))
    value, curvature = {
        "tanh": (np.tanh(u), -2 * np.tanh(u) * (1 - np.tanh(u) ** 2)),
        "sigmoid": (s, s * (1 - s) * (1 - 2 * s)),
        "elu": (np.where(u > 0, u, elu - 1), np.where(u > 0, 0, elu)),
        "selu": (
            1.0507009873554805 * np.where(u > 0, u, 1.6732632423543772 * (elu - 1)),
            np.where(u > 0, 0, 1.0507009873554805 * 1.6732632423543772 * elu),
        ),
        "softplus": (np.logaddexp(u, 0), s * (1 - s)),
        "swish": (u * s, s * (1 - s) * (2 + u * (1 - 2 * s))),
    }[act]
    return np.where(np.abs(gain * value) < clamp, gain * curvature, 0.0)


def golden(launchers: Launchers, case: Any, dtype: str) -> dict[str, np.ndarray]:
    """The arrays of a case of the group bias_act, by name."""
    device, args = launchers.device, dict(case.args)
    dim = args.pop("dim")
    function = constants(**args)
    x, dy, v = (np.moveaxis(case.arrays[name], dim, -1).astype(np.float64) for name in ("x", "dy", "v"))
    b = case.get("b")
    x_, dy_, v_ = (device.put(array, dtype) for array in (x, dy, v))
    b_ = None if b is None else device.put(b, dtype)
    y = forward(launchers, x_, b_, dtype, function)
    of_result = args["act"] in _PIECEWISE and function["alpha"] >= 0 and function["gain"] >= 0
    u = x if b is None else x + b
    at = y if of_result else device.put(u, dtype)
    dx, db = gradient(launchers, dy_, at, dtype, function, of_result, b is not None)
    d_dy, _ = gradient(launchers, v_, at, dtype, function, of_result, False)
    g2_x = v * dy * second_derivative(u, function)
    found = {"y": device.get(y), "dx": device.get(dx), "g2_dy": device.get(d_dy), "g2_x": g2_x}
    found = {name: np.moveaxis(array, -1, dim) for name, array in found.items()}
    if db is not None:
        found |= {"db": device.get(db), "g2_b": g2_x.reshape(-1, g2_x.shape[-1]).sum(axis=0)}
    return found
