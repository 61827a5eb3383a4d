"""The networks in training, with everything that determines how they go on: what the phases build on."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from sg_keras.config import AugmentConfig, LossConfig, OptimizerConfig
from sg_keras.config.schedule import Scheduled, ScheduledCount
from sg_keras.config.schedules import ScheduledValues, Schedules
from sg_keras.losses import blur_images
from sg_keras.models import Discriminator, Generator, computes_in_half, set_half_resolutions
from sg_keras.ops.pixel_values import from_uint8
from sg_keras.training.step.adam import Adam, lazy_adam
from sg_keras.training.step.augmentation import Augmentation, Kind
from sg_keras.training.step.freezing import Freezing
from sg_keras.training.step.micro_batch import Data, IterationScalars, MicroBatch
from sg_keras.training.step.nonfinite import NonFiniteMonitor
from sg_keras.training.step.random_streams import PhaseRandom
from sg_keras.weights.published_names import relative_path


class TrainingNetworks(keras.Model):
    """Generator, discriminator, averaged generator, their optimizers and running means.

    Args:
        G: generator.
        D: discriminator.
        loss: weights and cadence of the losses.
        optimizer: Adam for both networks.
        augment: of what D sees, None = no augmentation.
        batch: real images per iteration, over all replicas.
        batch_gpu: images per micro-batch, None = one micro-batch per replica.
        ema_kimg, ema_rampup: half-life of G_ema and its ramp-up.
        seed: start of the noise key.
        random: source of random numbers, None = PhaseRandom.
        freeze: rules of what is not trained, as parse_freeze reads them.
        num_fp16_res: how many of the highest resolutions are in half precision, None = as the networks were made.

    Attributes:
        schedules: everything that depends on the real images seen.
        num_rounds: micro-batches of each replica per iteration.
        pl_mean: running mean of path lengths.
        cur_nimg, batch_index, noise_key: real images and iterations so far, and the key of all random numbers.
        monitor: where the first NaN or Inf appeared.
        num_fp16_res, computes_in_half: resolutions in half precision now, and whether any layer is.
        may_compute_in_half: whether any is at some point of the run.
    """

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        loss: LossConfig,
        optimizer: OptimizerConfig,
        augment: AugmentConfig | None = None,
        batch: int,
        batch_gpu: int | None = None,
        ema_kimg: Scheduled = 10.0,
        ema_rampup: float | None = 0.05,
        seed: int = 0,
        random: Any = None,
        freeze: str = "",
        num_fp16_res: ScheduledCount | None = None,
        name: str = "networks",
    ) -> None:
        super().__init__(name=name)
        augment = augment or AugmentConfig()
        self.G, self.D = G, D
        self._create_average()
        self.loss_config = loss
        self.batch = batch
        self.batch_gpu = batch // self.num_replicas if batch_gpu is None else batch_gpu
        self.num_rounds = batch // (self.num_replicas * self.batch_gpu)
        self.schedules = Schedules.of_parts(
            loss, optimizer, augment, batch=batch, ema_kimg=ema_kimg, ema_rampup=ema_rampup, freeze=freeze,
            num_fp16_res=num_fp16_res,
        )  # fmt: skip
        self._create_optimizers(optimizer)
        self.freezing = Freezing(self.schedules.freeze, G, D)
        self.augmentation = Augmentation(augment, G.get_config()["impl"])
        self._create_state(seed)
        self.random = random or PhaseRandom(self.noise_key, G.z_dim, loss.style_mixing_prob, G.compute_dtype)

    def _create_average(self) -> None:
        self.G_ema = Generator.from_config({**self.G.get_config(), "name": "G_ema"})
        for target, source in zip(self.G_ema.variables, self.G.variables, strict=True):
            target.assign(source.value)

    def _create_optimizers(self, optimizer: OptimizerConfig) -> None:
        start, loss = self.schedules.at(0), self.loss_config
        adam = (optimizer.beta1, start.beta2, optimizer.epsilon)
        self.g_optimizer = lazy_adam(start.g_lr, *adam, loss.g_reg_interval, "g_optimizer")
        self.d_optimizer = lazy_adam(start.d_lr, *adam, loss.d_reg_interval, "d_optimizer")
        self.g_optimizer.build(self.G.trainable_variables)
        self.d_optimizer.build(self.D.trainable_variables)

    def _create_state(self, seed: int) -> None:
        shared = {"trainable": False, "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
        self.pl_mean = tf.Variable(tf.zeros([], self.G.variable_dtype), name="pl_mean", **shared)
        self.augment_p = self.augmentation.p
        with tf.device("CPU:0"):  # read and written between phases: nothing there should wait for an accelerator
            self.noise_key = tf.Variable(seed, dtype=tf.int64, name="noise_key", **shared)
            self.cur_nimg = tf.Variable(0, dtype=tf.int64, name="cur_nimg", **shared)
            self.batch_index = tf.Variable(0, dtype=tf.int64, name="batch_index", **shared)
        self.monitor = NonFiniteMonitor()
        self._note_precision()
        self.may_compute_in_half = self.computes_in_half or "num_fp16_res" in self.schedules.of

    def _note_precision(self) -> None:
        self.num_fp16_res = self.G.get_config()["num_fp16_res"]
        self.computes_in_half = computes_in_half(self.G) or computes_in_half(self.D)

    def follow_precision(self, num_fp16_res: int | None) -> bool:
        """Take over a scheduled number of resolutions in half precision. Returns whether it is another than before.

        What was traced before then computes in types that do not hold any more, and has to be traced again.
        """
        if num_fp16_res in (None, self.num_fp16_res):
            return False
        for network in (self.G, self.D, self.G_ema):
            set_half_resolutions(network, num_fp16_res)
        self._note_precision()
        return True

    @property
    def num_replicas(self) -> int:
        """Devices that share a batch."""
        return self.distribute_strategy.num_replicas_in_sync

    @property
    def optimizers(self) -> dict[str, Adam]:
        """The optimizer of each trained network."""
        return {"G": self.g_optimizer, "D": self.d_optimizer}

    # ---- from data to logits -------------------------------------------------------------------------------------

    def scalars(self, cur_nimg: int, values: ScheduledValues) -> IterationScalars:
        """What the phases of an iteration get beside their data."""
        sigma = values.blur_sigma
        with tf.device("CPU:0"):  # where augmentation needs it
            return IterationScalars(
                cur_nimg=tf.constant(cur_nimg, tf.int64),
                r1_gamma=tf.constant(values.r1_gamma, tf.float64),
                pl_weight=tf.constant(values.pl_weight, tf.float64),
                adam_beta2={
                    name: tf.constant(optimizer.lazy_beta_2(values.beta2), tf.float64)
                    for name, optimizer in self.optimizers.items()
                },
                blur_sigma=None if sigma is None else tf.constant(sigma, tf.float64),
                augment_p=self.augmentation.current_p(),
            )

    def micro_batch(
        self, data: Data, scalars: IterationScalars, phase: int, share: int, number: int | tf.Tensor
    ) -> MicroBatch:
        """A micro-batch of a phase.

        Args:
            data: of one replica, or of all of them together.
            scalars: of the iteration.
            phase: its index.
            share: which part of `data`, counted in micro-batches.
            number: of the micro-batch among all of the iteration, an int or an int64 tensor.
        """
        part = slice(share * self.batch_gpu, (share + 1) * self.batch_gpu)
        return MicroBatch(
            images=from_uint8(data["image"][part], self.D.compute_dtype),
            labels=data["label"][part],
            gen_labels=data["gen_label"][part, phase],
            first_sample=scalars.cur_nimg + number * self.batch_gpu,
            size=self.batch_gpu,
            scalars=scalars,
            phase=phase,
        )

    def mixed_styles(self, micro: MicroBatch) -> tuple[tf.Tensor, tf.Tensor]:
        """Styles of a micro-batch's latents, mixed with those of a second z (arXiv:1812.04948, section 3.1).

        Returns:
            ws [N,num_ws,w_dim], and w [N,w_dim] of the first latents.
        """
        num_ws, sample = self.G.num_ws, (micro.phase, micro.first_sample)
        z, c = self.random.latents(*sample, micro.size), micro.gen_labels
        if self.random.style_mixing_prob == 0:
            w = self.G.mapping.styles(z, c)
            return tf.repeat(w[:, None, :], num_ws, axis=1), w
        z = tf.concat([z, self.random.mixing_latents(*sample, micro.size)], axis=0)
        # Both at once: the time of the mapping network goes into reading its weights.
        w, other = tf.split(self.G.mapping.styles(z, tf.concat([c, c], axis=0)), 2)
        is_first = tf.range(num_ws) < self.random.mixing_cutoff(*sample, num_ws)
        return tf.where(is_first[None, :, None], w[:, None, :], other[:, None, :]), w

    def layer_noise(self, micro: MicroBatch) -> dict[str, Any]:
        """Arguments of the synthesis network that say which noise its layers add (StyleGAN3 has none)."""
        seed = self.random.layer_noise_seed(micro.phase, micro.first_sample)
        return {"noise_mode": self.random.noise_mode, "noise_seed": seed}

    def generate(self, micro: MicroBatch) -> tf.Tensor:
        """Fakes [N,H,W,C] of a micro-batch."""
        ws, _ = self.mixed_styles(micro)
        return self.G.synthesis(ws, **self.layer_noise(micro))

    def discriminate(self, images: tf.Tensor, labels: tf.Tensor, micro: MicroBatch, kind: Kind) -> tf.Tensor:
        """Logits [N,1] of a micro-batch's fakes or reals, blurred and then augmented first where it says so."""
        if micro.scalars.blur_sigma is not None:
            images = blur_images(images, micro.scalars.blur_sigma)
        if micro.scalars.augment_p is not None:
            random = self.random.augmentation(micro.phase, kind, micro.first_sample)
            images = self.augmentation(images, micro.scalars.augment_p, random)
        return self.D(images, labels)

    # ---- state ---------------------------------------------------------------------------------------------------

    def state_variables(self) -> dict[str, tf.Variable]:
        """Everything that determines how training goes on, by name. What is not here does not survive."""
        state = {
            "pl_mean": self.pl_mean,
            "augment_p": self.augment_p,
            "noise_key": self.noise_key,
            "cur_nimg": self.cur_nimg,
            "batch_index": self.batch_index,
            **self.augmentation.state,
        }
        for network in (self.G, self.D, self.G_ema):
            for variable in network.variables:
                state[f"{network.name}/{relative_path(network, variable)}"] = variable.value
        for name, optimizer in self.optimizers.items():
            network = getattr(self, name)
            paths = [relative_path(network, v) for v in network.trainable_variables]
            for path, momentum, velocity in zip(paths, optimizer.momentums, optimizer.velocities, strict=True):
                state[f"{optimizer.name}/momentum/{path}"] = momentum.value
                state[f"{optimizer.name}/velocity/{path}"] = velocity.value
            state[f"{optimizer.name}/steps"] = optimizer.steps.value
            state[f"{optimizer.name}/iterations"] = optimizer.iterations.value
        return state
