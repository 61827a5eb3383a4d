"""A whole training run, from its configuration to its last checkpoint."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from sg_keras.checkpoint import CheckpointStore, StartingPoint, find_start
from sg_keras.checkpoint.fork import restore_from_parent
from sg_keras.checkpoint.manager import FOLDER, restore_variables
from sg_keras.config import Cluster, ResumeRequest, TrainingConfig, data_fingerprint
from sg_keras.config.cadence import Every
from sg_keras.data import ImageDataset, make_pipeline, open_dataset
from sg_keras.models import float32_variables
from sg_keras.ops.library import resolve_impl
from sg_keras.training.callbacks.augmentation_monitor import AugmentationMonitor
from sg_keras.training.callbacks.checkpoints import ExactCheckpoints, NetworkSnapshots
from sg_keras.training.callbacks.freeze_notes import FreezeNotes
from sg_keras.training.callbacks.image_grid import make_sample_grid
from sg_keras.training.callbacks.image_grids import ImageGrids
from sg_keras.training.callbacks.meter import Meter, TimedBatches
from sg_keras.training.callbacks.nonfinite_replay import NonFiniteError, NonFiniteGuard
from sg_keras.training.callbacks.progress import LiveProgress
from sg_keras.training.callbacks.status import StatsFile, StatusLine, forget_stats_after
from sg_keras.training.callbacks.tensorboard import TensorBoardEvents
from sg_keras.training.callbacks.ticks import TickClock
from sg_keras.training.distribution.collectives import broadcast_text, check_devices
from sg_keras.training.distribution.devices import make_strategy, own_samples, split_for_replicas
from sg_keras.training.distribution.workers import SharedStop, broadcast_start, readable_worker_errors
from sg_keras.training.loop import train
from sg_keras.training.micro_batches import smaller_micro_batches
from sg_keras.training.precision_choice import choose_precision
from sg_keras.training.rollback import roll_back
from sg_keras.training.run_directory import (
    check_still_new,
    continue_run_directory,
    create_run_directory,
    exclusive_lock,
    set_run_aside,
)
from sg_keras.training.run_errors import clear_traceback_frames, errors_logged, messages_logged
from sg_keras.training.run_log import RunLog
from sg_keras.training.signals import StopSignals, hangups_ignored
from sg_keras.training.starting_weights import take_starting_weights, write_report
from sg_keras.training.step.micro_batch import Data
from sg_keras.training.step.stylegan import StyleGAN, build_stylegan
from sg_keras.training.summary import run_summary
from sg_keras.weights.transfer import TransferReport

_INTERRUPTED = 130  # exit status, as shells have it


def run(config: TrainingConfig, resume: ResumeRequest | None = None, cluster: Cluster | None = None) -> int:
    """Train until config.run.total_kimg, or until SIGINT or SIGTERM. A terminal that is closed does not end it.

    Args:
        config: the run.
        resume: an older run to continue to the same bits.
        cluster: machines that share the run, all of which call this; None = this one alone.

    Returns:
        Exit status: 0 where the run is complete or was stopped by a signal and can be continued; 130 where it was
        interrupted before training began.

    Raises:
        ValueError: something cannot be used or done, one line (a table where options differ from the run's).
        OSError: a file cannot be read or written, one line.
    """
    log = RunLog()
    with float32_variables(), hangups_ignored(), clear_traceback_frames(), messages_logged(log):
        try:
            with readable_worker_errors(cluster):
                return _start(config, resume, cluster, log)
        except KeyboardInterrupt:
            log.line("Interrupted before training began: there is nothing to save")
            return _INTERRUPTED


def _start(config: TrainingConfig, resume: ResumeRequest | None, cluster: Cluster | None, log: RunLog) -> int:
    """Find out where the run starts and build everything; the run directory comes last, when nothing can fail."""
    start = find_start(config, resume)
    for note in start.notes:
        log.line(note)
    if start.finished:
        return 0
    if cluster is not None:
        log.line(f"Machine {cluster.index} of {', '.join(cluster.hosts)}: waiting for the others")
    strategy = make_strategy(start.config, cluster)
    check_devices(strategy)
    if start.config.run.deterministic:
        tf.config.experimental.enable_op_determinism()
    start = _resolve_auto(start, log)
    if cluster is not None:
        start = broadcast_start(strategy, start)
    with contextlib.closing(_open_dataset(start.config)) as dataset:
        with strategy.scope():
            model = build_stylegan(start.config)
        report = _starting_weights(start, model, cluster, log)
        if cluster is None or cluster.is_chief:
            run_dir = start.run_dir or create_run_directory(start.config, start.parent)
            with exclusive_lock(run_dir), errors_logged(log, run_dir), readable_worker_errors(cluster):
                if start.anew:
                    log.line(set_run_aside(run_dir))
                elif start.checkpoint is None:
                    check_still_new(run_dir)
                log.open(run_dir)
                if report is not None:
                    write_report(run_dir, report)
                if cluster is not None:
                    broadcast_text(strategy, str(run_dir.absolute()))
                return _train(dataclasses.replace(start, run_dir=run_dir), run_dir, model, dataset, cluster, log)
        run_dir = pathlib.Path(broadcast_text(strategy, ""))
        log.line(f"Machine 0 writes {run_dir}")
        return _train_as_worker(start, model, dataset, log)


def _starting_weights(
    start: StartingPoint, model: StyleGAN, cluster: Cluster | None, log: RunLog
) -> TransferReport | None:
    """Take over the networks that a run without a checkpoint begins with, where it does not begin from nothing."""
    if start.config.resume is None or start.checkpoint is not None:
        return None
    return take_starting_weights(start.config.resume, start.config.resume_partial, model, log.line, cluster)


def _resolve_auto(start: StartingPoint, log: RunLog) -> StartingPoint:
    """With what only this machine knows decided: op implementations and an "auto" precision."""
    try:
        config = dataclasses.replace(start.config, ops=resolve_impl(start.config.ops))
    except ValueError as error:
        raise ValueError(f"--ops: {error}") from error
    config, choice = choose_precision(config)
    if choice is not None:
        log.line(choice)
    return dataclasses.replace(start, config=config)


def _train(
    start: StartingPoint,
    run_dir: pathlib.Path,
    model: StyleGAN,
    dataset: ImageDataset,
    cluster: Cluster | None,
    log: RunLog,
) -> int:
    """Restore, train and say how it ended."""
    config, total_nimg = start.config, start.config.run.total_kimg * 1000
    continue_run_directory(run_dir, config)
    keep, every_kimg = config.run.keep_checkpoints, config.run.keep_every_kimg
    store = CheckpointStore(run_dir / FOLDER, model.state_variables(), keep, every_kimg, metrics_dir=run_dir)
    log.line(run_summary(config, model, run_dir))
    _restore(start, store, log)
    model.on_out_of_memory = lambda: smaller_micro_batches(model, run_dir, config, log)
    with StopSignals() as signals, LiveProgress(log.console, total_nimg, start.nimg) as progress:
        stop = signals if cluster is None else SharedStop(signals, model.distribute_strategy)
        while True:  # again after each rollback
            forget_stats_after(run_dir, start.nimg)
            try:
                with contextlib.closing(TimedBatches(_batches(config, model, dataset, start.nimg))) as batches:
                    callbacks = _callbacks(start, run_dir, model, dataset, batches, store, log)
                    stopped_by = train(model, batches, [*callbacks, progress], total_nimg, stop)
                break
            except NonFiniteError as error:
                start, lines = roll_back(error, start, model, store)
            for line in lines:
                log.line(line)
    done = f"{int(model.cur_nimg.numpy()) / 1000:g} of {config.run.total_kimg:g} kimg"
    if stopped_by is None:
        log.line(f"Done: {done}, in {run_dir}")
    else:
        log.line(f"Stopped by {stopped_by} at {done}; to go on: the same command with --resume={run_dir}")
    return 0


def _train_as_worker(start: StartingPoint, model: StyleGAN, dataset: ImageDataset, log: RunLog) -> int:
    """Train on a machine that writes nothing."""
    config, total_nimg = start.config, start.config.run.total_kimg * 1000
    if start.checkpoint is not None:
        restore_variables(start.checkpoint, model.state_variables())
        log.line(f"Continuing from {start.checkpoint} at kimg {start.nimg / 1000:g}")
    with (
        contextlib.closing(TimedBatches(_batches(config, model, dataset, start.nimg))) as batches,
        StopSignals() as signals,
    ):
        clock = TickClock(config.batch, config.run.tick_kimg)
        watchers = _meter_and_guard(start, clock, model, dataset, batches)
        train(model, batches, watchers, total_nimg, SharedStop(signals, model.distribute_strategy))
    log.line(f"Left at {int(model.cur_nimg.numpy()) / 1000:g} of {config.run.total_kimg:g} kimg")
    return 0


def _meter_and_guard(
    start: StartingPoint, clock: TickClock, model: StyleGAN, dataset: ImageDataset, batches: TimedBatches
) -> tuple[Meter, NonFiniteGuard]:
    """What every machine needs: statistics are read, and faults found, on all of them together."""
    meter = Meter(clock, start.config.run.total_kimg * 1000, batches, start.elapsed_sec)
    return meter, NonFiniteGuard(meter, lambda nimg: next(_whole_batches(start.config, model, dataset, nimg)))


def _callbacks(
    start: StartingPoint,
    run_dir: pathlib.Path,
    model: StyleGAN,
    dataset: ImageDataset,
    batches: TimedBatches,
    store: CheckpointStore,
    log: RunLog,
) -> list[keras.callbacks.Callback]:
    """What happens at ticks, in order: what a tick leaves behind is there before its checkpoint is."""
    config = start.config
    clock = TickClock(config.batch, config.run.tick_kimg)
    meter, guard = _meter_and_guard(start, clock, model, dataset, batches)
    grid = make_sample_grid(dataset, config.run.sample_grid, config.generator.z_dim, config.seed)
    images = ImageGrids(meter, run_dir, grid, clock, Every(config.run.image_snapshot_ticks))
    mirrored = {"mirror": config.dataset.mirror, "mirrory": config.dataset.mirrory}
    augmentation = AugmentationMonitor(meter, log, dataset, images, **mirrored, seed=config.seed)
    return [
        meter,
        guard,
        FreezeNotes(log.line),
        StatusLine(meter, log),
        StatsFile(meter, run_dir),
        images,
        augmentation,
        TensorBoardEvents(meter, run_dir, images, augmentation),
        NetworkSnapshots(meter, run_dir, config, clock),
        ExactCheckpoints(meter, store, config, clock, guard.check),
    ]


def _restore(start: StartingPoint, store: CheckpointStore, log: RunLog) -> None:
    """Take over the state, and make its checkpoint the run's newest one."""
    if start.checkpoint is None:
        return
    if start.parent is not None:
        restore_from_parent(start.parent, start.config, store.variables)
    else:
        store.restore(start.checkpoint)
    log.line(f"Continuing from {start.checkpoint} at kimg {start.nimg / 1000:g}")
    if store.holds(start.checkpoint):
        removed = store.forget_after(start.checkpoint)
        if removed:
            names = ", ".join(prefix.name for prefix in removed)
            log.line(f"Removed {names}: the run goes another way from {start.checkpoint.name} on")


def _open_dataset(config: TrainingConfig) -> ImageDataset:
    data = config.dataset
    dataset = open_dataset(
        data.path,
        use_labels=data.c_dim > 0,
        mirror=data.mirror,
        mirrory=data.mirrory,
        resolution=data.resolution,
        skip_bad=data.on_bad_image == "skip",
    )
    for name, expected in (("channels", data.channels), ("c_dim", data.c_dim), ("num_images", data.num_images)):
        if getattr(dataset, name) != expected:
            raise ValueError(
                f"--data: found {name} {getattr(dataset, name)} in {data.path}, expected {expected}, as "
                "the configuration says"
            )
    changes = data_fingerprint.changes(data.fingerprint, dataset.fingerprint)
    if changes:
        raise ValueError(
            f"--data: found {data.path} with {', '.join(changes)}, expected the images that the configuration says: "
            "they have changed since, or on several machines are not those of the first one"
        )
    return dataset


def _whole_batches(
    config: TrainingConfig, model: StyleGAN, dataset: ImageDataset, start_nimg: int, own: np.ndarray | None = None
) -> Iterator[Data]:
    """Batches of all replicas together, or the `own` samples of each."""
    return iter(
        make_pipeline(
            dataset,
            seed=config.seed,
            batch=config.batch,
            start_nimg=start_nimg,
            num_phases=model.num_phases,
            workers=config.dataset.workers,
            own=own,
        )
    )


def _batches(config: TrainingConfig, model: StyleGAN, dataset: ImageDataset, start_nimg: int) -> Iterator[Data]:
    """Batches as `train_step` takes them, one of them on its way to the devices while another is trained on."""
    strategy = model.distribute_strategy
    own = own_samples(strategy, config.batch, config.batch_gpu)
    waiting: Data | None = None
    for batch in _whole_batches(config, model, dataset, start_nimg, own):
        ready, waiting = waiting, split_for_replicas(batch, strategy, config.batch_gpu)
        if ready is not None:
            yield ready
