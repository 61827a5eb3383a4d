"""Moving average of the generator's weights (Karras et al. 2018, arXiv:1710.10196; ramp-up of arXiv:2006.06676)."""

from __future__ import annotations

import keras
import tensorflow as tf

from sg_keras.training.step.replica import assign_local


def update_ema(average: keras.Model, model: keras.Model, beta: tf.Tensor) -> None:
    """Move `average` towards `model`, in replica context: parameters lerped, moving buffers copied.

    Args:
        average: G_ema.
        model: G, with the same variables in the same order.
        beta: scalar share of the average that is kept.
    """
    for target, source in zip(average.trainable_variables, model.trainable_variables, strict=True):
        value = tf.convert_to_tensor(source)
        assign_local(target, value + tf.cast(beta, value.dtype) * (tf.convert_to_tensor(target) - value))
    for target, source in zip(average.non_trainable_variables, model.non_trainable_variables, strict=True):
        if not source.path.endswith("/noise_const"):  # never moves
            assign_local(target, tf.convert_to_tensor(source))
