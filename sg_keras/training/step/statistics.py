"""Statistics of training, accumulated on the devices and read at ticks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


class Moments:
    """Count, sum and sum of squares of a fixed list of statistics, summed over replicas when read."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._sums = tf.Variable(
            tf.zeros([len(self.names), 3], tf.float64),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
            name="moments",
        )

    def add(self, moments: dict[str, tf.Tensor]) -> None:
        """Add one phase's moments, in replica context; statistics that are absent count as nothing."""
        zero = tf.zeros([3], tf.float64)
        self._sums.assign_add(tf.stack([moments.get(name, zero) for name in self.names]))

    def read_and_reset(self) -> dict[str, dict[str, float]]:
        """{"num", "mean", "std"} (population) by name for what was added since the last call."""
        sums = np.asarray(self._sums.read_value() if hasattr(self._sums, "read_value") else self._sums)
        self._sums.assign(tf.zeros_like(sums))
        result = {}
        for name, (count, total, squares) in zip(self.names, sums, strict=True):
            if count > 0:
                mean = total / count
                std = float(np.sqrt(max(squares / count - mean * mean, 0.0)))
                result[name] = {"num": int(count), "mean": float(mean), "std": std}
        return result
