"""The phases of an iteration: what each computes, and how a phase updates its network.

StyleGAN2-ADA's order and definitions (arXiv:2006.06676; lazy regularisation of arXiv:1912.04958, appendix B):
Gmain, Greg (path length), Dmain, Dreg (R1). StyleGAN3 has no Greg (arXiv:2106.12423). A phase runs on every replica
inside `strategy.run`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import keras
import tensorflow as tf

from sg_keras.losses import (
    discriminator_fake_loss,
    discriminator_real_loss,
    generator_loss,
    path_length_penalty,
    path_lengths,
    r1_penalty,
)
from sg_keras.training.nonfinite import replaced_gradients
from sg_keras.training.replica import assign_local, gather_over_replicas, sum_over_replicas

if TYPE_CHECKING:
    from sg_keras.training.stylegan import StyleGAN

_MAGNITUDE = "magnitude/"  # marks StyleGAN3's layers in the running means of Dmain


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


def _scores(kind: str, logits: tf.Tensor) -> dict[str, tf.Tensor]:
    return {f"Loss/scores/{kind}": logits, f"Loss/signs/{kind}": tf.sign(logits)}


class GeneratorMain(Phase):
    """Gmain: make fakes that D takes for real."""

    name, network = "Gmain", "G"

    def loss(self, model: StyleGAN, micro: MicroBatch, state: dict[str, tf.Tensor]) -> PhaseLoss:
        images, _ = model.generate(self, micro)
        logits = model.discriminate(images, micro.gen_labels, micro, "fake")
        loss = generator_loss(logits)
        return PhaseLoss(loss, {**_scores("fake", logits), "Loss/G/loss": loss})


class PathLength(Phase):
    """Greg: every step in w should move the image by the same amount (arXiv:1912.04958, section 3.2)."""

    name, network = "Greg", "G"

    def skips(self, path: str) -> bool:
        return path.endswith("/torgb/bias")  # the image's derivative in w does not depend on it

    def read_state(self, model: StyleGAN) -> dict[str, tf.Tensor]:
        return {"pl_mean": tf.convert_to_tensor(model.pl_mean)}

    def write_state(self, model: StyleGAN, state: dict[str, tf.Tensor]) -> None:
        assign_local(model.pl_mean, state["pl_mean"])

    def loss(self, model: StyleGAN, micro: MicroBatch, state: dict[str, tf.Tensor]) -> PhaseLoss:
        config = model.loss_config
        count = max(micro.size // config.pl_batch_shrink, 1)
        small = dataclasses.replace(micro, gen_labels=micro.gen_labels[:count], size=count)
        (ws, _), seed = model.mixed_styles(self, small), model.draws.layer_noise_seed(self.index, micro.first_sample)
        noise = model.draws.path_noise(self.index, micro.first_sample, [count, *model.G.image_shape])
        lengths = path_lengths(
            lambda w: model.G.synthesis(w, noise_mode=model.draws.noise_mode, noise_seed=seed), ws, noise
        )
        mean, last = _moved_mean(state["pl_mean"], tf.reduce_mean(lengths), config.pl_decay)
        penalty = path_length_penalty(lengths, mean)
        statistics = {"Loss/pl_penalty": penalty, "Loss/G/reg": penalty * config.pl_weight}
        return PhaseLoss(penalty * config.pl_weight, statistics, {"pl_mean": last})


def _moved_mean(mean: tf.Tensor, value: tf.Tensor, decay: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Running mean after this replica's micro-batch (gradient flows through `value`) and after the round's last one.

    The micro-batches of a round move the mean one after another, in replica order.
    """
    mine = tf.distribute.get_replica_context().replica_id_in_sync_group
    at_mine = mean
    for replica, other in enumerate(tf.unstack(gather_over_replicas(value))):
        mean = mean + decay * (other - mean)
        at_mine = tf.where(tf.equal(replica, mine), mean, at_mine)
    return at_mine + decay * (value - tf.stop_gradient(value)), mean


