"""The trainer's own step, measured, in a process that writes no file.

The process builds everything as a run does (devices, data, networks, the grids of images at the start), trains some
iterations and says how long they took and how much memory it held.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import statistics
import time
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from sg_keras.config import TrainingConfig
from sg_keras.files.process_memory import peak_bytes
from sg_keras.inference import png_bytes
from sg_keras.ops.library import resolve_impl
from sg_keras.training.callbacks.image_grid import generate_images, make_sample_grid
from sg_keras.training.callbacks.image_grids import images_at_a_time
from sg_keras.training.callbacks.meter import TimedBatches
from sg_keras.training.distribution.devices import make_strategy
from sg_keras.training.measured_speed import convolution_speed
from sg_keras.training.precision_choice import bfloat16_problem, choose_precision, convolution_shapes
from sg_keras.training.run_data import batches_of_worker, open_run_dataset
from sg_keras.training.step.micro_batch import Data, IterationScalars
from sg_keras.training.step.phase import Phase
from sg_keras.training.step.stylegan import StyleGAN, build_stylegan

STEPS = 20
REST = "rest"  # of an iteration, beside its phases
_LEAST_RUNS = 4  # of each phase, due or not
#: Of the measured iterations: more are taken where they are quicker, since processors change their pace from second to
#: second, and fewer where they are slower.
LEAST_SECONDS, _MOST_SECONDS = 15.0, 120.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSteps:
    """What some iterations took.

    Attributes:
        iterations: measured.
        phase_sec: one run of each phase, seconds, by name.
        rest_sec: the rest of an iteration: the moving average, what happens on the host, waiting for data.
        data_wait_sec: of it, waiting for data.
        start_sec: from the start of the process to the end of the first iteration, in which everything is compiled.
        peak_bytes: most memory that the process has held.
        device_bytes: most memory that its tensors have held on a GPU; 0 without one.
        precision: of the highest resolutions, measured where it was "auto".
        bfloat16_speedup: how many times as fast convolutions are in bfloat16 here, 0 where they cannot be.
    """

    iterations: int
    phase_sec: dict[str, float]
    rest_sec: float
    data_wait_sec: float
    start_sec: float
    peak_bytes: int
    device_bytes: int
    precision: str
    bfloat16_speedup: float

    def iteration_sec(self, intervals: Mapping[str, int]) -> dict[str, float]:
        """Seconds of an iteration by phase, each as often as it is due, and of the rest.

        Args:
            intervals: of the phases, by name.
        """
        due = (name for name in intervals if name in self.phase_sec)
        return {**{name: self.phase_sec[name] / intervals[name] for name in due}, REST: self.rest_sec}


def measure(config: TrainingConfig, steps: int, least_sec: float, started: float) -> MeasuredSteps:
    """Measure in this process, which is at its beginning.

    Args:
        config: of the run.
        steps: iterations at least, fewer where they take long.
        least_sec: seconds of iterations at least.
        started: when the process began, as of time.time.

    Raises:
        ValueError, OSError: the run cannot be trained; one line.
    """
    strategy = make_strategy(config)
    config, _ = choose_precision(dataclasses.replace(config, ops=resolve_impl(config.ops)))
    with contextlib.closing(open_run_dataset(config)) as dataset:
        with strategy.scope():
            model = build_stylegan(config)
        timed = _TimedPhases(model)
        images = _images_of_the_start(config, dataset, model)
        with contextlib.closing(
            TimedBatches(batches_of_worker(config, dataset, model.num_phases, 0, strategy))
        ) as data:
            model.train_step(next(data))
            start_sec = time.time() - started
            model.train_step(next(data))
            timed.seconds.clear()
            waited = data.wait_sec
            iterations, whole = _train(model, data, steps, least_sec)
            waited = data.wait_sec - waited
            in_phases = sum(sum(seconds) for seconds in timed.seconds.values())
            timed.run_rare_ones(next(data))
    del images
    return MeasuredSteps(
        iterations=iterations,
        phase_sec={name: statistics.mean(seconds) for name, seconds in timed.seconds.items()},
        rest_sec=max(whole - in_phases, 0.0) / iterations,
        data_wait_sec=waited / iterations,
        start_sec=start_sec,
        peak_bytes=peak_bytes(),
        device_bytes=_device_bytes(),
        precision=config.precision,
        bfloat16_speedup=_bfloat16_speedup(config),
    )


class _TimedPhases:
    """Takes the time of each run of a phase."""

    def __init__(self, model: StyleGAN) -> None:
        self.seconds: collections.defaultdict[str, list[float]] = collections.defaultdict(list)
        self._model, self._run_phase = model, model.run_phase
        model.run_phase = self._timed  # type: ignore[method-assign]

    def _timed(self, phase: Phase, data: Data, scalars: IterationScalars) -> None:
        start = time.perf_counter()
        self._run_phase(phase, data, scalars)
        tf.test.experimental.sync_devices()
        self.seconds[phase.name].append(time.perf_counter() - start)

    def run_rare_ones(self, data: Data) -> None:
        """Run the phases that were due too seldom to tell a mean."""
        nimg = int(self._model.cur_nimg.numpy())
        scalars, values = self._model.scalars_at(nimg), self._model.schedules.at(nimg)
        for phase in self._model.phases:
            for _ in range(_LEAST_RUNS - len(self.seconds[phase.name]) if phase.has_weight(values) else 0):
                self._timed(phase, data, scalars)


def _train(model: StyleGAN, data: TimedBatches, steps: int, least_sec: float) -> tuple[int, float]:
    """Some iterations: how many, and their seconds."""
    start = time.perf_counter()
    number = 0
    spent = 0.0
    while (number < steps or spent < least_sec) and spent < _MOST_SECONDS:
        model.train_step(next(data))
        number += 1
        spent = time.perf_counter() - start
    tf.test.experimental.sync_devices()
    return number, time.perf_counter() - start


def _images_of_the_start(config: TrainingConfig, dataset: Any, model: StyleGAN) -> tuple[Any, ...]:
    """The grids that a run draws before it trains, and keeps."""
    grid = make_sample_grid(dataset, config.run.sample_grid, config.generator.z_dim, config.seed)
    reals = grid.drawn(grid.reals)
    fakes = grid.drawn(generate_images(model.G_ema, grid.z, grid.labels, images_at_a_time(model)))
    for image in (reals, fakes):
        png_bytes(image)
    return grid, reals, fakes


def _device_bytes() -> int:
    names = [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices("GPU")]
    return max((tf.config.experimental.get_memory_info(name)["peak"] for name in names), default=0)


def _bfloat16_speedup(config: TrainingConfig) -> float:
    shapes = convolution_shapes(config)
    if config.gpus or not shapes or bfloat16_problem():
        return 0.0
    return convolution_speed(shapes).ratio
