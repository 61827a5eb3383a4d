"""How many threads TensorFlow computes with."""

from __future__ import annotations

import logging
import os
import pathlib

import tensorflow as tf

# Ops that may run at the same time. Two let one small convolution, which cannot fill all cores, run beside another.
INTER_OP_THREADS = 2

logger = logging.getLogger(__name__)


def configure_threads(num_threads: int | None = None) -> int:
    """Set TensorFlow's thread pools for training on a CPU. To be called before TensorFlow has computed anything.

    With a GPU the pools stay as TensorFlow makes them. In a process that has computed already, as tests do, they stay
    as they are, with a line in the log.

    Args:
        num_threads: cores that the whole process is bound to; None = all that it may use, without binding it.

    Returns:
        Cores that the process may use.

    Raises:
        ValueError: num_threads is below 1 or above the number of cores that the process may use.
    """
    cores = _usable_cores()
    if num_threads is not None:
        if not 1 <= num_threads <= len(cores):
            raise ValueError(f"threads: found {num_threads}, expected 1 to {len(cores)}, the cores that may be used")
        cores = cores[:num_threads]
        _bind(cores)
    if not tf.config.get_visible_devices("GPU"):
        try:
            tf.config.threading.set_intra_op_parallelism_threads(len(cores))
            tf.config.threading.set_inter_op_parallelism_threads(INTER_OP_THREADS)
        except RuntimeError as error:
            logger.info("threads: TensorFlow computes already, its thread pools stay as they are (%s)", error)
    return len(cores)


def _usable_cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):  # not everywhere
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _bind(cores: list[int]) -> None:
    """Bind all threads of this process, those that libraries have started included."""
    if not hasattr(os, "sched_setaffinity"):
        return
    os.sched_setaffinity(0, cores)  # new threads inherit it
    for task in pathlib.Path("/proc/self/task").glob("*"):
        try:
            os.sched_setaffinity(int(task.name), cores)
        except ProcessLookupError:  # has ended meanwhile
            continue
