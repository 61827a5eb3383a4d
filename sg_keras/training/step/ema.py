"""Moving average of the generator's weights (Karras et al. 2018, arXiv:1710.10196; ramp-up of arXiv:2006.06676)."""

from __future__ import annotations

import keras
import tensorflow as tf

from sg_keras.training.step.replica import assign_local


def ema_beta(cur_nimg: int, batch: int, ema_kimg: float, ema_rampup: float | None) -> float:
    """Decay of G_ema in the iteration that starts after `cur_nimg` real images.

    0.5 ** (batch / half-life) with a half-life of ema_kimg thousand images, at most ema_rampup * cur_nimg images.
    """
    half_life_nimg = ema_kimg * 1000
    if ema_rampup is not None:
        half_life_nimg = min(half_life_nimg, cur_nimg * ema_rampup)
    return 0.5 ** (batch / max(half_life_nimg, 1e-8))


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
