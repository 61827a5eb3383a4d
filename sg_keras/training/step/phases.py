"""The phases of an iteration: what each computes.

StyleGAN2-ADA's order and definitions (arXiv:2006.06676; lazy regularisation of arXiv:1912.04958, appendix B):
Gmain, Greg (path length), Dmain, Dreg (R1). StyleGAN3 has no Greg (arXiv:2106.12423).
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from sg_keras.config.schedule import Schedule, Scheduled
from sg_keras.config.schedules import ScheduledValues
from sg_keras.losses import (
    discriminator_fake_loss,
    discriminator_real_loss,
    generator_loss,
    path_length_penalty,
    path_lengths,
    r1_penalty,
)
from sg_keras.training.step.micro_batch import MicroBatch
from sg_keras.training.step.networks import TrainingNetworks
from sg_keras.training.step.phase import Phase, PhaseLoss
from sg_keras.training.step.replica import assign_local, gather_over_replicas

_MAGNITUDE = "magnitude/"  # marks StyleGAN3's layers in the running means of Dmain


def _scores(kind: str, logits: tf.Tensor) -> dict[str, tf.Tensor]:
    return {f"Loss/scores/{kind}": logits, f"Loss/signs/{kind}": tf.sign(logits)}


class GeneratorMain(Phase):
    """Gmain: make fakes that D takes for real."""

    name, network = "Gmain", "G"

    def loss(self, networks: TrainingNetworks, micro: MicroBatch, state: dict[str, tf.Tensor]) -> PhaseLoss:
        images = networks.generate(micro)
        logits = networks.discriminate(images, micro.gen_labels, micro, "fake")
        loss = generator_loss(logits)
        return PhaseLoss(loss, {**_scores("fake", logits), "Loss/G/loss": loss})


class PathLength(Phase):
    """Greg: every step in w should move the image by the same amount (arXiv:1912.04958, section 3.2)."""

    name, network = "Greg", "G"

    def has_weight(self, values: ScheduledValues) -> bool:
        return values.pl_weight > 0

    def skips(self, path: str) -> bool:
        return path.endswith("/torgb/bias")  # the image's derivative in w does not depend on it

    def read_state(self, networks: TrainingNetworks) -> dict[str, tf.Tensor]:
        return {"pl_mean": tf.convert_to_tensor(networks.pl_mean)}

    def write_state(self, networks: TrainingNetworks, state: dict[str, tf.Tensor]) -> None:
        assign_local(networks.pl_mean, state["pl_mean"])

    def loss(self, networks: TrainingNetworks, micro: MicroBatch, state: dict[str, tf.Tensor]) -> PhaseLoss:
        config = networks.loss_config
        count = max(micro.size // config.pl_batch_shrink, 1)
        small = dataclasses.replace(micro, gen_labels=micro.gen_labels[:count], size=count)
        (ws, _), noise_arguments = networks.mixed_styles(small), networks.layer_noise(micro)
        noise = networks.random.path_noise(self.index, micro.first_sample, [count, *networks.G.image_shape])
        lengths = path_lengths(lambda w: networks.G.synthesis(w, **noise_arguments), ws, noise)
        mean, last = _updated_mean(state["pl_mean"], tf.reduce_mean(lengths), config.pl_decay)
        penalty = path_length_penalty(lengths, mean)
        loss = penalty * tf.cast(micro.scalars.pl_weight, penalty.dtype)
        return PhaseLoss(loss, {"Loss/pl_penalty": penalty, "Loss/G/reg": loss}, {"pl_mean": last})


def _updated_mean(mean: tf.Tensor, value: tf.Tensor, decay: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Running mean after this replica's micro-batch (gradient flows through `value`) and after the round's last one.

    The micro-batches of a round update the mean one after another, in replica order.
    """
    mine = tf.distribute.get_replica_context().replica_id_in_sync_group
    at_mine = mean
    for replica, other in enumerate(tf.unstack(gather_over_replicas(value))):
        mean = mean + decay * (other - mean)
        at_mine = tf.where(tf.equal(replica, mine), mean, at_mine)
    return at_mine + decay * (value - tf.stop_gradient(value)), mean


