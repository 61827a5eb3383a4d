"""A model under training as `training_step` measures it: its iterations, its phases, its convolutions and products."""

from __future__ import annotations

import collections
import dataclasses
import time

import tensorflow as tf

from benchmarks.convolution_cost import TimedAlone
from benchmarks.op_profile import OpRun, record_ops
from benchmarks.other_load import OtherLoad
from sg_keras.config import TrainingConfig
from sg_keras.data import make_pipeline, open_dataset
from sg_keras.files.process_memory import peak_bytes
from sg_keras.planning.products import Product, products_of
from sg_keras.training.callbacks.meter import TimedBatches
from sg_keras.training.distribution.devices import make_strategy, split_for_replicas
from sg_keras.training.precision_choice import choose_precision
from sg_keras.training.step.stylegan import StyleGAN, build_stylegan

EMA = "ema"  # beside the phases: the moving average of the generator
_WARM_UP_ITERATIONS = 4  # the first runs, and so compiles, all phases
_ITERATIONS_A_ROUND = 16  # of which one runs R1, four path length regularisation
_CALLS_A_PRODUCT = 5


@dataclasses.dataclass(frozen=True)
class Round:
    """What one round measured."""

    step_sec: float  # an iteration
    wait_sec: float  # of it, waiting for data
    alone_sec: float  # what the convolutions and matrix products of an iteration take alone
    other_load: float  # share of the cores' time that other processes took meanwhile

    @property
    def overhead_factor(self) -> float:
        """Step time over the time of its convolutions and matrix products alone."""
        return self.step_sec / self.alone_sec


class MeasuredStep:
    """A model under training, its data, and its convolutions and matrix products.

    Attributes:
        batch: images per iteration.
        precision: of the highest resolutions; an "auto" is decided.
        precision_note: how that was decided, or None.
        peak_gb: most memory that the process has held while it trained, in GB (of 1e9 bytes).
        products: how often each convolution and matrix product runs in an iteration, on average.
    """

    def __init__(self, config: TrainingConfig) -> None:
        self.batch = config.batch
        dataset = open_dataset(config.dataset.path, resolution=config.dataset.resolution, cfg=config.generator.cfg)
        self.strategy = make_strategy(config)
        config, self.precision_note = choose_precision(config)
        self.precision = config.precision
        with self.strategy.scope():
            self.model: StyleGAN = build_stylegan(config)
        pipeline = make_pipeline(
            dataset,
            seed=0,
            batch=config.batch,
            start_nimg=0,
            num_phases=self.model.num_phases,
            workers=config.dataset.workers,
        )
        self.batches = TimedBatches(iter(pipeline))
        for _ in range(_WARM_UP_ITERATIONS):
            self.iterate()
        self.peak_gb = peak_bytes() / 1e9
        self.products = self._products()
        self._alone = {product: TimedAlone(product) for product in self.products}

    def iterate(self) -> None:
        """One iteration, as in a run."""
        self.model.train_step(self._next_batch())

    def _next_batch(self) -> dict[str, tf.Tensor]:
        return split_for_replicas(next(self.batches), self.strategy, self.model.batch_gpu)

    def frequencies(self) -> dict[str, float]:
        """How often each phase runs in an iteration, on average."""
        return {phase.name: 1 / phase.interval for phase in self.model.phases} | {EMA: 1.0}

    def _products(self) -> dict[Product, float]:
        """Those of the phases; the moving average has none."""
        batch, sums = self._next_batch(), collections.defaultdict[Product, float](float)
        for phase in self.model.phases:
            graph = self.model.phase_graph(phase, batch, int(self.model.cur_nimg))
            for product, count in products_of(graph).items():
                sums[product] += count / phase.interval
        return dict(sums)

    def alone_sec(self) -> dict[Product, float]:
        """Time of each product alone."""
        return {product: timed.seconds(_CALLS_A_PRODUCT) for product, timed in self._alone.items()}

    def measure(self) -> Round:
        """One round."""
        other_load = OtherLoad()
        waited, start = self.batches.wait_sec, time.perf_counter()
        for _ in range(_ITERATIONS_A_ROUND):
            self.iterate()
        _finish()
        step_sec = (time.perf_counter() - start) / _ITERATIONS_A_ROUND
        wait_sec = (self.batches.wait_sec - waited) / _ITERATIONS_A_ROUND
        times = self.alone_sec()
        alone_sec = sum(times[product] * count for product, count in self.products.items())
        return Round(step_sec, wait_sec, alone_sec, other_load.share())

    def run_alone(self, name: str, batch: dict[str, tf.Tensor]) -> None:
        """One phase (or the moving average) by itself."""
        if name == EMA:
            self.model.run_ema(self.model.schedules.at(int(self.model.cur_nimg)).ema_beta)
            return
        phase = next(phase for phase in self.model.phases if phase.name == name)
        self.model.run_phase(phase, batch, self.model.scalars_at(int(self.model.cur_nimg)))

    def phase_sec(self, runs: int = 4) -> dict[str, float]:
        """Mean time of each phase by itself."""
        result, batch = {}, self._next_batch()
        for name in self.frequencies():
            _finish()
            start = time.perf_counter()
            for _ in range(runs):
                self.run_alone(name, batch)
            _finish()
            result[name] = (time.perf_counter() - start) / runs
        return result

    def recorded_ops(self, runs: int = 3) -> dict[str, list[OpRun]]:
        """Every op of each phase, from the quickest of its recorded runs."""
        batch = self._next_batch()

        def record(name: str) -> list[OpRun]:
            recordings = [record_ops(lambda: self.run_alone(name, batch)) for _ in range(runs)]
            return min(recordings, key=lambda ops: max(op.end_sec for op in ops) - ops[0].start_sec)

        return {name: record(name) for name in self.frequencies()}


def _finish() -> None:
    """Wait for what the device still computes; on a CPU nothing is left when a call returns."""
    tf.test.experimental.sync_devices()
