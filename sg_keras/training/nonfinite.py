"""Watch for non-finite losses and gradients without asking the device at every iteration.

The first phase that meets one is written down on the device, and from then on no phase changes anything: the state
stays as it was just before, so that the phase can be repeated eagerly to name the layer.
"""

from __future__ import annotations

import tensorflow as tf

from sg_keras.training.replica import assign_local


class NonFiniteWatch:
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

    def first(self) -> tuple[int, int] | None:
        """(phase index, nimg) of the first non-finite loss or gradient, or None."""
        phase = int(self._phase.numpy())
        return None if phase < 0 else (phase, int(self._nimg.numpy()))
