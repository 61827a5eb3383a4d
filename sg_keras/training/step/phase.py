"""How a phase of training updates its network, whatever it computes: on every replica, inside `strategy.run`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import keras
import tensorflow as tf

from sg_keras.training.step.nonfinite import replaced_gradients
from sg_keras.training.step.replica import sum_over_replicas

if TYPE_CHECKING:
    from sg_keras.training.step.stylegan import StyleGAN


@dataclasses.dataclass(frozen=True)
class MicroBatch:
    """One micro-batch of one replica."""

    images: tf.Tensor  # [N,H,W,C] reals, -1..1
    labels: tf.Tensor  # [N,c_dim] of the reals
    gen_labels: tf.Tensor  # [N,c_dim] for the fakes of this phase
    first_sample: tf.Tensor  # int64, global index of the first sample
    size: int
    phase: int = 0  # index of the phase
    blur_sigma: tf.Tensor | None = None  # of the blur before D in pixels, float64; None: no blur
    augment_p: tf.Tensor | None = None  # probability of augmentation before D; None: no augmentation


class BeforeD(NamedTuple):
    """What happens to every picture before D sees it, at this point of a run. What is None is not in the graph."""

    blur_sigma: tf.Tensor | None = None  # width of the blur in pixels, float64
    augment_p: tf.Tensor | None = None  # probability of augmentation, float32, on the CPU


@dataclasses.dataclass
class PhaseLoss:
    """What a phase makes of one micro-batch."""

    loss: tf.Tensor  # one value a sample, mean taken later
    statistics: dict[str, tf.Tensor]  # by published name, any shape
    state: dict[str, tf.Tensor] = dataclasses.field(default_factory=dict)  # moved running means, by name


class Phase:
    """One training phase of one network.

    Attributes:
        name: such as "Gmain".
        network: "G" or "D", whose variables are trained.
        index: position of this phase's latents and labels among the draws of an iteration.
        interval: runs at every `interval`-th iteration, with its loss multiplied by it.
    """

    name = ""
    network = ""

    def __init__(self, index: int, interval: int = 1) -> None:
        self.index = index
        self.interval = interval

    def is_due(self, batch_index: int) -> bool:
        """Whether the phase runs at this iteration."""
        return batch_index % self.interval == 0

    def skips(self, path: str) -> bool:
        """Whether the variable of this path below its network gets no gradient here, by definition."""
        return False

    def read_state(self, model: StyleGAN) -> dict[str, tf.Tensor]:
        """Running means this phase moves, by name."""
        return {}

    def write_state(self, model: StyleGAN, state: dict[str, tf.Tensor]) -> None:
        """Write moved running means back."""

    def loss(self, model: StyleGAN, micro: MicroBatch, state: dict[str, tf.Tensor]) -> PhaseLoss:
        """Loss of one micro-batch, with statistics and moved running means."""
        raise NotImplementedError

    def trained_variables(self, model: StyleGAN) -> list[keras.Variable]:
        """Variables that this phase updates at this point of the run."""
        network = getattr(model, self.network)
        reached = (v for v in network.trainable_variables if not self.skips(v.path.removeprefix(f"{network.name}/")))
        return [v for v in reached if not model.freezing.is_frozen(v)]

    def update(
        self, model: StyleGAN, batch: dict[str, tf.Tensor], cur_nimg: tf.Tensor, before_D: BeforeD
    ) -> dict[str, tf.Tensor]:
        """Run the phase on this replica's share of a batch and update the network.

        Args:
            model: the networks, optimizers and running means.
            batch: this replica's "image" uint8, "label" and "gen_label".
            cur_nimg: int64, real images seen before this iteration.
            before_D: what happens to pictures before D.

        Returns:
            Moments of each statistic over all micro-batches of this replica, float64 [3]: count, sum, sum of squares.
        """
        variables = self.trained_variables(model)

        def micro_batch(number: int) -> MicroBatch:
            return model.micro_batch(self, batch, cur_nimg, number, before_D)

        gradients, losses, moments, state = self._accumulate(model, micro_batch, variables)
        seen = model.augmentation.observed(moments, losses.dtype)
        summed = sum_over_replicas([*gradients, losses, *seen])
        gradients, loss, seen = summed[: len(gradients)], summed[len(gradients)], summed[len(gradients) + 1 :]
        norm = tf.linalg.global_norm(gradients) if gradients else tf.zeros_like(loss)  # where all is frozen
        if model.computes_in_half:
            moments[f"Gradients/{self.name}/replaced"] = _moments(~tf.math.is_finite(norm))
            gradients, norm = replaced_gradients(gradients, norm)
        finite = model.watch.check(self.index, cur_nimg, tf.math.is_finite(loss) & tf.math.is_finite(norm))

        def apply() -> None:
            if variables:
                model.optimizers[self.network].apply(gradients, variables)
            self.write_state(model, state)
            model.augmentation.observe(seen)

        tf.cond(finite, apply, lambda: None)
        moments[f"Gradients/{self.name}/norm"] = _moments(norm)
        return moments

    def _accumulate(
        self,
        model: StyleGAN,
        micro_batch: Callable[[int], MicroBatch],
        variables: list[keras.Variable],
    ) -> tuple[list[tf.Tensor], tf.Tensor, dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """Gradients and losses summed over the rounds, statistics' moments, running means after the last round."""
        state = self.read_state(model)
        sources = [v.value for v in variables]
        gradients: list[tf.Tensor] = []
        total: tf.Tensor | None = None
        moments: dict[str, tf.Tensor] = {}
        for number in range(model.num_rounds):
            # A round starts when the one before is done: its activations need not be in memory any more.
            with tf.control_dependencies(gradients):
                micro = micro_batch(number)
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch(sources)
                    result = self.loss(model, micro, state)
                    loss = tf.reduce_mean(result.loss) * self.interval
                # TF's tape says None for variables that only shift what a phase differentiates away; they still
                # get a zero gradient and a step, as published. What is skipped is decided by name.
                new = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
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
