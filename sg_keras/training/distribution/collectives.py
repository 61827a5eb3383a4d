"""What devices and workers do together outside of a phase: the test that they can, and a text that all share.

A collective operation that one side never enters hangs in native code, where Python cannot interrupt it. So waiting is
bounded from outside: `time_limit` ends the process.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from sg_keras.files.errors import first_line
from sg_keras.training.step.replica import sum_over_replicas

#: Seconds that the first exchange between devices may take. Starting NCCL on eight GPUs takes some ten.
TEST_SECONDS = 120.0
#: Seconds that workers wait for each other at the start: the others' containers may still be loading.
JOIN_SECONDS = 600.0

Exchange = Callable[[tf.distribute.ReplicaContext, tf.Tensor], tf.Tensor]


@contextlib.contextmanager
def time_limit(seconds: float, message: str) -> Iterator[None]:
    """Within, a process that takes longer prints the message on stderr and ends with status 1, whatever it is doing."""

    def give_up() -> None:
        os.write(2, f"Error: {message}\n".encode())  # Python's own stderr may be locked by the thread that hangs
        os._exit(1)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _summed(context: tf.distribute.ReplicaContext, tensor: tf.Tensor) -> tf.Tensor:
    return sum_over_replicas([tensor])[0]


def run_on_replicas(
    strategy: tf.distribute.Strategy, on_replica: Callable[[tf.Tensor], tf.Tensor]
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """A compiled function that runs `on_replica` everywhere, on a value that each worker gives.

    It returns what this worker's replicas return.
    """

    @tf.function(autograph=False)
    def everywhere(own: tf.Tensor) -> tf.Tensor:
        return strategy.run(on_replica, args=(own,))

    def run(own: np.ndarray) -> list[np.ndarray]:
        return [np.asarray(result) for result in strategy.experimental_local_results(everywhere(tf.constant(own)))]

    return run


def check_devices(strategy: tf.distribute.Strategy, seconds: float = TEST_SECONDS, add_up: Exchange = _summed) -> None:
    """Let all replicas add up numbers once, so that a fault shows here and not as a training run that stands still.

    Args:
        strategy: of the run.
        seconds: how long it may take. A process that takes longer ends with status 1 and a line on stderr.
        add_up: how replicas add up a tensor.

    Raises:
        OSError: the sum is wrong, or cannot be computed; one line.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return

    expected = np.arange(1.0, replicas + 1, dtype=np.float32)

    def on_replica(own: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        return add_up(context, tf.one_hot(context.replica_id_in_sync_group, replicas) * own)

    stuck = (
        f"{replicas} devices cannot exchange data: found no answer after {seconds:g} s, expected one within seconds. "
        f"{_REMEDY}"
    )
    with time_limit(seconds, stuck):
        try:
            results = run_on_replicas(strategy, on_replica)(expected)
        except tf.errors.OpError as error:
            raise OSError(f"{replicas} devices cannot exchange data: {first_line(error)}. {_REMEDY}") from error
    for result in results:
        if not np.array_equal(result, expected):
            found = f"found {result.tolist()}, expected {expected.tolist()}"
            raise OSError(f"devices exchange wrong data: {found}. {_REMEDY}")


_REMEDY = (
    "NCCL_DEBUG=INFO says more; NCCL_P2P_DISABLE=1 or NCCL_SHM_DISABLE=1 may help within a host, NCCL_SOCKET_IFNAME "
    "between workers; fewer --gpus always do"
)


def broadcast_text(strategy: tf.distribute.Strategy, text: str) -> str:
    """The text that replica 0 gives here, on every worker. All must call it at the same point."""
    own = np.frombuffer(text.encode(), np.uint8).astype(np.int32)
    (size,) = _first_replicas(strategy, np.array([len(own)], np.int32))
    padded = np.zeros(size, np.int32)
    padded[: len(own)] = own[:size]
    return _first_replicas(strategy, padded).astype(np.uint8).tobytes().decode()


def _first_replicas(strategy: tf.distribute.Strategy, values: np.ndarray) -> np.ndarray:
    def on_replica(own: tf.Tensor) -> tf.Tensor:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return sum_over_replicas([own * tf.cast(tf.equal(replica, 0), own.dtype)])[0]

    return run_on_replicas(strategy, on_replica)(values)[0]