class DiscriminatorMain(Phase):
    """Dmain: tell fakes from reals. The only phase whose fakes update the generator's running means.

    These are w_avg and, in StyleGAN3, the magnitude of each layer's input, which the layer uses as updated.
    """

    name, network = "Dmain", "D"

    def read_state(self, networks: TrainingNetworks) -> dict[str, tf.Tensor]:
        magnitudes = {_MAGNITUDE + name: variable for name, variable in networks.G.magnitude_variables().items()}
        means = {"w_avg": networks.G.mapping.w_avg, **magnitudes}
        return {name: tf.convert_to_tensor(variable) for name, variable in means.items()}

    def write_state(self, networks: TrainingNetworks, state: dict[str, tf.Tensor]) -> None:
        assign_local(networks.G.mapping.w_avg, state["w_avg"])
        for name, variable in networks.G.magnitude_variables().items():
            assign_local(variable, state[_MAGNITUDE + name])

    def fakes(
        self, networks: TrainingNetworks, micro: MicroBatch, state: dict[str, tf.Tensor]
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Fakes [N,H,W,C], and the running means that they update."""
        ws, w = networks.mixed_styles(micro)
        magnitudes = {name.removeprefix(_MAGNITUDE): m for name, m in state.items() if name.startswith(_MAGNITUDE)}
        images, updated = networks.G.synthesize_with_updates(ws, magnitudes, **networks.layer_noise(micro))
        w_avg = state["w_avg"]
        for w_mean in tf.unstack(gather_over_replicas(tf.reduce_mean(w, axis=0))):
            w_avg = networks.G.mapping.updated_w_avg(w_avg, w_mean)
        return images, {"w_avg": w_avg, **_shared_magnitudes(updated)}

    def loss(self, networks: TrainingNetworks, micro: MicroBatch, state: dict[str, tf.Tensor]) -> PhaseLoss:
        images, means = self.fakes(networks, micro, state)
        # Fakes and reals in two passes: the minibatch standard deviation must not mix them, and one is no quicker.
        fake_logits = networks.discriminate(images, micro.gen_labels, micro, "fake")
        real_logits = networks.discriminate(micro.images, micro.labels, micro, "real")
        loss = discriminator_fake_loss(fake_logits) + discriminator_real_loss(real_logits)
        statistics = {**_scores("fake", fake_logits), **_scores("real", real_logits), "Loss/D/loss": loss}
        return PhaseLoss(loss, statistics, means)


def _shared_magnitudes(updated: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Magnitudes after a round: each replica updates them from the same values, and their mean is kept."""
    if not updated:
        return {}
    shared = tf.reduce_mean(gather_over_replicas(tf.stack(list(updated.values()))), axis=0)
    return {_MAGNITUDE + name: value for name, value in zip(updated, tf.unstack(shared), strict=True)}


class R1(Phase):
    """Dreg: keep D's slope at real images small (arXiv:1801.04406)."""

    name, network = "Dreg", "D"

    def skips(self, path: str) -> bool:
        return path == "b4/out/bias"  # the only variable the slope does not depend on by construction

    def loss(self, networks: TrainingNetworks, micro: MicroBatch, state: dict[str, tf.Tensor]) -> PhaseLoss:
        penalty, logits = r1_penalty(
            lambda images, labels: networks.discriminate(images, labels, micro, "real"), micro.images, micro.labels
        )
        loss = penalty * tf.cast(micro.scalars.r1_gamma / 2, penalty.dtype)
        return PhaseLoss(loss, {**_scores("real", logits), "Loss/r1_penalty": penalty, "Loss/D/reg": loss})


def training_phases(g_reg_interval: int | None, d_reg_interval: int, pl_weight: Scheduled) -> list[Phase]:
    """Phases in the order in which they run; latents are drawn for each, due or not.

    Args:
        g_reg_interval: iterations between two runs of Greg. None: there is none (StyleGAN3).
        d_reg_interval: iterations between two runs of Dreg.
        pl_weight: weight of the path length penalty; always 0 = Greg keeps its place among them, but does not run.
    """
    if g_reg_interval is None:
        return [GeneratorMain(0), DiscriminatorMain(1), R1(2, d_reg_interval)]
    phases = [GeneratorMain(0), PathLength(1, g_reg_interval), DiscriminatorMain(2), R1(3, d_reg_interval)]
    weighs = max(Schedule.of(pl_weight).values) > 0
    return [p for p in phases if weighs or p.name != "Greg"]  # the others keep their places
