"""Bias, activation, gain and clamp in one op."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from sg_keras.ops import library
from sg_keras.ops.arguments import as_bias, as_number


@dataclasses.dataclass(frozen=True)
class Activation:
    """An activation with the defaults that `bias_act` gives it."""

    function: Callable[[tf.Tensor, float], tf.Tensor]  # of u = x + b and alpha
    default_gain: float = 1.0
    default_alpha: float = 0.0
    curvature: Callable[[tf.Tensor], tf.Tensor] | None = None  # second derivative; None: piecewise linear


def _leaky_relu(u: tf.Tensor, alpha: float) -> tf.Tensor:
    if u.dtype == tf.float64:  # TensorFlow's op takes its slope in single precision
        return tf.where(u > 0, u, u * alpha)
    return tf.nn.leaky_relu(u, alpha)


def _tanh_curvature(u: tf.Tensor) -> tf.Tensor:
    t = tf.tanh(u)
    return -2 * t * (1 - t * t)


def _sigmoid_curvature(u: tf.Tensor) -> tf.Tensor:
    s = tf.sigmoid(u)
    return s * (1 - s) * (1 - 2 * s)


def _elu_curvature(u: tf.Tensor) -> tf.Tensor:
    return tf.where(u > 0, tf.zeros_like(u), tf.exp(tf.minimum(u, 0)))


def _selu_curvature(u: tf.Tensor) -> tf.Tensor:
    scale_alpha = 1.0507009873554804934 * 1.6732632423543772848  # Klambauer et al. 2017
    return scale_alpha * _elu_curvature(u)


def _softplus_curvature(u: tf.Tensor) -> tf.Tensor:
    s = tf.sigmoid(u)
    return s * (1 - s)


def _swish_curvature(u: tf.Tensor) -> tf.Tensor:
    s = tf.sigmoid(u)
    return s * (1 - s) * (2 + u * (1 - 2 * s))


ACTIVATIONS: dict[str, Activation] = {
    "linear": Activation(lambda u, alpha: u),
    "relu": Activation(lambda u, alpha: tf.nn.relu(u), math.sqrt(2)),
    "lrelu": Activation(_leaky_relu, math.sqrt(2), 0.2),
    "tanh": Activation(lambda u, alpha: tf.tanh(u), curvature=_tanh_curvature),
    "sigmoid": Activation(lambda u, alpha: tf.sigmoid(u), curvature=_sigmoid_curvature),
    "elu": Activation(lambda u, alpha: tf.nn.elu(u), curvature=_elu_curvature),
    "selu": Activation(lambda u, alpha: tf.nn.selu(u), curvature=_selu_curvature),
    "softplus": Activation(lambda u, alpha: tf.nn.softplus(u), curvature=_softplus_curvature),
    "swish": Activation(lambda u, alpha: u * tf.sigmoid(u), math.sqrt(2), curvature=_swish_curvature),
}


def bias_act(
    x: tf.Tensor,
    b: tf.Tensor | None = None,
    act: str = "linear",
    alpha: float | None = None,
    gain: float | None = None,
    clamp: float | None = None,
    impl: str = "auto",
) -> tf.Tensor:
    """Computes clamp(gain * act(x + b)) element by element.

    Args:
        x: activations [..., C] of a floating type, at least one axis. The batch may be empty or unknown.
        b: bias [C] of x's type, added along the last axis. None: no bias.
        act: linear, relu, lrelu, tanh, sigmoid, elu, selu, softplus or swish (u * sigmoid(u)).
        alpha: slope of lrelu for negative numbers. None: 0.2. Other activations take no notice of it.
        gain: factor after the activation. None: sqrt(2) for relu, lrelu and swish, else 1.
        clamp: limits the result to -clamp ... clamp; the gradient is 0 where it acts. None: no limit.
        impl: "auto", "custom" or "reference".

    Returns:
        x's shape and type. Differentiable to any order in x and b.

    Raises:
        ValueError: unknown activation; x, b, gain, alpha or clamp of a wrong form; see also `library.resolve_impl`.

    Example:
        >>> x, b = tf.constant([[1.0, 2.0]]), tf.constant([0.0, 1.0])
        >>> sg_keras.ops.bias_act(x, b, "relu", gain=2.0).numpy().tolist()
        [[2.0, 6.0]]
    """
    x = tf.convert_to_tensor(x)
    if act not in ACTIVATIONS:
        raise ValueError(f"act: found {act!r}, expected one of {', '.join(ACTIVATIONS)}")
    if x.shape.rank == 0 or not x.dtype.is_floating:
        raise ValueError(f"x: found shape {x.shape} of {x.dtype.name}, expected [..., C] of a floating type")
    b = as_bias(b, x)
    alpha = as_number(alpha, "alpha", ACTIVATIONS[act].default_alpha)
    gain = as_number(gain, "gain", ACTIVATIONS[act].default_gain)
    clamp = as_number(clamp, "clamp", math.inf)
    if clamp < 0:
        raise ValueError(f"clamp: found {clamp}, expected None or a number not below 0")
    clamp = representable(clamp, x.dtype)
    implementation = _custom if library.resolve_impl(impl, x.dtype) == "custom" else _reference
    return implementation(x, b, act, alpha, gain, clamp)


def representable(clamp: float, dtype: tf.DType) -> float:
    """The clamp as a number of x's type: whether it acted is read off results, which are rounded to that type."""
    with np.errstate(over="ignore"):  # a clamp beyond the largest number is none
        return float(np.float64(clamp).astype(dtype.as_numpy_dtype))


