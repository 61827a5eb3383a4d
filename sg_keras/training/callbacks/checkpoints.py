"""When a run saves its exact state and its networks."""

from __future__ import annotations

import dataclasses
import pathlib
import time
from collections.abc import Callable
from typing import Any

import sg_keras
from sg_keras.checkpoint import CheckpointStore
from sg_keras.config import RunConfig, TrainingConfig
from sg_keras.config.cadence import Every
from sg_keras.training.callbacks.meter import Meter, Tick, TickCallback
from sg_keras.training.callbacks.ticks import TickClock
from sg_keras.training.step.stylegan import StyleGAN
from sg_keras.weights import write_snapshot
from sg_keras.weights.snapshot import snapshot_name


def save_cadences(run: RunConfig) -> tuple[Every, ...]:
    """In ticks, when networks and the exact state are saved: as --snap says, and wherever there are scores."""
    return Every(run.snapshot_ticks), score_cadence(run)


def score_cadence(run: RunConfig) -> Every:
    """In ticks, when snapshots are scored, which they are at the end as well."""
    if not run.metrics:
        return Every(None)
    return Every(run.metrics_ticks or run.snapshot_ticks)


def _as_trained(config: TrainingConfig, model: StyleGAN) -> TrainingConfig:
    """With the size of micro-batches that memory left."""
    return dataclasses.replace(config, batch_gpu=model.batch_gpu)


class NetworkSnapshots(TickCallback):
    """Writes network-snapshot-<kimg>/ every interval and at the end.

    Args:
        meter: of the run.
        run_dir: where the folders go.
        config: of the run, saved with the networks.
        clock: of the run.
    """

    def __init__(self, meter: Meter, run_dir: pathlib.Path, config: TrainingConfig, clock: TickClock) -> None:
        super().__init__(meter)
        self._run_dir, self._config, self._clock = run_dir, config, clock
        self._cadences = save_cadences(config.run)

    def on_tick(self, tick: Tick) -> None:
        if tick.last or self._clock.is_due(tick.nimg, *self._cadences):
            networks = (self.model.G, self.model.D, self.model.G_ema)
            write_snapshot(self._run_dir / snapshot_name(tick.nimg), networks, _as_trained(self._config, self.model))


class ExactCheckpoints(TickCallback):
    """Saves the exact state after the first iteration, every interval, at the end, by the clock and on a stop signal.

    To stand last in the list of callbacks: what a tick leaves behind is there before its checkpoint is.

    Attributes:
        newest: prefix of the checkpoint written last, None before.

    Args:
        meter: of the run.
        store: where they go.
        config: of the run, noted beside them.
        clock: of the run.
        check_finite: raises where training met a non-finite number; called before every checkpoint.
    """

    def __init__(
        self,
        meter: Meter,
        store: CheckpointStore,
        config: TrainingConfig,
        clock: TickClock,
        check_finite: Callable[[], None],
    ) -> None:
        super().__init__(meter)
        self._store, self._config, self._clock, self._check_finite = store, config, clock, check_finite
        self._cadences = save_cadences(config.run)
        self._every_seconds = Every(max(config.run.checkpoint_minutes, 0) * 60 or None)
        self.newest: pathlib.Path | None = None
        self._newest_nimg: int | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._newest_time = time.monotonic()
        self._newest_nimg = int(self.model.cur_nimg.numpy())
        if self._newest_nimg > 0 and not self._store.checkpoints:  # started from another run's checkpoint
            self._save()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        tick = self._meter.tick
        due = tick is not None and (
            tick.last or tick.nimg == self._clock.batch or self._clock.is_due(tick.nimg, *self._cadences)
        )
        if due or self._every_seconds.has_passed(self._newest_time, time.monotonic()):
            self._save()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if int(self.model.cur_nimg.numpy()) != self._newest_nimg:  # stopped by a signal
            self._save()

    def _save(self) -> None:
        self._check_finite()
        nimg = int(self.model.cur_nimg.numpy())
        tick = self._clock.tick(nimg)
        note = {
            "tick": tick,
            "nimg": nimg,
            "elapsed_sec": self._meter.total_sec,
            "version": sg_keras.__version__,
            "config": dataclasses.asdict(_as_trained(self._config, self.model)),
        }
        self.newest = self._store.save(tick, note)
        self._newest_nimg, self._newest_time = nimg, time.monotonic()
