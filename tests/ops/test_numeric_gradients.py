"""Gradients of the ops against differences of float64 results, first and second order, in every input."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.ops import (
    ACTIVATIONS,
    bias_act,
    channel_scale,
    downsample2d,
    filtered_lrelu,
    scale_bias_act,
    upfirdn2d,
    upsample2d,
    warp_affine,
)

_RANDOM = np.random.default_rng(0)
_IMAGES = [2, 3, 4, 2]
_TAPS = _RANDOM.normal(size=[5])
_FULL = _RANDOM.normal(size=[4, 3])


def _draw(shape: list[int], odd: bool = True) -> np.ndarray:
    """Multiples of 1/8, odd ones or even: sums of an odd one and even ones keep away from the kink at 0."""
    return (2 * _RANDOM.integers(-8, 8, size=shape) + odd) / 8


def _resample(function=upfirdn2d, **options):
    return functools.partial(function, **options), [_draw(_IMAGES)]


def _filtered(fu, fd, up, down, padding, **options):
    op = functools.partial(filtered_lrelu, fu=fu, fd=fd, up=up, down=down, padding=padding, **options)
    return lambda x, b, impl: op(x, b=b, impl=impl), [_draw([2, 4, 3, 2]), _draw([2], odd=False)]


# A function of (*inputs, impl=...) and its inputs.
_CASES = {f"bias_act {act}": (functools.partial(bias_act, act=act, clamp=1.3), [_draw(_IMAGES), _draw([2], odd=False)])
          for act in ACTIVATIONS}  # fmt: skip
_CASES |= {
    "bias_act negative slope": (
        functools.partial(bias_act, act="lrelu", alpha=-0.3, gain=1.1, clamp=1.3),
        [_draw(_IMAGES), _draw([2], odd=False)],
    ),
    "channel_scale": (channel_scale, [_draw(_IMAGES), _draw([2, 2])]),
    "scale_bias_act": (
        lambda x, s, n, b, impl: scale_bias_act(x, s, n, b, clamp=2.9, impl=impl),
        [_draw(_IMAGES), np.full([2, 2], 2.0), 2 * _draw([2, 3, 4, 1], odd=False), 2 * _draw([2], odd=False)],
    ),
    "scale_bias_act shared noise": (
        lambda x, s, n, b, impl: scale_bias_act(x, s, n, b, act="tanh", impl=impl),
        [_draw(_IMAGES), np.full([2, 2], 0.5), _draw([1, 3, 4, 1]), _draw([2])],
    ),
    "upfirdn2d separable": _resample(f=_TAPS, up=(2, 1), down=(1, 2), padding=(3, 2, 4, 1)),
    "upfirdn2d full": _resample(f=_FULL, up=(1, 3), down=2, padding=(2, 3, -1, 4), flip_filter=True, gain=0.7),
    "upsample2d by 1": _resample(upsample2d, f=_TAPS, up=1),
    "upsample2d": _resample(upsample2d, f=_TAPS),
    "downsample2d": _resample(downsample2d, f=_TAPS),
    "filtered_lrelu up 2 down 2": _filtered(_TAPS, _TAPS, 2, 2, 5, clamp=1.4),
    "filtered_lrelu up 4 down 2": _filtered(_TAPS, _TAPS, 4, 2, (1, 2, 3, 1)),
    "filtered_lrelu radial": _filtered(_TAPS, _FULL, 2, 2, (5, 4, 5, 4), clamp=1.4, flip_filter=True),
    "warp_affine": (
        lambda x, theta, impl: warp_affine(x, theta, (3, 2), impl=impl),
        [_draw(_IMAGES), np.eye(2, 3) + _RANDOM.uniform(-0.4, 0.4, size=[2, 2, 3])],
    ),
    "filtered_lrelu no filters": _filtered(None, None, 1, 1, 0, clamp=1.4),
}


def _gradients(function, arguments, cotangent):
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        y = function(*arguments)
    zero = tf.UnconnectedGradients.ZERO  # of piecewise linear ops, second derivatives
    return tape.gradient(y, arguments, output_gradients=cotangent, unconnected_gradients=zero)


def _check(function, arguments):
    """Compares <gradient of <y, cotangent>, direction> with differences, for random cotangents and directions."""
    random, size = np.random.default_rng(2), 1e-5
    for _ in range(3):
        cotangent = tf.constant(random.normal(size=function(*arguments).shape))
        gradients = _gradients(function, arguments, cotangent)
        for i, gradient in enumerate(gradients):
            direction = tf.constant(random.normal(size=arguments[i].shape))
            ahead, behind = (
                function(*arguments[:i], arguments[i] + sign * size * direction, *arguments[i + 1 :])
                for sign in (1, -1)
            )
            found = tf.reduce_sum(gradient * direction)
            expected = tf.reduce_sum(cotangent * (ahead - behind)) / (2 * size)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("case", _CASES)
def test_gradients_are_those_of_the_results(impl, case):
    function, arrays = _CASES[case]
    function = functools.partial(function, impl=impl)
    inputs = [tf.constant(array, tf.float64) for array in arrays]
    _check(function, inputs)

    def first_order(*arguments):
        gradients = _gradients(function, list(arguments[:-1]), arguments[-1])
        return tf.concat([tf.reshape(gradient, [-1]) for gradient in gradients], axis=0)

    cotangent = np.random.default_rng(1).normal(size=function(*inputs).shape)
    _check(first_order, [*inputs, tf.constant(cotangent)])