def _add_bias(x: tf.Tensor, b: tf.Tensor | None) -> tf.Tensor:
    if b is None:
        return x
    return tf.nn.bias_add(x, b) if x.shape.rank and x.shape.rank > 1 else x + b


# ---------------------------------------------------------------------------------------------------- reference


def _reference(x: tf.Tensor, b: tf.Tensor | None, act: str, alpha: float, gain: float, clamp: float) -> tf.Tensor:
    y = ACTIVATIONS[act].function(_add_bias(x, b), alpha)
    if gain != 1:
        y *= gain
    return y if math.isinf(clamp) else tf.clip_by_value(y, -clamp, clamp)


# ---------------------------------------------------------------------------------------------------- custom


def _custom(x: tf.Tensor, b: tf.Tensor | None, act: str, alpha: float, gain: float, clamp: float) -> tf.Tensor:
    if b is None and act == "linear" and math.isinf(clamp):
        return _reference(x, b, act, alpha, gain, clamp)  # one TensorFlow op at most
    b = tf.zeros([0], x.dtype) if b is None else b
    return library.custom_ops().sg_keras_bias_act(x, b, act=act, alpha=repr(alpha), gain=repr(gain), clamp=repr(clamp))


@tf.RegisterGradient("SgKeras>BiasAct")
def _gradient(op: tf.Operation, cotangent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    x, b = op.inputs
    constants = _attributes(op)
    has_bias = b.shape != [0]
    of_result = _slope_follows_from_result(constants)
    at = op.outputs[0] if of_result else _add_bias(x, b if has_bias else None)
    return library.custom_ops().sg_keras_bias_act_grad(
        cotangent, at, of_result=of_result, sum_bias=has_bias, **constants
    )


@tf.RegisterGradient("SgKeras>BiasActGrad")
def _second_gradient(op: tf.Operation, v_dx: tf.Tensor, v_db: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
    """The gradient is linear in dy, so that its own gradient is the same op; smooth activations also have curvature."""
    dy, at = op.inputs
    constants = _attributes(op)
    of_result = op.get_attr("of_result")
    if op.get_attr("sum_bias") and not is_known_zero(v_db):
        v_dx = v_dx + v_db
    d_dy, _ = library.custom_ops().sg_keras_bias_act_grad(v_dx, at, of_result=of_result, sum_bias=False, **constants)
    curvature = ACTIVATIONS[constants["act"]].curvature
    if curvature is None:
        return d_dy, None
    gain, clamp = float(constants["gain"]), float(constants["clamp"])
    d_at = v_dx * dy * (gain * curvature(at))
    if math.isfinite(clamp):
        value = gain * ACTIVATIONS[constants["act"]].function(at, float(constants["alpha"]))
        d_at *= tf.cast(tf.abs(value) < clamp, d_at.dtype)
    return d_dy, d_at


def is_known_zero(cotangent: tf.Tensor) -> bool:
    """Whether a cotangent is just the zero that TensorFlow gives for an output that was not used."""
    value = tf.get_static_value(cotangent)
    return value is not None and not value.any()


def _attributes(op: tf.Operation) -> dict[str, str]:
    """The op's constants. Decimal text, because TensorFlow keeps float attributes in single precision."""
    return {name: op.get_attr(name).decode() for name in ("act", "alpha", "gain", "clamp")}


def _slope_follows_from_result(constants: dict[str, str]) -> bool:
    """Whether the slope can be read off the result: then x need not be kept for the gradient."""
    monotone = float(constants["gain"]) >= 0 and float(constants["alpha"]) >= 0
    return ACTIVATIONS[constants["act"]].curvature is None and monotone
