"""A whole training run, from its configuration to its last checkpoint."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from collections.abc import Sequence

import keras
import tensorflow as tf

from sg_keras.checkpoint import CheckpointStore, StartingPoint, find_start
from sg_keras.checkpoint.fork import restore_from_parent
from sg_keras.checkpoint.manager import FOLDER, restore_variables
from sg_keras.config import Cluster, ResumeRequest, TrainingConfig
from sg_keras.models import float32_variables
from sg_keras.ops.library import resolve_impl
from sg_keras.training.callbacks.meter import TimedBatches
from sg_keras.training.callbacks.nonfinite_replay import NonFiniteError
from sg_keras.training.callbacks.progress import LiveProgress
from sg_keras.training.callbacks.status import forget_stats_after
from sg_keras.training.distribution.collectives import broadcast_text, check_devices
from sg_keras.training.distribution.devices import make_strategy
from sg_keras.training.distribution.workers import SharedStop, broadcast_start, readable_worker_errors
from sg_keras.training.loop import train
from sg_keras.training.micro_batches import smaller_micro_batches
from sg_keras.training.precision_choice import choose_precision, precision_hint
from sg_keras.training.rollback import roll_back
from sg_keras.training.run_callbacks import chief_callbacks, worker_callbacks
from sg_keras.training.run_data import open_run_dataset
from sg_keras.training.run_directory import (
    check_still_new,
    continue_run_directory,
    create_run_directory,
    exclusive_lock,
    set_run_aside,
)
from sg_keras.training.run_errors import clear_traceback_frames, errors_logged, messages_logged
from sg_keras.training.run_log import RunLog
from sg_keras.training.score_files import unscored
from sg_keras.training.session import Session
from sg_keras.training.signals import StopSignals, hangups_ignored
from sg_keras.training.starting_weights import take_starting_weights, write_report
from sg_keras.training.step.stylegan import StyleGAN, build_stylegan
from sg_keras.training.summary import run_summary
from sg_keras.weights.transfer import TransferReport

_INTERRUPTED = 130  # exit status, as shells have it


def run(
    config: TrainingConfig,
    resume: ResumeRequest | None = None,
    cluster: Cluster | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> int:
    """Train until config.run.total_kimg, or until SIGINT or SIGTERM. A terminal that is closed does not end it.

    Args:
        config: the run.
        resume: an older run to continue to the same bits.
        cluster: workers that share the run, all of which call this; None = this one alone.
        callbacks: the caller's Keras callbacks, called in every iteration after those of the run and before its exact
            checkpoints; `batch` is the number of the iteration, and `logs` has "kimg" once it is done. Their `model` is
            the `StyleGAN` in training. One that only looks at it changes no bit of the run; model.stop_training = True
            stops the run after the iteration, with a checkpoint, as a signal does. After a rollback (--on_nan)
            on_train_begin comes again. On several workers each calls its own.

    Returns:
        Exit status: 0 where the run is complete or was stopped and can be continued; 130 where it was interrupted
        before training began.

    Raises:
        ValueError: something cannot be used or done, one line (a table where options differ from the run's).
        OSError: a file cannot be read or written, one line.

    Example:
        A callback that prints a line after every hundredth iteration (`config` is a `TrainingConfig`):

            class PathLengths(keras.callbacks.Callback):
                def on_train_batch_end(self, batch, logs=None):
                    if Every(100).is_at(batch):
                        print(f"kimg {logs['kimg']:g}: mean path length {self.model.pl_mean.numpy():.3f}")

            run(config, callbacks=[PathLengths()])
    """
    log = RunLog()
    with float32_variables(), hangups_ignored(), clear_traceback_frames(), messages_logged(log):
        try:
            with readable_worker_errors(cluster):
                return _start(config, resume, cluster, tuple(callbacks), log)
        except KeyboardInterrupt:
            log.line("Interrupted before training began: there is nothing to save")
            return _INTERRUPTED


def _start(
    config: TrainingConfig,
    resume: ResumeRequest | None,
    cluster: Cluster | None,
    callbacks: tuple[keras.callbacks.Callback, ...],
    log: RunLog,
) -> int:
    """Find out where the run starts and build everything; the run directory comes last, when nothing can fail."""
    start = find_start(config, resume)
    for note in start.notes:
        log.line(note)
    if start.finished and not unscored(start):
        return 0
    start, strategy = _set_up_devices(start, cluster, log)
    with contextlib.closing(open_run_dataset(start.config)) as dataset:
        with strategy.scope():
            model = build_stylegan(start.config)
        model.follow_structure(model.schedules.at(start.nimg))
        report = _starting_weights(start, model, cluster, log)
        if cluster is None or cluster.is_chief:
            run_dir = start.run_dir or create_run_directory(start.config, start.parent)
            session = Session(start, run_dir, model, dataset, log, cluster, callbacks)
            with exclusive_lock(run_dir), errors_logged(log, run_dir), readable_worker_errors(cluster):
                return _run_as_chief(session, report)
        run_dir = pathlib.Path(broadcast_text(strategy, ""))
        log.line(f"The chief writes {run_dir}")
        return _train_as_worker(Session(start, run_dir, model, dataset, log, cluster, callbacks))


def _set_up_devices(
    start: StartingPoint, cluster: Cluster | None, log: RunLog
) -> tuple[StartingPoint, tf.distribute.Strategy]:
    """The strategy over all devices, and the starting point with what depends on them decided, alike on all workers."""
    if cluster is not None:
        log.line(f"Worker {cluster.index} of {', '.join(cluster.hosts)}: waiting for the others")
    strategy = make_strategy(start.config, cluster)
    check_devices(strategy)
    if start.config.run.deterministic:
        tf.config.experimental.enable_op_determinism()
    start = _resolve_auto(start, log)
    is_new, writes = start.checkpoint is None, cluster is None or cluster.is_chief
    if is_new and writes and (hint := precision_hint(start.config)):
        log.line(hint)
    return (start if cluster is None else broadcast_start(strategy, start)), strategy


def _resolve_auto(start: StartingPoint, log: RunLog) -> StartingPoint:
    """With what only this worker knows decided: op implementations and an "auto" precision."""
    try:
        config = dataclasses.replace(start.config, ops=resolve_impl(start.config.ops))
    except ValueError as error:
        raise ValueError(f"--ops: {error}") from error
    config, choice = choose_precision(config)
    if choice is not None:
        log.line(choice)
    return dataclasses.replace(start, config=config)


def _starting_weights(
    start: StartingPoint, model: StyleGAN, cluster: Cluster | None, log: RunLog
) -> TransferReport | None:
    """Take over the networks that a run without a checkpoint begins with, where it does not begin from nothing."""
    config = start.config
    if config.resume is None or start.checkpoint is not None:
        return None
    return take_starting_weights(config.resume, config.resume_partial, model, log.line, cluster, config.graft)


def _run_as_chief(session: Session, report: TransferReport | None) -> int:
    """Make sure of the run directory, tell the other workers of it, and train."""
    start, run_dir, log = session.start, session.run_dir, session.log
    if start.anew:
        log.line(set_run_aside(run_dir))
    elif start.checkpoint is None:
        check_still_new(run_dir)
    log.open(run_dir)
    if report is not None:
        write_report(run_dir, report)
    if session.cluster is not None:
        broadcast_text(session.strategy, str(run_dir.absolute()))
    return _train_as_chief(session)


def _train_as_chief(session: Session) -> int:
    """Restore, train and say how it ended."""
    config, run_dir, model, log = session.config, session.run_dir, session.model, session.log
    continue_run_directory(run_dir, config)
    keep, every_kimg = config.run.keep_checkpoints, config.run.keep_every_kimg
    store = CheckpointStore(run_dir / FOLDER, model.state_variables(), keep, every_kimg, metrics_dir=run_dir)
    log.line(run_summary(config, model, run_dir))
    _restore(session.start, store, log)
    model.on_out_of_memory = lambda: smaller_micro_batches(session)
    stopped_by = _train_with_rollbacks(session, store)
    if stopped_by is None:
        log.line(f"Done: {session.progress}, in {run_dir}")
    else:
        log.line(f"Stopped by {stopped_by} at {session.progress}; to go on: the same command with --resume={run_dir}")
    return 0


def _train_with_rollbacks(session: Session, store: CheckpointStore) -> str | None:
    """Train, again after each rollback. Returns what ended training, None if it is complete."""
    with (
        StopSignals() as signals,
        LiveProgress(session.log.console, session.total_nimg, session.start.nimg) as progress,
    ):
        stop = signals if session.cluster is None else SharedStop(signals, session.strategy)
        while True:
            forget_stats_after(session.run_dir, session.start.nimg)
            try:
                with contextlib.closing(TimedBatches(session.batches())) as batches:
                    callbacks = [*chief_callbacks(session, batches, store, lambda: bool(signals.received)), progress]
                    return train(session.model, batches, callbacks, session.total_nimg, stop)
            except NonFiniteError as error:
                session = roll_back(error, session, store)


def _restore(start: StartingPoint, store: CheckpointStore, log: RunLog) -> None:
    """Restore the state, and make its checkpoint the run's newest one."""
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


def _train_as_worker(session: Session) -> int:
    """Train on a worker that writes nothing."""
    start, model, log = session.start, session.model, session.log
    if start.checkpoint is not None:
        restore_variables(start.checkpoint, model.state_variables())
        log.line(f"Continuing from {start.checkpoint} at kimg {start.nimg / 1000:g}")
    with contextlib.closing(TimedBatches(session.batches())) as batches, StopSignals() as signals:
        stop = SharedStop(signals, session.strategy)
        train(model, batches, worker_callbacks(session, batches), session.total_nimg, stop)
    log.line(f"Left at {session.progress}")
    return 0
