"""Which callbacks a run has, in which order."""

from __future__ import annotations

from collections.abc import Callable

import keras

from sg_keras.checkpoint import CheckpointStore
from sg_keras.config.cadence import Every
from sg_keras.training.callbacks.augmentation_monitor import AugmentationMonitor
from sg_keras.training.callbacks.checkpoints import ExactCheckpoints, NetworkSnapshots
from sg_keras.training.callbacks.freeze_notes import FreezeNotes
from sg_keras.training.callbacks.image_grid import make_sample_grid
from sg_keras.training.callbacks.image_grids import ImageGrids
from sg_keras.training.callbacks.meter import Meter, TimedBatches
from sg_keras.training.callbacks.nonfinite_replay import NonFiniteGuard
from sg_keras.training.callbacks.scores import ScoreHelper, SnapshotScores
from sg_keras.training.callbacks.status import StatsFile, StatusLine
from sg_keras.training.callbacks.tensorboard import TensorBoardEvents
from sg_keras.training.session import Session


def chief_callbacks(
    session: Session, batches: TimedBatches, store: CheckpointStore, stopped: Callable[[], bool]
) -> list[keras.callbacks.Callback]:
    """What happens at ticks, in order: what a tick leaves behind is there before its checkpoint is, but for scores.

    Args:
        session: of the run.
        batches: of this worker.
        store: of the checkpoints.
        stopped: whether something asked the run to stop.
    """
    config, run_dir, clock, log = session.config, session.run_dir, session.clock, session.log
    meter, guard = _meter_and_guard(session, batches)
    grid = make_sample_grid(session.dataset, config.run.sample_grid, config.generator.z_dim, config.seed)
    image_grids = ImageGrids(meter, run_dir, grid, clock, Every(config.run.image_snapshot_ticks))
    mirrored = {"mirror": config.dataset.mirror, "mirrory": config.dataset.mirrory}
    augmentation = AugmentationMonitor(meter, log, session.dataset, image_grids, **mirrored, seed=config.seed)
    events = TensorBoardEvents(meter, run_dir, image_grids, augmentation)
    scores = [SnapshotScores(meter, session, events, stopped)] if config.run.metrics else []
    return [
        meter,
        guard,
        FreezeNotes(log.line),
        StatusLine(meter, log),
        StatsFile(meter, run_dir),
        image_grids,
        augmentation,
        events,
        NetworkSnapshots(meter, run_dir, config, clock),
        *session.callbacks,
        ExactCheckpoints(meter, store, config, clock, guard.check),
        *scores,
    ]


def worker_callbacks(session: Session, batches: TimedBatches) -> list[keras.callbacks.Callback]:
    """What happens at ticks on a worker that writes nothing."""
    meter, guard = _meter_and_guard(session, batches)
    scores = [ScoreHelper(meter, session)] if session.config.run.metrics else []
    return [meter, guard, *session.callbacks, *scores]


def _meter_and_guard(session: Session, batches: TimedBatches) -> tuple[Meter, NonFiniteGuard]:
    """What every worker needs: statistics are read, and faults found, on all of them together."""
    meter = Meter(session.clock, session.total_nimg, batches, session.start.elapsed_sec)
    return meter, NonFiniteGuard(meter, session.whole_batch)
