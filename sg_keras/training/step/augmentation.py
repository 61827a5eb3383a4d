"""Augmentation in training: what happens to every image that D sees, and ADA's controller (arXiv:2006.06676)."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import tensorflow as tf

from sg_keras.augment import AugmentPipeline, AugmentTransforms, DiffAugment, RandomSource, next_p
from sg_keras.config import AugmentConfig
from sg_keras.config.cadence import Every
from sg_keras.config.schedule import Schedule
from sg_keras.config.schedules import ScheduledValues
from sg_keras.training.step.nonfinite import NonFiniteMonitor
from sg_keras.training.step.replica import assign_local

#: In the names of all ops of augmentation and their derivatives, for those who measure it.
SCOPE = "augmentation"
Kind: TypeAlias = Literal["fake", "real"]

_SIGNS = "Loss/signs/real"  # the statistic that steers p


class Augmentation:
    """How D's images are augmented, and the state that this needs.

    The probability p is a variable that only the host changes; the phases get its value as an argument, a scalar on the
    CPU, so a new p needs no new graph and no device waits for it. With "ada" the phases add the signs of D's scores of
    reals to two sums, over all replicas, which the host reads at every adjustment alone.

    Attributes:
        p: probability, a float32 variable.
        state: variables beside p that determine how training goes on, by name.

    Args:
        config: mode, pipe, speed and target.
        ops: implementation of the ops.
    """

    def __init__(self, config: AugmentConfig, ops: str = "auto") -> None:
        self.config = config
        self._layer = _layer(config, ops)
        shared = {"trainable": False, "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
        with tf.device("CPU:0"):
            self.p = tf.Variable(Schedule.of(config.p).at(0), dtype=tf.float32, name="augment_p", **shared)
        self.state: dict[str, tf.Variable] = {}
        if config.mode == "ada":
            names = ("ada_sign_sum", "ada_sign_count")
            self.state = {name: tf.Variable(0.0, dtype=tf.float64, name=name, **shared) for name in names}

    def current_p(self) -> tf.Tensor | None:
        """The probability as the phases take it, a float32 scalar on the CPU; None where nothing is augmented."""
        if self._layer is None:
            return None
        with tf.device("CPU:0"):
            return tf.constant(self.p.numpy(), tf.float32)

    def __call__(self, images: tf.Tensor, p: tf.Tensor | float, random: RandomSource) -> tf.Tensor:
        """Augmented images [N,H,W,C]; unchanged in mode "noaug"."""
        if self._layer is None:
            return images
        with tf.name_scope(SCOPE):
            return self._layer(images, p=p, random=random)

    # ---- ADA's controller ----------------------------------------------------------------------------------------

    def observed(self, moments: dict[str, tf.Tensor], dtype: tf.DType) -> list[tf.Tensor]:
        """What a phase saw of the reals' scores on this replica: [2], sum of signs and their count; or nothing.

        Args:
            moments: of the phase's statistics: count, sum, sum of squares.
            dtype: of the result, whose numbers are whole.
        """
        if not self.state or _SIGNS not in moments:
            return []
        count, total, _ = tf.unstack(moments[_SIGNS])
        return [tf.cast(tf.stack([total, count]), dtype)]

    def observe(self, observed: list[tf.Tensor]) -> None:
        """Add what was seen on all replicas together, on every replica alike."""
        for seen in observed:
            for variable, value in zip(self.state.values(), tf.unstack(tf.cast(seen, tf.float64)), strict=True):
                assign_local(variable, tf.convert_to_tensor(variable) + value)

    def follow_schedule(self, p: float) -> None:
        """Take over a scheduled probability, in mode "fixed"."""
        if self.config.mode == "fixed" and np.float32(p) != self.p.numpy():
            self.p.assign(p)

    def adjust(self, batch_index: int, batch: int, values: ScheduledValues, monitor: NonFiniteMonitor) -> None:
        """Move p, if it is time, after an iteration.

        Args:
            batch_index: iterations so far.
            batch: images per iteration.
            values: of the iteration; ada_target and ada_kimg are looked at.
            monitor: from the first NaN or Inf on, p stays as it was when the phase ran.
        """
        config = self.config
        is_due = Every(config.ada_interval).is_at(batch_index)
        if not self.state or not is_due or monitor.first() is not None:
            return
        total, count = (float(variable.numpy()) for variable in self.state.values())
        if count > 0:
            p = float(self.p.numpy())
            self.p.assign(next_p(p, total / count, values.ada_target, batch, config.ada_interval, values.ada_kimg))
        for variable in self.state.values():
            variable.assign(0.0)


def _layer(config: AugmentConfig, ops: str) -> AugmentPipeline | DiffAugment | None:
    if config.mode == "noaug":
        return None
    if config.mode == "diffaug":
        return DiffAugment(config.diffaug, impl=ops)
    return AugmentPipeline(AugmentTransforms.of_pipe(config.pipe), impl=ops)
