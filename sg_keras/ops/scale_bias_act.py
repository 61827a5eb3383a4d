"""What follows a modulated convolution in one op: demodulation, noise, bias, activation, gain and clamp.

StyleGAN2, arXiv:1912.04958, figure 2c and equation 3. One pass over the images forward and one backward, where separate
ops would take four and eight.
"""

from __future__ import annotations

import math

import tensorflow as tf

from sg_keras.ops import library
from sg_keras.ops.bias_act import ACTIVATIONS, bias_act, is_known_zero, representable
from sg_keras.ops.channel_scale import channel_scale, check_scale


def scale_bias_act(
    x: tf.Tensor,
    scale: tf.Tensor,
    noise: tf.Tensor | None,
    b: tf.Tensor,
    act: str = "lrelu",
    alpha: float | None = None,
    gain: float | None = None,
    clamp: float | None = None,
    impl: str = "auto",
) -> tf.Tensor:
    """Computes clamp(gain * act(x * scale + noise + b)).

    Args:
        x: images [N, H, W, C] of a floating type.
        scale: factor of each image and channel, [N, C] of x's type.
        noise: added to all channels, [N, H, W, 1] or [1, H, W, 1] of x's type. None: no noise.
        b: bias [C] of x's type.
        act: see `bias_act`, as are alpha, gain and clamp.
        alpha: slope of lrelu for negative numbers. None: 0.2.
        gain: factor after the activation. None: the activation's own.
        clamp: limits the result to -clamp ... clamp. None: no limit.
        impl: "auto", "custom" or "reference".

    Returns:
        [N, H, W, C] of x's type. Differentiable to any order in x, scale, noise and b.

    Raises:
        ValueError: shapes or types that do not fit; see also `bias_act`.

    Example:
        >>> x, scale, b = tf.ones([2, 4, 4, 3]), tf.ones([2, 3]), tf.zeros([3])
        >>> sg_keras.ops.scale_bias_act(x, scale, noise=None, b=b, act="lrelu").shape
        TensorShape([2, 4, 4, 3])
    """
    x, scale, b = (tf.convert_to_tensor(tensor) for tensor in (x, scale, b))
    check_scale(x, scale, "scale")
    if noise is not None:
        noise = tf.convert_to_tensor(noise)
        _check_noise(x, noise)
    if _is_fused(x, b, act, alpha, gain, impl):
        return _custom(x, scale, noise, b, act, alpha, gain, clamp)
    u = channel_scale(x, scale, impl=impl)
    return bias_act(u if noise is None else u + noise, b, act, alpha, gain, clamp, impl=impl)


def _check_noise(x: tf.Tensor, noise: tf.Tensor) -> None:
    height, width = x.shape[1:3]
    fits = any(noise.shape.is_compatible_with([images, height, width, 1]) for images in (1, x.shape[0]))
    if noise.dtype != x.dtype or not fits:
        found = f"shape {noise.shape} of {noise.dtype.name} for x of shape {x.shape} of {x.dtype.name}"
        raise ValueError(f"noise: found {found}, expected [N, H, W, 1] or [1, H, W, 1] of x's type")


def _is_fused(x: tf.Tensor, b: tf.Tensor, act: str, alpha: float | None, gain: float | None, impl: str) -> bool:
    """Whether the compiled op covers the case: an activation whose slope can be read off its result."""
    if library.resolve_impl(impl, x.dtype) != "custom":
        return False
    piecewise_linear = act in ACTIVATIONS and ACTIVATIONS[act].curvature is None
    fits = b.dtype == x.dtype and b.shape.is_compatible_with(x.shape[-1:])  # else bias_act says what is wrong
    return piecewise_linear and fits and (alpha is None or alpha >= 0) and (gain is None or gain >= 0)


def _custom(
    x: tf.Tensor,
    scale: tf.Tensor,
    noise: tf.Tensor | None,
    b: tf.Tensor,
    act: str,
    alpha: float | None,
    gain: float | None,
    clamp: float | None,
) -> tf.Tensor:
    defaults = ACTIVATIONS[act]
    return library.custom_ops().sg_keras_scale_bias_act(
        x,
        scale,
        tf.zeros([0, 0, 0, 1], x.dtype) if noise is None else noise,
        b,
        act=act,
        alpha=repr(float(defaults.default_alpha if alpha is None else alpha)),
        gain=repr(float(defaults.default_gain if gain is None else gain)),
        clamp=repr(math.inf if clamp is None else representable(clamp, x.dtype)),
    )


def _attributes(op: tf.Operation) -> dict[str, str]:
    return {name: op.get_attr(name).decode() for name in ("act", "alpha", "gain", "clamp")}


@tf.RegisterGradient("SgKeras>ScaleBiasAct")
def _gradient(op: tf.Operation, cotangent: tf.Tensor) -> tuple[tf.Tensor, ...]:
    x, scale, noise, _ = op.inputs
    dx, dscale, dnoise, db_image = library.custom_ops().sg_keras_scale_bias_act_grad(
        cotangent, op.outputs[0], x, scale, **_attributes(op)
    )
    if noise.shape[3:] == [1] and 0 in noise.shape:
        dnoise = tf.zeros_like(noise)
    elif noise.shape[0] == 1 and x.shape[0] != 1:
        dnoise = tf.reduce_sum(dnoise, axis=0, keepdims=True)
    return dx, dscale, dnoise, tf.reduce_sum(db_image, axis=0)


@tf.RegisterGradient("SgKeras>ScaleBiasActGrad")
def _second_gradient(
    op: tf.Operation, v_dx: tf.Tensor, v_dscale: tf.Tensor, v_dnoise: tf.Tensor, v_db_image: tf.Tensor
) -> tuple[tf.Tensor | None, ...]:
    """Gradient of <v_dx, dx> + <v_dscale, dscale> + ..., which are linear in du = dy * slope and in x and scale."""
    dy, y, x, scale = op.inputs
    ops, constants = library.custom_ops(), _attributes(op)

    def times_slope(cotangent: tf.Tensor) -> tf.Tensor:
        return ops.sg_keras_bias_act_grad(cotangent, y, of_result=True, sum_bias=False, **constants).dx

    du = times_slope(dy)
    d_du = ops.sg_keras_channel_scale(v_dx, scale) + ops.sg_keras_channel_scale(x, v_dscale)
    if not is_known_zero(v_dnoise):
        d_du += v_dnoise
    if not is_known_zero(v_db_image):
        d_du += v_db_image[:, tf.newaxis, tf.newaxis, :]
    d_x = ops.sg_keras_channel_scale(du, v_dscale)
    d_scale = ops.sg_keras_channel_dot(v_dx, du)
    return times_slope(d_du), None, d_x, d_scale
