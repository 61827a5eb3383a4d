"""StyleGAN as a Keras model whose train_step is one iteration of alternating updates."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from sg_keras.config import TrainingConfig
from sg_keras.config.schedules import ScheduledValues
from sg_keras.models import Discriminator, Generator, networks_from_config
from sg_keras.training.step.ema import update_ema
from sg_keras.training.step.micro_batch import Data, IterationScalars
from sg_keras.training.step.networks import TrainingNetworks
from sg_keras.training.step.phase import Phase
from sg_keras.training.step.phases import training_phases
from sg_keras.training.step.statistics import Moments


class StyleGAN(TrainingNetworks):
    """The networks in training, and the phases that update them.

    Create it inside the scope of the `tf.distribute` strategy it is to train under.

    train_step takes {"image": uint8 [B,H,W,C], "label": [B,c_dim], "gen_label": [B,num_phases,c_dim]}.

    Args:
        G, D, options: as TrainingNetworks takes them.
        compile_phases: False runs the phases eagerly, for finding faults.

    Attributes:
        phases: in the order in which they run.
        num_phases: sets of latents and labels per iteration, due or not.
        statistics: what the phases measured since they were last read.
        on_out_of_memory: called where memory runs out; says whether a phase may be tried again.
    """

    def __init__(self, G: Generator, D: Discriminator, *, compile_phases: bool = True, **options: Any) -> None:
        super().__init__(G, D, name="stylegan", **options)
        loss = self.loss_config
        self.phases = tuple(training_phases(loss.g_reg_interval, loss.d_reg_interval, loss.pl_weight))
        self.num_phases = max(phase.index for phase in self.phases) + 1
        names = ["Loss/scores/fake", "Loss/scores/real", "Loss/signs/fake", "Loss/signs/real", "Loss/G/loss"]
        names += ["Loss/D/loss", "Loss/G/reg", "Loss/D/reg", "Loss/pl_penalty", "Loss/r1_penalty"]
        names += [f"Gradients/{phase.name}/norm" for phase in self.phases]
        if self.may_compute_in_half:
            names += [f"Gradients/{phase.name}/replaced" for phase in self.phases]
        self.statistics = Moments(names)
        self.on_out_of_memory: Callable[[], bool] = lambda: False
        self._compile_phases = compile_phases
        self._compiled: dict[str, Callable[..., None]] = {}
        self.built = True

    # ---- one iteration -------------------------------------------------------------------------------------------

    def train_step(self, data: Data) -> dict[str, float]:
        """One iteration in the published order: the due phases one after another, the moving average, ADA."""
        cur_nimg, batch_index = int(self.cur_nimg.numpy()), int(self.batch_index.numpy())
        values = self.schedules.at(cur_nimg)
        self._follow(values)
        scalars = self.scalars(cur_nimg, values)
        for phase in self.phases:
            if phase.is_due(batch_index) and phase.has_weight(values):
                self.run_phase(phase, data, scalars)
        self.run_ema(values.ema_beta)
        self.cur_nimg.assign(cur_nimg + self.batch)
        self.batch_index.assign(batch_index + 1)
        self.augmentation.adjust(batch_index + 1, self.batch, values, self.monitor)
        return {"kimg": (cur_nimg + self.batch) / 1000}

    def _follow(self, values: ScheduledValues) -> None:
        """What is scheduled but is no argument of a phase. What is None makes graphs of its own."""
        self.g_optimizer.follow_schedule(values.g_lr)
        self.d_optimizer.follow_schedule(values.d_lr)
        self.augmentation.follow_schedule(values.augment_p)
        self.follow_structure(values)

    def follow_structure(self, values: ScheduledValues) -> None:
        """Train and compute what these values say: which variables are frozen, and what is in half precision.

        Phases that this changes are compiled anew at their next use.
        """
        changed, retyped = self.freezing.update(values.frozen), self.follow_precision(values.num_fp16_res)
        for phase in self.phases:
            if retyped or phase.network in changed:
                self._compiled.pop(phase.name, None)

    def run_phase(self, phase: Phase, data: Data, scalars: IterationScalars) -> None:
        """Run one phase on all replicas and add its statistics.

        Where memory runs out, `on_out_of_memory` may make the micro-batches smaller; the phase then starts again from
        the same state, as it writes nothing before it has all gradients.
        """
        while True:
            try:
                return self._phase_function(phase)(data, scalars)
            except tf.errors.ResourceExhaustedError:
                if not self.on_out_of_memory():
                    raise

    def scalars_at(self, cur_nimg: int) -> IterationScalars:
        """What the phases get in the iteration that starts after `cur_nimg` real images."""
        return self.scalars(cur_nimg, self.schedules.at(cur_nimg))

    def set_batch_gpu(self, batch_gpu: int) -> None:
        """Work in micro-batches of another size from now on. Several replicas hold their shares of a batch already."""
        if self.num_replicas > 1 or self.batch % batch_gpu:
            raise ValueError(f"batch_gpu: found {batch_gpu}, expected one replica and a divisor of {self.batch}")
        self.batch_gpu, self.num_rounds = batch_gpu, self.batch // batch_gpu
        self._compiled.clear()

    def phase_graph(self, phase: Phase, data: Data, cur_nimg: int) -> tf.Graph:
        """The graph that `run_phase` runs with these arguments, for those who measure it."""
        return self._phase_function(phase).get_concrete_function(data, self.scalars_at(cur_nimg)).graph

    def _phase_function(self, phase: Phase) -> Any:
        def on_replica(data: Data, scalars: IterationScalars) -> None:
            self.statistics.add(phase.update(self, data, scalars))

        return self._function(phase.name, on_replica)

    def run_ema(self, beta: float) -> None:
        """Move G_ema towards G, unless a NaN or Inf appeared."""

        def on_replica(beta: tf.Tensor) -> None:
            tf.cond(self.monitor.all_finite(), lambda: update_ema(self.G_ema, self.G, beta), lambda: None)

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

    # ---- as a Keras model ----------------------------------------------------------------------------------------

    def make_train_function(self, force: bool = False) -> Callable[[Iterator[Data]], dict[str, float]]:
        """For `fit`: train_step runs in Python over phases that are compiled one by one."""
        self.train_function: Callable[[Iterator[Data]], dict[str, float]] = lambda data: self.train_step(next(data))
        return self.train_function

    def call(self, z: tf.Tensor, c: tf.Tensor | None = None, **kwargs: Any) -> tf.Tensor:
        """Images of the averaged generator."""
        return self.G_ema(z, c, **kwargs)


def build_stylegan(config: TrainingConfig, compile_phases: bool = True) -> StyleGAN:
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
        num_fp16_res=config.generator.num_fp16_res if isinstance(config.generator.num_fp16_res, str) else None,
        compile_phases=compile_phases,
    )
    model.compile(optimizer=None, jit_compile=False)
    return model
