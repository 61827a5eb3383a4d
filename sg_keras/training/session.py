"""What a run works with once everything is built: one object, which `run` hands on."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator

import keras
import tensorflow as tf

from sg_keras.checkpoint import StartingPoint
from sg_keras.config import Cluster, TrainingConfig
from sg_keras.data import ImageDataset
from sg_keras.training.callbacks.ticks import TickClock
from sg_keras.training.run_data import batches_of_worker, whole_batches
from sg_keras.training.run_log import RunLog
from sg_keras.training.step.micro_batch import Data
from sg_keras.training.step.stylegan import StyleGAN


@dataclasses.dataclass(frozen=True)
class Session:
    """One process's part in a run, from its start or continuation to its end.

    Attributes:
        start: where it starts, with every choice made.
        run_dir: the run directory, in which the chief alone writes.
        model: in training, under its `tf.distribute` strategy.
        dataset: open.
        log: console and log.txt.
        cluster: workers that share the run, None = this one alone.
        callbacks: the caller's own.
    """

    start: StartingPoint
    run_dir: pathlib.Path
    model: StyleGAN
    dataset: ImageDataset
    log: RunLog
    cluster: Cluster | None = None
    callbacks: tuple[keras.callbacks.Callback, ...] = ()

    @property
    def config(self) -> TrainingConfig:
        """What is trained."""
        return self.start.config

    @property
    def strategy(self) -> tf.distribute.Strategy:
        """Over all devices of all workers."""
        return self.model.distribute_strategy

    @property
    def clock(self) -> TickClock:
        """Ticks of the run."""
        return TickClock(self.config.batch, self.config.run.tick_kimg)

    @property
    def total_nimg(self) -> float:
        """Real images after which the run is complete."""
        return self.config.run.total_kimg * 1000

    @property
    def progress(self) -> str:
        """Human-readable: how far the run got, such as "0.08 of 0.16 kimg"."""
        return f"{int(self.model.cur_nimg.numpy()) / 1000:g} of {self.config.run.total_kimg:g} kimg"

    def batches(self) -> Iterator[Data]:
        """Batches from the starting point on, as `train_step` takes them."""
        num_phases = self.model.num_phases
        return batches_of_worker(self.config, self.dataset, num_phases, self.start.nimg, self.strategy)

    def whole_batch(self, nimg: int) -> Data:
        """The batch of all replicas together of the iteration that starts after `nimg` real images."""
        return next(whole_batches(self.config, self.dataset, self.model.num_phases, nimg))
