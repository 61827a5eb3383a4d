"""What a training phase is: one network, a loss, and the step that follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras
import tensorflow as tf

from sg_keras.config.cadence import Every
from sg_keras.config.schedules import ScheduledValues
from sg_keras.training.step.micro_batch import Data, IterationScalars, MicroBatch
from sg_keras.training.step.networks import TrainingNetworks
from sg_keras.training.step.nonfinite import replaced_gradients
from sg_keras.training.step.replica import sum_over_replicas


@dataclasses.dataclass
class PhaseLoss:
    """What a phase makes of one micro-batch."""

    loss: tf.Tensor  # one value per sample, mean taken later
    statistics: dict[str, tf.Tensor]  # by published name, any shape
    state: dict[str, tf.Tensor] = dataclasses.field(default_factory=dict)  # updated running means, by name


class Phase:
    """One training phase of one network.

    Attributes:
        name: such as "Gmain".
        network: "G" or "D", whose variables are trained.
        index: position of this phase's latents and labels among those of an iteration.
        interval: runs at every `interval`-th iteration, with its loss multiplied by it.
    """

    name = ""
    network = ""

    def __init__(self, index: int, interval: int = 1) -> None:
        self.index = index
        self.interval = interval

    def is_due(self, batch_index: int) -> bool:
        """Whether the phase runs at this iteration."""
        return Every(self.interval).is_at(batch_index)

    def has_weight(self, values: ScheduledValues) -> bool:
        """Whether its loss counts at this point of the run; otherwise it does not run."""
        return True

    def skips(self, path: str) -> bool:
        """Whether the variable of this path below its network gets no gradient here, by definition."""
        return False

    def read_state(self, networks: TrainingNetworks) -> dict[str, tf.Tensor]:
        """Running means that this phase updates, by name."""
        return {}

    def write_state(self, networks: TrainingNetworks, state: dict[str, tf.Tensor]) -> None:
        """Write updated running means back."""

    def loss(self, networks: TrainingNetworks, micro: MicroBatch, state: dict[str, tf.Tensor]) -> PhaseLoss:
        """Loss of one micro-batch, with statistics and updated running means."""
        raise NotImplementedError

    def trained_variables(self, networks: TrainingNetworks) -> list[keras.Variable]:
        """Variables that this phase updates at this point of the run."""
        network = getattr(networks, self.network)
        reached = (v for v in network.trainable_variables if not self.skips(v.path.removeprefix(f"{network.name}/")))
        return [v for v in reached if not networks.freezing.is_frozen(v)]

    def update(self, networks: TrainingNetworks, data: Data, scalars: IterationScalars) -> dict[str, tf.Tensor]:
        """Run the phase on this replica's share of a batch and update the network.

        Args:
            networks: with their optimizers and running means.
            data: this replica's "image" uint8, "label" and "gen_label".
            scalars: of the iteration.

        Returns:
            Moments of each statistic over all micro-batches of this replica, float64 [3]: count, sum, sum of squares.
        """
        variables = self.trained_variables(networks)
        gradients, losses, moments, state = self._accumulate(networks, data, scalars, variables)
        seen = networks.augmentation.observed(moments, losses.dtype)
        summed = sum_over_replicas([*gradients, losses, *seen])
        gradients, loss, seen = summed[: len(gradients)], summed[len(gradients)], summed[len(gradients) + 1 :]
        norm = tf.linalg.global_norm(gradients) if gradients else tf.zeros_like(loss)  # where all is frozen
        if networks.computes_in_half:
            moments[f"Gradients/{self.name}/replaced"] = _moments(~tf.math.is_finite(norm))
            gradients, norm = replaced_gradients(gradients, norm)
        is_finite = tf.math.is_finite(loss) & tf.math.is_finite(norm)
        is_finite = networks.monitor.check(self.index, scalars.cur_nimg, is_finite)

        def apply() -> None:
            if variables:
                networks.optimizers[self.network].apply(gradients, variables, beta_2=scalars.adam_beta2[self.network])
            self.write_state(networks, state)
            networks.augmentation.observe(seen)

        tf.cond(is_finite, apply, lambda: None)
        moments[f"Gradients/{self.name}/norm"] = _moments(norm)
        return moments

    def differentiate(
        self,
        networks: TrainingNetworks,
        micro: MicroBatch,
        state: dict[str, tf.Tensor],
        variables: Sequence[keras.Variable],
    ) -> tuple[PhaseLoss, tf.Tensor, list[tf.Tensor]]:
        """What the phase makes of one micro-batch, its mean loss times the interval, and that loss's gradients."""
        sources = [v.value for v in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            result = self.loss(networks, micro, state)
            loss = tf.reduce_mean(result.loss) * self.interval
        # TF's tape says None for variables that only shift what a phase differentiates away; they still
        # get a zero gradient and a step, as published. What is skipped is decided by name.
        return result, loss, tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def _accumulate(
        self, networks: TrainingNetworks, data: Data, scalars: IterationScalars, variables: Sequence[keras.Variable]
    ) -> tuple[list[tf.Tensor], tf.Tensor, dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """Gradients and losses summed over the rounds, statistics' moments, running means after the last round."""
        replica = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int64)
        state = self.read_state(networks)
        gradients: list[tf.Tensor] = []
        total: tf.Tensor | None = None
        moments: dict[str, tf.Tensor] = {}
        for number in range(networks.num_rounds):
            # A round starts when the one before is done: its activations need not be in memory any more.
            with tf.control_dependencies(gradients):
                place = number * networks.num_replicas + replica
                micro = networks.micro_batch(data, scalars, self.index, number, place)
                result, loss, new = self.differentiate(networks, micro, state, variables)
            gradients = [a + b for a, b in zip(gradients, new, strict=True)] if gradients else new
            total = loss if total is None else total + loss
            state = {**state, **result.state}
            for name, values in result.statistics.items():
                moments[name] = _moments(values) + moments.get(name, 0.0)
        return gradients, total, moments, state


def _moments(values: tf.Tensor) -> tf.Tensor:
    values = tf.cast(values, tf.float64)
    count = tf.cast(tf.size(values), tf.float64)
    return tf.stack([count, tf.reduce_sum(values), tf.reduce_sum(tf.square(values))])