class DiscriminatorMain(Phase):
    """Dmain: tell fakes from reals. The only phase whose fakes move the generator's running means.

    These are w_avg and, in StyleGAN3, the magnitude of each layer's input, which the layer uses moved.
    """

    name, network = "Dmain", "D"

    def read_state(self, model: StyleGAN) -> dict[str, tf.Tensor]:
        magnitudes = {_MAGNITUDE + name: value for name, value in model.G.synthesis.magnitudes().items()}
        return {"w_avg": tf.convert_to_tensor(model.G.mapping.w_avg), **magnitudes}

    def write_state(self, model: StyleGAN, state: dict[str, tf.Tensor]) -> None:
        assign_local(model.G.mapping.w_avg, state["w_avg"])
        for name, variable in model.G.synthesis.magnitude_variables().items():
            assign_local(variable, state[_MAGNITUDE + name])

    def fakes(
        self, model: StyleGAN, micro: MicroBatch, state: dict[str, tf.Tensor]
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Fakes [N,H,W,C], and the running means that they moved."""
        ws, w = model.mixed_styles(self, micro)
        magnitudes = {name.removeprefix(_MAGNITUDE): m for name, m in state.items() if name.startswith(_MAGNITUDE)}
        images, moved = model.G.synthesis.call_and_move(ws, magnitudes, **model.layer_noise(self, micro))
        w_avg = state["w_avg"]
        for w_mean in tf.unstack(gather_over_replicas(tf.reduce_mean(w, axis=0))):
            w_avg = model.G.mapping.next_w_avg(w_avg, w_mean)
        return images, {"w_avg": w_avg, **_shared_magnitudes(moved)}

    def loss(self, model: StyleGAN, micro: MicroBatch, state: dict[str, tf.Tensor]) -> PhaseLoss:
        images, moved = self.fakes(model, micro, state)
        # Fakes and reals in two passes: the minibatch standard deviation must not mix them, and one is no quicker.
        fake_logits = model.discriminate(images, micro.gen_labels, micro, "fake")
        real_logits = model.discriminate(micro.images, micro.labels, micro, "real")
        loss = discriminator_fake_loss(fake_logits) + discriminator_real_loss(real_logits)
        statistics = {**_scores("fake", fake_logits), **_scores("real", real_logits), "Loss/D/loss": loss}
        return PhaseLoss(loss, statistics, moved)


def _shared_magnitudes(moved: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Magnitudes after a round: each replica moved them from the same values, and their mean is kept."""
    if not moved:
        return {}
    shared = tf.reduce_mean(gather_over_replicas(tf.stack(list(moved.values()))), axis=0)
    return {_MAGNITUDE + name: value for name, value in zip(moved, tf.unstack(shared), strict=True)}


class R1(Phase):
    """Dreg: keep D's slope at real images small (arXiv:1801.04406)."""

    name, network = "Dreg", "D"

    def skips(self, path: str) -> bool:
        return path == "b4/out/bias"  # the only variable the slope does not depend on by construction

    def loss(self, model: StyleGAN, micro: MicroBatch, state: dict[str, tf.Tensor]) -> PhaseLoss:
        penalty, logits = r1_penalty(
            lambda images, labels: model.discriminate(images, labels, micro, "real"), micro.images, micro.labels
        )
        loss = penalty * (model.loss_config.r1_gamma / 2)
        return PhaseLoss(loss, {**_scores("real", logits), "Loss/r1_penalty": penalty, "Loss/D/reg": loss})


def training_phases(g_reg_interval: int | None, d_reg_interval: int, pl_weight: float) -> list[Phase]:
    """Phases in the order in which they run; latents are drawn for each, due or not.

    Args:
        g_reg_interval: iterations between two runs of Greg. None: there is none (StyleGAN3).
        d_reg_interval: iterations between two runs of Dreg.
        pl_weight: weight of the path length penalty; 0 = Greg keeps its place among the draws, but does not run.
    """
    if g_reg_interval is None:
        return [GeneratorMain(0), DiscriminatorMain(1), R1(2, d_reg_interval)]
    phases = [GeneratorMain(0), PathLength(1, g_reg_interval), DiscriminatorMain(2), R1(3, d_reg_interval)]
    return [p for p in phases if pl_weight > 0 or p.name != "Greg"]  # the others keep their places among the draws
