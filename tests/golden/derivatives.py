"""First and second derivatives of a function in the form in which the reference arrays hold them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import tensorflow as tf

Tensors = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Derivatives:
    """y = function(inputs); first = its vector-Jacobian product with dy; second = gradients of the scalar S."""

    y: tf.Tensor
    first: Tensors
    second: Tensors


def derivatives(
    function: Callable[[Tensors], tf.Tensor],
    inputs: Mapping[str, tf.Tensor],
    dy: tf.Tensor | None = None,
    cotangents: Mapping[str, tf.Tensor] | None = None,
) -> Derivatives:
    """Evaluate a function with its derivatives.

    Args:
        function: takes the inputs by name and returns y.
        inputs: tensors to differentiate with respect to.
        dy: cotangent of y; without it there are no derivatives.
        cotangents: by input name, v of the first derivative. With them S = sum over names of sum(first * v), and the
            result holds dS by every input's name and by "dy".
    """
    inputs = dict(inputs)
    names = list(inputs)
    values = list(inputs.values())
    if dy is None:
        return Derivatives(function(inputs), {}, {})
    zero = tf.UnconnectedGradients.ZERO
    with tf.GradientTape() as outer:
        outer.watch([*values, dy])
        with tf.GradientTape() as inner:
            inner.watch(values)
            y = function(inputs)
        first = inner.gradient(y, values, output_gradients=dy, unconnected_gradients=zero)
        first = dict(zip(names, first, strict=True))
        scalar = tf.add_n([tf.reduce_sum(first[name] * v) for name, v in cotangents.items()]) if cotangents else None
    if scalar is None:
        return Derivatives(y, first, {})
    second = outer.gradient(scalar, [*values, dy], unconnected_gradients=zero)
    return Derivatives(y, first, dict(zip([*names, "dy"], second, strict=True)))
