"""StyleGAN as a Keras model whose train_step is one iteration of alternating updates."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from sg_keras.config import AugmentConfig, LossConfig, OptimizerConfig, TrainingConfig, parse_freeze
from sg_keras.losses import blur_images, blur_sigma
from sg_keras.models import Discriminator, Generator, computes_in_half, networks_from_config
from sg_keras.training.step.adam import lazy_adam
from sg_keras.training.step.augmentation import Augmentation, Kind
from sg_keras.training.step.ema import ema_beta, update_ema
from sg_keras.training.step.freezing import Freezing
from sg_keras.training.step.nonfinite import NonFiniteWatch
from sg_keras.training.step.phase import BeforeD, MicroBatch, Phase
from sg_keras.training.step.phases import training_phases
from sg_keras.training.step.random_streams import StatelessDraws
from sg_keras.training.step.statistics import Moments
from sg_keras.weights.published_names import relative_path

Batch = dict[str, tf.Tensor]


class StyleGAN(keras.Model):
    """Generator, discriminator, averaged generator, their optimizers and running means.

    Create it inside the scope of the `tf.distribute` strategy it is to train under.

    Args:
        G: generator.
        D: discriminator.
        loss: weights and cadence of the losses.
        optimizer: Adam for both networks.
        augment: of what D sees, None = no augmentation.
        batch: real images an iteration, over all replicas.
        batch_gpu: images a micro-batch, None = one micro-batch a replica.
        ema_kimg, ema_rampup: half-life of G_ema and its ramp-up.
        seed: start of the noise key.
        draws: source of random numbers, None = StatelessDraws.
        freeze: rules of what is not trained, as parse_freeze reads them.
        compile_phases: False runs the phases eagerly, for finding faults.

    train_step takes {"image": uint8 [B,H,W,C], "label": [B,c_dim], "gen_label": [B,num_phases,c_dim]}.
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
        ema_kimg: float = 10.0,
        ema_rampup: float | None = 0.05,
        seed: int = 0,
        draws: Any = None,
        freeze: str = "",
        compile_phases: bool = True,
    ) -> None:
        super().__init__(name="stylegan")
        self.G, self.D = G, D
        self.G_ema = Generator.from_config({**G.get_config(), "name": "G_ema"})
        for target, source in zip(self.G_ema.variables, G.variables, strict=True):
            target.assign(source.value)
        self.loss_config = loss
        self.batch = batch
        self.batch_gpu = batch // self.num_replicas if batch_gpu is None else batch_gpu
        self.num_rounds = batch // (self.num_replicas * self.batch_gpu)
        self.ema_kimg, self.ema_rampup = ema_kimg, ema_rampup
        self.phases = tuple(training_phases(loss.g_reg_interval, loss.d_reg_interval, loss.pl_weight))
        self.num_draws = max(phase.index for phase in self.phases) + 1
        adam = (optimizer.beta1, optimizer.beta2, optimizer.epsilon)
        self.g_optimizer = lazy_adam(optimizer.g_lr, *adam, loss.g_reg_interval, "g_optimizer")
        self.d_optimizer = lazy_adam(optimizer.d_lr, *adam, loss.d_reg_interval, "d_optimizer")
        self.g_optimizer.build(G.trainable_variables)
        self.d_optimizer.build(D.trainable_variables)
        self.freezing = Freezing(parse_freeze(freeze), G, D)
        self.augmentation = Augmentation(augment or AugmentConfig(), G.get_config()["ops"])
        self._create_state(seed)
        self.draws = draws or StatelessDraws(self.noise_key, G.z_dim, loss.style_mixing_prob, G.compute_dtype)
        self.on_out_of_memory: Callable[[], bool] = lambda: False  # whether a phase may be tried again
        self._compile_phases = compile_phases
        self._compiled: dict[str, Callable[..., None]] = {}
        self.built = True

    def _create_state(self, seed: int) -> None:
        shared = {"trainable": False, "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
        self.pl_mean = tf.Variable(tf.zeros([], self.G.variable_dtype), name="pl_mean", **shared)
        self.augment_p = self.augmentation.p
        with tf.device("CPU:0"):  # read and written between phases: nothing there should wait for an accelerator
            self.noise_key = tf.Variable(seed, dtype=tf.int64, name="noise_key", **shared)
            self.cur_nimg = tf.Variable(0, dtype=tf.int64, name="cur_nimg", **shared)
            self.batch_index = tf.Variable(0, dtype=tf.int64, name="batch_index", **shared)
        self.watch = NonFiniteWatch()
        self.computes_in_half = computes_in_half(self.G) or computes_in_half(self.D)
        names = ["Loss/scores/fake", "Loss/scores/real", "Loss/signs/fake", "Loss/signs/real", "Loss/G/loss"]
        names += ["Loss/D/loss", "Loss/G/reg", "Loss/D/reg", "Loss/pl_penalty", "Loss/r1_penalty"]
        names += [f"Gradients/{phase.name}/norm" for phase in self.phases]
        if self.computes_in_half:
            names += [f"Gradients/{phase.name}/replaced" for phase in self.phases]
        self.statistics = Moments(names)

    # ---- one iteration -------------------------------------------------------------------------------------------

    def train_step(self, data: Batch) -> dict[str, float]:
        """One iteration in the published order: the due phases one after another, the moving average, ADA."""
        cur_nimg, batch_index = int(self.cur_nimg.numpy()), int(self.batch_index.numpy())
        for network in self.freezing.move_to(cur_nimg):
            self._forget_phases_of(network)
        for phase in self.phases:
            if phase.is_due(batch_index):
                self.run_phase(phase, data, cur_nimg)
        self.run_ema(cur_nimg)
        self.cur_nimg.assign(cur_nimg + self.batch)
        self.batch_index.assign(batch_index + 1)
        self.augmentation.adjust(batch_index + 1, self.batch, self.watch)
        return {"kimg": (cur_nimg + self.batch) / 1000}

    def run_phase(self, phase: Phase, data: Batch, cur_nimg: int) -> None:
        """Run one phase on all replicas and add its statistics.

        Where memory runs out, `on_out_of_memory` may make the micro-batches smaller; the phase then starts again from
        the same state, as it writes nothing before it has all gradients.
        """
        arguments = self._phase_arguments(data, cur_nimg)
        while True:
            try:
                return self._phase_function(phase)(*arguments)
            except tf.errors.ResourceExhaustedError:
                if not self.on_out_of_memory():
                    raise

    def set_batch_gpu(self, batch_gpu: int) -> None:
        """Work in micro-batches of another size from now on. Several replicas hold their shares of a batch already."""
        if self.num_replicas > 1 or self.batch % batch_gpu:
            raise ValueError(f"batch_gpu: found {batch_gpu}, expected one replica and a divisor of {self.batch}")
        self.batch_gpu, self.num_rounds = batch_gpu, self.batch // batch_gpu
        self._compiled.clear()

    def _forget_phases_of(self, network: str) -> None:
        """Compile a network's phases anew at their next use, as they train other variables from now on."""
        for phase in self.phases:
            if phase.network == network:
                self._compiled.pop(phase.name, None)

    def phase_graph(self, phase: Phase, data: Batch, cur_nimg: int) -> tf.Graph:
        """The graph that `run_phase` runs with these arguments, for those who measure it."""
        return self._phase_function(phase).get_concrete_function(*self._phase_arguments(data, cur_nimg)).graph

    def _phase_function(self, phase: Phase) -> Any:
        def on_replica(data: Batch, cur_nimg: tf.Tensor, before_D: BeforeD) -> None:
            self.statistics.add(phase.update(self, data, cur_nimg, before_D))

        return self._function(phase.name, on_replica)

    def _phase_arguments(self, data: Batch, cur_nimg: int) -> tuple[Batch, tf.Tensor, BeforeD]:
        with tf.device("CPU:0"):  # where augmentation needs it
            return data, tf.constant(cur_nimg, tf.int64), self.before_D(cur_nimg)

    def run_ema(self, cur_nimg: int) -> None:
        """Move G_ema towards G, unless something non-finite appeared."""

        def on_replica(beta: tf.Tensor) -> None:
            tf.cond(self.watch.all_finite(), lambda: update_ema(self.G_ema, self.G, beta), lambda: None)

        beta = ema_beta(cur_nimg, self.batch, self.ema_kimg, self.ema_rampup)
        self._function("ema", on_replica)(tf.constant(beta, tf.float64))

    def _function(self, name: str, on_replica: Callable[..., None]) -> Any:
        """A function that runs on every replica, compiled once for each name."""
        if name not in self._compiled:
            # A partial is an object of its own: TensorFlow does not take the phases for one function traced again.
            run = functools.partial(self._on_all_replicas, on_replica)
            self._compiled[name] = tf.function(run, jit_compile=False, autograph=False) if self._compile_phases else run
        return self._compiled[name]

    def _on_all_replicas(self, on_replica: Callable[..., None], *args: Any) -> None:
        self.distribute_strategy.run(on_replica, args=args)

    def make_train_function(self, force: bool = False) -> Callable[[Iterator[Batch]], dict[str, float]]:
        """For `fit`: train_step runs in Python over phases that are compiled one by one."""
        self.train_function: Callable[[Iterator[Batch]], dict[str, float]] = lambda data: self.train_step(next(data))
        return self.train_function

    # ---- what the phases build on --------------------------------------------------------------------------------

    def micro_batch(
        self, phase: Phase, batch: Batch, cur_nimg: tf.Tensor, number: int, before_D: BeforeD
    ) -> MicroBatch:
        """Micro-batch of round `number` on this replica: number k * replicas + replica of the iteration."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        position = number * self.num_replicas + tf.cast(replica, tf.int64)
        share = slice(number * self.batch_gpu, (number + 1) * self.batch_gpu)
        return MicroBatch(
            images=tf.cast(batch["image"][share], self.D.compute_dtype) / 127.5 - 1,
            labels=batch["label"][share],
            gen_labels=batch["gen_label"][share, phase.index],
            first_sample=cur_nimg + position * self.batch_gpu,
            size=self.batch_gpu,
            phase=phase.index,
            **before_D._asdict(),
        )

    def mixed_styles(self, phase: Phase, micro: MicroBatch) -> tuple[tf.Tensor, tf.Tensor]:
        """Styles of a micro-batch's latents, mixed with those of a second z (arXiv:1812.04948, section 3.1).

        Returns:
            ws [N,num_ws,w_dim], and w [N,w_dim] of the first latents.
        """
        num_ws, first = self.G.num_ws, micro.first_sample
        z, c = self.draws.latents(phase.index, first, micro.size), micro.gen_labels
        if self.draws.style_mixing_prob == 0:
            w = self.G.mapping.styles(z, c)
            return tf.repeat(w[:, None, :], num_ws, axis=1), w
        z = tf.concat([z, self.draws.mixing_latents(phase.index, first, micro.size)], axis=0)
        # Both at once: the time of the mapping network goes into reading its weights.
        w, other = tf.split(self.G.mapping.styles(z, tf.concat([c, c], axis=0)), 2)
        is_first = tf.range(num_ws) < self.draws.mixing_cutoff(phase.index, first, num_ws)
        return tf.where(is_first[None, :, None], w[:, None, :], other[:, None, :]), w

    def generate(self, phase: Phase, micro: MicroBatch) -> tuple[tf.Tensor, tf.Tensor]:
        """Fakes [N,H,W,C] of a micro-batch, and w [N,w_dim] of its first latents."""
        ws, w = self.mixed_styles(phase, micro)
        return self.G.synthesis(ws, **self.layer_noise(phase, micro)), w

    def layer_noise(self, phase: Phase, micro: MicroBatch) -> dict[str, Any]:
        """Arguments of the synthesis network that say which noise its layers add (StyleGAN3 has none)."""
        seed = self.draws.layer_noise_seed(phase.index, micro.first_sample)
        return {"noise_mode": self.draws.noise_mode, "noise_seed": seed}

    def blur_sigma_at(self, cur_nimg: int) -> tf.Tensor | None:
        """Width of the blur before D in pixels, float64; None, which makes a graph of its own, where there is none."""
        sigma = blur_sigma(cur_nimg, self.loss_config.blur_init_sigma, self.loss_config.blur_fade_kimg)
        return None if sigma is None else tf.constant(sigma, tf.float64)

    def before_D(self, cur_nimg: int) -> BeforeD:
        """What happens to pictures before D in the iteration that starts after `cur_nimg` real images."""
        return BeforeD(self.blur_sigma_at(cur_nimg), self.augmentation.p_now())

    def discriminate(self, images: tf.Tensor, labels: tf.Tensor, micro: MicroBatch, kind: Kind) -> tf.Tensor:
        """Logits [N,1] of a micro-batch's fakes or reals, blurred and then augmented first where it says so."""
        if micro.blur_sigma is not None:
            images = blur_images(images, micro.blur_sigma)
        if micro.augment_p is not None:
            draws = self.draws.augmentation(micro.phase, kind, micro.first_sample)
            images = self.augmentation(images, micro.augment_p, draws)
        return self.D(images, labels)

    def call(self, z: tf.Tensor, c: tf.Tensor | None = None, **kwargs: Any) -> tf.Tensor:
        """Images of the averaged generator."""
        return self.G_ema(z, c, **kwargs)

    # ---- state ---------------------------------------------------------------------------------------------------

    @property
    def num_replicas(self) -> int:
        """Devices that share a batch."""
        return self.distribute_strategy.num_replicas_in_sync

    @property
    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """The optimizer of each trained network."""
        return {"G": self.g_optimizer, "D": self.d_optimizer}

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


def build_stylegan(config: TrainingConfig) -> StyleGAN:
    """Networks, optimizers and state of a run; initial weights follow from the seed."""
    keras.utils.set_random_seed(config.seed)
    G, D = networks_from_config(config)
    model = StyleGAN(
        G,
        D,
        loss=config.loss,
        optimizer=config.optimizer,
        augment=config.augment,
        batch=config.batch,
        batch_gpu=config.batch_gpu,
        ema_kimg=config.ema_kimg,
        ema_rampup=config.ema_rampup,
        seed=config.seed,
        freeze=config.freeze,
    )
    model.compile(optimizer=None, jit_compile=False)
    return model
