"""A run on several workers: what they agree on, when they stop, and what is said when one of them is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from sg_keras.checkpoint import StartingPoint
from sg_keras.checkpoint.state import index_path
from sg_keras.config import Cluster, TrainingConfig
from sg_keras.config.cadence import Every
from sg_keras.training.distribution.collectives import broadcast_text, run_on_replicas
from sg_keras.training.signals import StopSignals
from sg_keras.training.step.replica import sum_over_replicas

#: Iterations from one exchange on whether to stop to the next: each waits for the devices.
EVERY_STOP = Every(16)

_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


class LostWorkerError(OSError):
    """Another worker has ended or cannot be reached. TensorFlow's own clean-up would wait for it."""


@contextlib.contextmanager
def readable_worker_errors(cluster: Cluster | None) -> Iterator[None]:
    """Within, what TensorFlow says of a lost worker is a one-line LostWorkerError."""
    try:
        yield
    except _LOST as error:
        if cluster is None:
            raise
        reason = _reason(error.message)
        raise LostWorkerError(
            f"worker {cluster.index} ({cluster.hosts[cluster.index]}): lost another of the {len(cluster.hosts)} "
            f"workers ({reason}); the same command with --resume=latest on all goes on from the last checkpoint"
        ) from error


def _reason(message: str) -> str:
    """The line of a collective's error that says what happened, in the midst of where in the graph it did."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    told = [line.partition("aborted by:")[2].strip() for line in lines if "aborted by:" in line]
    return (told or [line for line in lines if line != "Graph execution error:"] or ["no reason given"])[0]


def broadcast_start(strategy: tf.distribute.Strategy, start: StartingPoint) -> StartingPoint:
    """The chief's starting point, on every worker.

    Raises:
        OSError: this worker does not see the chief's checkpoint.
    """
    checkpoint = None if start.checkpoint is None else str(start.checkpoint.absolute())
    facts = {"config": start.config.to_json(), "checkpoint": checkpoint, "nimg": start.nimg, "sec": start.elapsed_sec}
    chiefs = json.loads(broadcast_text(strategy, json.dumps(facts)))
    config = TrainingConfig.from_json(chiefs["config"])
    # The same images may lie elsewhere for each worker; their fingerprint is compared when they are opened.
    own_path = dataclasses.replace(config.dataset, path=start.config.dataset.path)
    config = dataclasses.replace(config, dataset=own_path)
    if chiefs["checkpoint"] is None:
        return dataclasses.replace(start, config=config, checkpoint=None, nimg=0, elapsed_sec=0.0)
    prefix = pathlib.Path(chiefs["checkpoint"])
    if not index_path(prefix).is_file():
        raise OSError(
            f"--outdir: found no {prefix} here, where the chief (worker 0) goes on, expected a folder that all share"
        )
    return dataclasses.replace(start, config=config, checkpoint=prefix, nimg=chiefs["nimg"], elapsed_sec=chiefs["sec"])


class SharedStop:
    """Stop signals of all workers: a signal to any of them stops all after the same iteration.

    Args:
        signals: of this worker.
        strategy: over all workers.
    """

    def __init__(self, signals: StopSignals, strategy: tf.distribute.Strategy) -> None:
        self._signals = signals
        self._asked = 0
        self._received: str | None = None
        # An argument has no device to be summed on, its copy has.
        self._sum = run_on_replicas(strategy, lambda own: sum_over_replicas([tf.identity(own)])[0])

    @property
    def received(self) -> str | None:
        """What asked some worker to stop, such as the name of a signal, or None. All workers must ask equally often."""
        if self._received is None and EVERY_STOP.is_at(self._asked) and self._anyone():
            self._received = self._signals.received or "another worker"
        self._asked += 1
        return self._received

    def request(self, source: str) -> None:
        """Ask all workers to stop together."""
        self._signals.request(source)

    def _anyone(self) -> bool:
        return int(self._sum(np.int32(self._signals.received is not None))[0]) > 0
