"""Compares the compiled ops with the float64 reference: results, first and second derivatives in every input."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

# Largest difference allowed, in units of the largest number compared: some roundings of each type.
TOLERANCE = {tf.float64: 1e-12, tf.float32: 2e-5, tf.bfloat16: 3e-2}
# Derivatives are made of factors near 1 that may cancel: numbers below this are judged as if they were this large.
_LEAST_UNIT = {tf.float64: 1e-3, tf.float32: 1e-3, tf.bfloat16: 0.25}
_ORDERS = ("result", "first derivative", "second derivative")


def derivatives(
    function: Callable[..., tf.Tensor],
    inputs: Sequence[tf.Tensor],
    cotangent: tf.Tensor,
    directions: Sequence[tf.Tensor],
) -> dict[str, list[tf.Tensor]]:
    """y = f(inputs); g = the gradients of <y, cotangent>; and the gradients of sum <g, directions> in all of them."""
    zero = tf.UnconnectedGradients.ZERO
    watched = [*inputs, cotangent]
    with tf.GradientTape() as outer:
        outer.watch(watched)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            y = function(*inputs)
        first = inner.gradient(y, inputs, output_gradients=cotangent, unconnected_gradients=zero)
    second = outer.gradient(first, watched, output_gradients=list(directions), unconnected_gradients=zero)
    return dict(zip(_ORDERS, ([y], first, second), strict=True))


def assert_agrees(
    function: Callable[..., tf.Tensor], inputs: Sequence[np.ndarray], dtype: tf.DType, seed: int = 0
) -> None:
    """Asserts that function(*inputs, impl="custom") in a type agrees with the float64 reference on the same numbers."""
    random = np.random.default_rng(seed)
    tensors = [tf.constant(a, dtype) for a in inputs]
    shape = function(*tensors, impl="reference").shape
    others = [tf.constant(random.normal(size=s), dtype) for s in (shape, *(t.shape for t in tensors))]
    custom = derivatives(lambda *t: function(*t, impl="custom"), tensors, others[0], others[1:])
    wide, wide_others = ([tf.cast(t, tf.float64) for t in group] for group in (tensors, others))
    reference = derivatives(lambda *t: function(*t, impl="reference"), wide, wide_others[0], wide_others[1:])
    for order in _ORDERS:
        for i, (found, expected) in enumerate(zip(custom[order], reference[order], strict=True)):
            assert found.dtype == dtype and found.shape == expected.shape, (order, i)
            error = _relative_error(found.numpy(), expected.numpy(), inputs[0].size, _LEAST_UNIT[dtype])
            assert error <= TOLERANCE[dtype], f"{order} {i}: off by {error:.2e} of {expected.shape}, {dtype.name}"


def _relative_error(found: np.ndarray, expected: np.ndarray, terms: int, least_unit: float) -> float:
    """Largest difference in units of the largest number, or of what as many terms of size 1 may sum to.

    Sums of rounded terms may cancel: then their error is small beside the terms, not beside the sum.
    """
    if not expected.size:
        return 0.0
    difference = np.abs(found.astype(np.float64) - expected).max()
    of_sums = np.sqrt(terms / expected.size) if terms > expected.size else 0.0
    unit = max(np.abs(expected).max(), of_sums, least_unit)
    return float(difference / unit) if np.isfinite(difference) else np.inf
