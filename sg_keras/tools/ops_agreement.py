"""Numeric comparison of the compiled ops with the reference: results, first and second derivatives."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from sg_keras.ops import (
    ACTIVATIONS,
    bias_act,
    channel_scale,
    filtered_lrelu,
    scale_bias_act,
    setup_filter,
    upfirdn2d,
    warp_affine,
)
from sg_keras.ops.library import CUSTOM_DTYPES, custom_dtypes

# Largest difference allowed, in units of the largest number compared: some roundings of each type.
_TOLERANCE = {tf.float32: 1e-5, tf.float64: 1e-13, tf.bfloat16: 3e-2, tf.float16: 5e-3}
_IMAGES = (2, 9, 10, 5)  # [N,H,W,C], no round numbers
# Derivatives jump at the activations' kinks and at the clamp, where rounding decides on which side a number lies. So
# the numbers are odd multiples of 1/32, and no activation of one comes near this.
_CLAMP = 1.75
QUANTITIES = ("result", "first derivative", "second derivative")


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How well the compiled form of an op agrees with the reference.

    Attributes:
        op: which op, in which use.
        dtype: type of the numbers.
        errors: largest difference of the results, of the first and of the second derivatives, in units of the largest
            number compared: in the order of `QUANTITIES`.
        tolerance: largest error that rounding explains.
    """

    op: str
    dtype: str
    errors: tuple[float, ...]
    tolerance: float

    @property
    def error(self) -> float:
        """The largest of the errors."""
        return float(np.nan_to_num(self.errors, nan=np.inf).max())

    @property
    def where(self) -> str:
        """In what the largest error was found."""
        return QUANTITIES[int(np.argmax(np.nan_to_num(self.errors, nan=np.inf)))]

    @property
    def agrees(self) -> bool:
        """Whether all errors are within the tolerance; never with NaN."""
        return self.error <= self.tolerance


def compare_ops(device: str = "/CPU:0") -> Iterator[Agreement]:
    """Compare every compiled op on a device with its reference on the CPU, in every type it is built for.

    Raises:
        ValueError: there are no compiled ops to compare.
    """
    for dtype in custom_dtypes() if "GPU" in device else CUSTOM_DTYPES:
        for name, function in _cases(dtype):
            yield _compare(name, function, dtype, device)


def _cases(dtype: tf.DType) -> Iterator[tuple[str, Callable[..., tf.Tensor]]]:
    """Name and function of (x, impl=...) of each use of an op."""
    bias = tf.constant(np.linspace(-0.5, 0.5, _IMAGES[-1]), dtype)
    for act in ACTIVATIONS:
        yield f"bias_act {act}", functools.partial(bias_act, b=bias, act=act, clamp=_CLAMP)
    # Powers of two keep the numbers away from the kinks.
    scale = tf.constant(2.0 ** np.arange(-2, 3) * np.ones([_IMAGES[0], 1]), dtype)
    yield "channel_scale", functools.partial(channel_scale, s=scale)
    yield "scale_bias_act", functools.partial(scale_bias_act, scale=scale, noise=None, b=0 * bias, clamp=_CLAMP)
    taps = setup_filter([1, 3, 3, 1])
    for name, up, down in (("filter", 1, 1), ("up 2", 2, 1), ("down 2", 1, 2)):
        resample = functools.partial(upfirdn2d, f=taps, up=up, down=down, padding=(2, 1, 1, 2), gain=up * up)
        yield f"upfirdn2d {name}", resample
    low_pass = np.hanning(14)[1:-1] / np.hanning(14).sum()
    radial = np.outer(low_pass, low_pass) * np.hypot(*np.meshgrid(*[np.linspace(0.9, 1.1, 12)] * 2))
    for name, options in (
        ("", dict(fu=low_pass, fd=low_pass, up=2, down=2, padding=11)),
        (
            " up 4",
            dict(fu=np.convolve(low_pass, np.ones(13) / 13), fd=low_pass, up=4, down=2, padding=(20, 18, 19, 21)),
        ),
        (" radial", dict(fu=low_pass, fd=radial, up=2, down=2, padding=11)),
        (" no filter", dict()),
    ):
        yield f"filtered_lrelu{name}", functools.partial(filtered_lrelu, b=bias, clamp=_CLAMP, **options)

    turn = tf.constant([[[0.9, -0.4, 0.03], [0.35, 0.8, -0.07]]] * _IMAGES[0], _warp_dtype(dtype))
    yield "warp_affine", functools.partial(warp_affine, theta=turn, size=(8, 11))
    yield "warp_affine matrix", functools.partial(_warp_by_mean, turn)


def _warp_dtype(dtype: tf.DType) -> tf.DType:
    return tf.float64 if dtype == tf.float64 else tf.float32


def _warp_by_mean(turn: tf.Tensor, x: tf.Tensor, impl: str) -> tf.Tensor:
    """A warp whose matrix follows from the images, so that derivatives by the matrix are compared, too."""
    mean = tf.reduce_mean(tf.cast(x, turn.dtype), axis=[1, 2, 3])
    return warp_affine(x, turn * (1 + 0.01 * mean[:, tf.newaxis, tf.newaxis]), (8, 11), impl=impl)


def _compare(name: str, function: Callable[..., tf.Tensor], dtype: tf.DType, device: str) -> Agreement:
    random = np.random.RandomState(0)
    with tf.device("/CPU:0"):
        x = tf.constant((np.rint(16 * random.randn(*_IMAGES)) + 0.5) / 16, dtype)
        cotangent = tf.constant(random.randn(*function(x, impl="reference").shape), dtype)
        direction = tf.constant(random.randn(*_IMAGES), dtype)
        reference = _derivatives(functools.partial(function, impl="reference"), x, cotangent, direction)
    with tf.device(device):
        custom = _derivatives(functools.partial(function, impl="custom"), x, cotangent, direction)
    result, first, *second = (_difference(found, expected) for found, expected in zip(custom, reference, strict=True))
    return Agreement(name, dtype.name, (result, first, float(np.max(second))), _TOLERANCE[dtype])


def _derivatives(
    function: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor, cotangent: tf.Tensor, direction: tf.Tensor
) -> list[tf.Tensor]:
    """f(x); g = df/dx applied to the cotangent; the derivatives of <g, direction> in x and in the cotangent."""
    with tf.GradientTape() as outer:
        outer.watch([x, cotangent])
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = function(x)
        g = inner.gradient(y, x, output_gradients=cotangent)
    zero = tf.UnconnectedGradients.ZERO
    return [y, g, *outer.gradient(g, [x, cotangent], output_gradients=direction, unconnected_gradients=zero)]


def _difference(a: tf.Tensor, b: tf.Tensor) -> float:
    left, right = (tf.cast(t, tf.float64).numpy() for t in (a, b))
    if left.shape != right.shape:
        return float("inf")
    scale = max(float(np.abs(left).max()), float(np.abs(right).max()))
    return 0.0 if scale == 0 else float(np.abs(left - right).max()) / scale
