"""Adam with a step count for each variable and epsilon outside the bias correction.

Kingma and Ba 2015, arXiv:1412.6980, algorithm 1, as the published trainers use it: lr * m_hat / (sqrt(v_hat) + eps).
Keras's own Adam adds eps before the correction (24% off at the first step) and has one step count for all variables,
so variables that a phase skips would be corrected for steps that they did not take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.training.step.replica import assign_local, local_handle


class Adam(keras.optimizers.Optimizer):
    """Adam whose `apply` takes any subset of the variables it was built for.

    Args:
        learning_rate: step size.
        beta_1, beta_2: decay of first and second moments.
        epsilon: added to the square root of the bias-corrected second moment.
        lazy_ratio: what a scheduled learning rate is multiplied by (`lazy_adam`), and the power of a scheduled beta_2;
            learning_rate and beta_2 have it already.
    """

    def __init__(
        self,
        learning_rate: float = 0.002,
        beta_1: float = 0.0,
        beta_2: float = 0.99,
        epsilon: float = 1e-8,
        lazy_ratio: float = 1.0,
        name: str = "adam",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1, self.beta_2, self.epsilon, self.lazy_ratio = beta_1, beta_2, epsilon, lazy_ratio
        self._scheduled_rate = learning_rate

    def follow_schedule(self, learning_rate: float) -> None:
        """Take over a scheduled learning rate, not yet corrected for lazy regularisation; outside of any replica."""
        rate = learning_rate * self.lazy_ratio
        if rate != self._scheduled_rate:
            self._scheduled_rate = rate
            self.learning_rate = rate

    def lazy_beta_2(self, beta_2: float) -> float:
        """A scheduled decay of second moments, corrected for lazy regularisation."""
        return beta_2**self.lazy_ratio

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Create moments and step counts for `variables`, in their order."""
        if self.built:
            return
        super().build(variables)
        self.momentums = [self.add_variable_from_reference(v, name="momentum") for v in variables]
        self.velocities = [self.add_variable_from_reference(v, name="velocity") for v in variables]
        self.steps = self.add_variable((len(variables),), initializer="zeros", dtype="int64", name="steps")
        self._position = {v.path: i for i, v in enumerate(variables)}

    def apply(
        self,
        grads: Sequence[tf.Tensor],
        trainable_variables: Sequence[keras.Variable] | None = None,
        *,
        beta_2: tf.Tensor | None = None,
    ) -> None:
        """Take one step for the given variables; the others' moments and step counts stay as they are.

        Called in replica context with gradients that are the same on every replica.

        Args:
            grads: one gradient a variable, none of them None.
            trainable_variables: variables of `build`, or None for all of them.
            beta_2: scheduled, float64 [], of `lazy_beta_2`; None = as constructed. The bias is corrected as if it had
                always been so, as other implementations with schedules have it.
        """
        variables = self._trainable_variables if trainable_variables is None else trainable_variables
        positions = [self._position[v.path] for v in variables]
        taken = np.zeros([len(self._position)], np.int64)
        taken[positions] = 1
        steps = tf.convert_to_tensor(self.steps) + taken
        count = tf.cast(tf.gather(steps, positions), tf.float64)
        decay = tf.constant(self.beta_2, tf.float64) if beta_2 is None else beta_2
        beta_1_power, beta_2_power = self.beta_1**count, decay**count
        # ResourceApplyAdam adds its epsilon to the uncorrected sqrt(v); scaled by the correction it is the paper's.
        epsilon = self.epsilon * tf.sqrt(1 - beta_2_power)
        scalars = [tf.unstack(tf.cast(s, variables[0].dtype)) for s in (beta_1_power, beta_2_power, epsilon)]
        learning_rate = tf.cast(tf.convert_to_tensor(self.learning_rate), variables[0].dtype)
        beta_1, beta_2 = tf.constant(self.beta_1, variables[0].dtype), tf.cast(decay, variables[0].dtype)
        for variable, grad, position, power_1, power_2, eps in zip(variables, grads, positions, *scalars, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=local_handle(variable),
                m=local_handle(self.momentums[position]),
                v=local_handle(self.velocities[position]),
                beta1_power=power_1,
                beta2_power=power_2,
                lr=learning_rate,
                beta1=beta_1,
                beta2=beta_2,
                epsilon=eps,
                grad=grad,
            )
        assign_local(self.steps, steps)
        assign_local(self.iterations, tf.convert_to_tensor(self.iterations) + 1)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("beta_1", "beta_2", "epsilon", "lazy_ratio")}
        return {**super().get_config(), **own}


def lazy_adam(
    learning_rate: float, beta_1: float, beta_2: float, epsilon: float, interval: int | None, name: str
) -> Adam:
    """Adam for a network whose regulariser runs every `interval` iterations with its loss times `interval`.

    StyleGAN2, arXiv:1912.04958, appendix B: with c = k/(k+1), lr * c and betas ** c keep the effective time constants.
    """
    ratio = 1.0 if interval is None else interval / (interval + 1)
    beta_1 = beta_1**ratio if beta_1 else 0.0
    return Adam(learning_rate * ratio, beta_1, beta_2**ratio, epsilon, lazy_ratio=ratio, name=name)
