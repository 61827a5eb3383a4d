"""Watch for non-finite losses and gradients without asking the device at every iteration.

In half precision single gradients overflow as a matter of course: those are replaced before the watch sees them.

The first phase that meets one is written down on the device, and from then on no phase changes anything: the state
stays as it was just before, so that the phase can be repeated eagerly to name the layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from sg_keras.training.step.replica import assign_local

_INFINITE_GRADIENT = 1e5  # what takes the place of an infinite one


def replaced_gradients(gradients: Sequence[tf.Tensor], norm: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
    """Gradients fit for Adam after a backward pass in half precision, where single ones overflow.

    As published, without loss scaling: undefined ones become 0, infinite ones +-1e5.

    Args:
        gradients: float32, summed over all micro-batches and replicas.
        norm: their global norm []. Finite: nothing is done, or paid for.

    Returns:
        The gradients, and their norm.
    """

    def replaced() -> tuple[list[tf.Tensor], tf.Tensor]:
        fit = [_fit(gradient) for gradient in gradients]
        return fit, tf.linalg.global_norm(fit)

    return tf.cond(tf.math.is_finite(norm), lambda: (list(gradients), norm), replaced)


def _fit(gradient: tf.Tensor) -> tf.Tensor:
    gradient = tf.where(tf.math.is_nan(gradient), tf.zeros_like(gradient), gradient)
    limit = tf.constant(_INFINITE_GRADIENT, gradient.dtype)
    return tf.where(tf.math.is_inf(gradient), tf.sign(gradient) * limit, gradient)


class NonFiniteMonitor:
    """Where the first non-finite loss or gradient appeared: phase index and nimg, -1 while there was none."""

    def __init__(self) -> None:
        only_first = {"aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA, "trainable": False}
        self._phase = tf.Variable(-1, dtype=tf.int64, name="nonfinite_phase", **only_first)
        self._nimg = tf.Variable(-1, dtype=tf.int64, name="nonfinite_nimg", **only_first)

    def all_finite(self) -> tf.Tensor:
        """Whether nothing non-finite has appeared so far."""
        return tf.convert_to_tensor(self._phase) < 0

    def check(self, phase: int, cur_nimg: tf.Tensor, finite: tf.Tensor) -> tf.Tensor:
        """Take note of a phase's outcome, on every replica alike.

        Args:
            phase: index of the phase.
            cur_nimg: int64, real images seen before this iteration.
            finite: whether its summed loss and gradients are finite.

        Returns:
            Whether the phase may change the state.
        """
        so_far = self.all_finite()
        first = so_far & ~finite
        assign_local(self._phase, tf.where(first, tf.constant(phase, tf.int64), tf.convert_to_tensor(self._phase)))
        assign_local(self._nimg, tf.where(first, cur_nimg, tf.convert_to_tensor(self._nimg)))
        return so_far & finite

    def reset(self) -> None:
        """Forget what was met, once the state is good again."""
        self._phase.assign(-1)
        self._nimg.assign(-1)

    def first(self) -> tuple[int, int] | None:
        """(phase index, nimg) of the first non-finite loss or gradient, or None."""
        phase = int(self._phase.numpy())
        return None if phase < 0 else (phase, int(self._nimg.numpy()))
