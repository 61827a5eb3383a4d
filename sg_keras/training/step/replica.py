"""What replicas of a `tf.distribute` strategy do to shared state.

Every replica computes the same new value of a mirrored variable (from gradients and statistics that were summed over
all of them), so each writes its own copy. That needs no merge call, and so it also works inside `tf.cond`, where
Keras's and TensorFlow's own synchronised assignments do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import keras
import tensorflow as tf

AnyVariable: TypeAlias = keras.Variable | tf.Variable


def local_handle(variable: AnyVariable) -> tf.Tensor:
    """Resource handle of this replica's copy of a variable."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle


def assign_local(variable: AnyVariable, value: tf.Tensor) -> None:
    """Write this replica's copy of a variable; `value` must be the same on every replica."""
    tf.raw_ops.AssignVariableOp(resource=local_handle(variable), value=tf.cast(value, variable.dtype))


def sum_over_replicas(tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Sum each tensor over all replicas, in replica context."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return list(tensors)
    return context.all_reduce(tf.distribute.ReduceOp.SUM, list(tensors))


def gather_over_replicas(tensor: tf.Tensor) -> tf.Tensor:
    """Values of all replicas stacked in replica order, [R, ...]. No gradient flows through it."""
    context = tf.distribute.get_replica_context()
    tensor = tf.stop_gradient(tensor)
    if context.num_replicas_in_sync == 1:
        return tensor[None]
    mine = tf.one_hot(context.replica_id_in_sync_group, context.num_replicas_in_sync, dtype=tensor.dtype)
    mine = tf.reshape(mine, [-1] + [1] * tensor.shape.rank)
    return sum_over_replicas([mine * tensor[None]])[0]  # adding zeros is exact
