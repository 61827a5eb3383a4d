"""Measures a run and sums up each tick for the callbacks that show or save something."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Iterator
from typing import Any

import keras
import tensorflow as tf

from sg_keras.files.process_memory import resident_bytes
from sg_keras.training.callbacks.ticks import TickClock

_GB = 2**30


@dataclasses.dataclass(frozen=True)
class Tick:
    """A tick's end.

    Attributes:
        number: of the boundary, or at the end of the run of the one that would come next.
        nimg: real images seen.
        last: whether the run is complete.
        statistics: {"num", "mean", "std"} of everything accumulated since the tick before, by name.
        total_sec: training time so far, that of earlier sessions included.
        sec_per_tick, sec_per_kimg: of the tick, without maintenance.
        maintenance_sec: what was spent on images, checkpoints and such after the tick before.
        data_wait_frac: share of the tick spent waiting for data.
        eta_sec: time that the rest will take, None while unknown.
        cpu_mem_gb, peak_gpu_mem_gb: resident memory of the process, highest memory use of any GPU.
        augment_p: augmentation probability.
    """

    number: int
    nimg: int
    last: bool
    statistics: dict[str, dict[str, float]]
    total_sec: float
    sec_per_tick: float
    sec_per_kimg: float
    maintenance_sec: float
    data_wait_frac: float
    eta_sec: float | None
    cpu_mem_gb: float
    peak_gpu_mem_gb: float
    augment_p: float


class TimedBatches:
    """An iterator that adds up the time its reader waits.

    To be closed before the process or the data set comes to an end: what is being read ahead is then waited for.

    Attributes:
        wait_sec: time spent in `next` so far.
    """

    def __init__(self, batches: Iterator[Any]) -> None:
        self._batches = batches
        self.wait_sec = 0.0

    def __iter__(self) -> TimedBatches:
        return self

    def __next__(self) -> Any:
        start = time.perf_counter()
        try:
            return next(self._batches)
        finally:
            self.wait_sec += time.perf_counter() - start

    def close(self) -> None:
        """End the generator behind it, if it is one, with all that it holds."""
        if isinstance(self._batches, Generator):
            self._batches.close()


class Meter(keras.callbacks.Callback):
    """Sums up each tick. To stand in the list of callbacks before those that use it.

    Attributes:
        tick: of the iteration that just ended, None if it did not end one.

    Args:
        clock: of the run.
        total_nimg: images after which the run is complete.
        batches: whose waiting time counts.
        elapsed_sec: training time of earlier sessions.
    """

    def __init__(self, clock: TickClock, total_nimg: float, batches: TimedBatches, elapsed_sec: float = 0.0) -> None:
        super().__init__()
        self.tick: Tick | None = None
        self._clock, self._total_nimg, self._batches, self._elapsed_sec = clock, total_nimg, batches, elapsed_sec
        self._first_end: tuple[float, int] | None = None  # time and nimg after the session's first iteration
        self._tick_is_open = False

    @property
    def total_sec(self) -> float:
        """Training time so far, that of earlier sessions included."""
        return self._elapsed_sec + time.perf_counter() - self._session_start

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._session_start = self._maintenance_start = time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.tick = None
        if not self._tick_is_open:
            self._open_tick()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        nimg = int(self.model.cur_nimg.numpy())
        last = nimg >= self._total_nimg
        if last or self._clock.is_boundary(nimg):
            self.tick = self._sum_up(nimg, last)
            self._maintenance_start, self._tick_is_open = time.perf_counter(), False
        if self._first_end is None:
            self._first_end = (time.perf_counter(), nimg)

    def _open_tick(self) -> None:
        self._tick_is_open = True
        self._tick_start, self._tick_start_nimg = time.perf_counter(), int(self.model.cur_nimg.numpy())
        self._tick_start_wait = self._batches.wait_sec
        self._maintenance_sec = self._tick_start - self._maintenance_start

    def _sum_up(self, nimg: int, last: bool) -> Tick:
        # Reading the statistics waits for the devices, so it comes before the clock is read.
        statistics, augment_p = self.model.statistics.read_and_reset(), float(self.model.augment_p.numpy())
        seconds = max(time.perf_counter() - self._tick_start, 1e-9)
        return Tick(
            number=self._clock.tick(nimg),
            nimg=nimg,
            last=last,
            statistics=statistics,
            total_sec=self.total_sec,
            sec_per_tick=seconds,
            sec_per_kimg=seconds / (nimg - self._tick_start_nimg) * 1000,
            maintenance_sec=self._maintenance_sec,
            data_wait_frac=(self._batches.wait_sec - self._tick_start_wait) / seconds,
            eta_sec=self._eta_sec(nimg),
            cpu_mem_gb=resident_bytes() / _GB,
            peak_gpu_mem_gb=_peak_gpu_bytes() / _GB,
            augment_p=augment_p,
        )

    def _eta_sec(self, nimg: int) -> float | None:
        """From the pace since the session's first iteration, in which everything is compiled."""
        remaining = max(self._total_nimg - nimg, 0)
        if remaining == 0:
            return 0.0
        if self._first_end is None or nimg == self._first_end[1]:
            return None
        return remaining * (time.perf_counter() - self._first_end[0]) / (nimg - self._first_end[1])


class TickCallback(keras.callbacks.Callback):
    """Something that happens at ticks.

    Args:
        meter: which stands before it in the list of callbacks.
    """

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._meter.tick is not None:
            self.on_tick(self._meter.tick)

    def on_tick(self, tick: Tick) -> None:
        """Called at the end of each tick and of the run."""


def _peak_gpu_bytes() -> int:
    names = [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices("GPU")]
    return max((tf.config.experimental.get_memory_info(name)["peak"] for name in names), default=0)
