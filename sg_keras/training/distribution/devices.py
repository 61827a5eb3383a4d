"""Devices of a run, and how a batch is spread over them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from sg_keras.config import Cluster, TrainingConfig
from sg_keras.training.distribution.collectives import JOIN_SECONDS, time_limit
from sg_keras.training.distribution.threads import configure_threads


def make_strategy(config: TrainingConfig, cluster: Cluster | None = None) -> tf.distribute.Strategy:
    """The strategy for --gpus, --cpu_devices and the workers. To be called before TensorFlow has used any device.

    Args:
        config: of the run.
        cluster: workers that share it; this waits until all of them are there.

    Raises:
        ValueError: there are fewer GPUs than asked for, or TensorFlow's devices are already set otherwise.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if config.gpus > len(gpus):
        raise ValueError(
            f"--gpus: found {config.gpus}, expected at most {len(gpus)}, which is how many GPUs "
            "TensorFlow sees on this machine (--gpus=0 trains on the CPU)"
        )
    try:
        if tf.config.get_visible_devices("GPU") != gpus[: config.gpus]:
            tf.config.set_visible_devices(gpus[: config.gpus], "GPU")
        for gpu in gpus[: config.gpus]:
            tf.config.experimental.set_memory_growth(gpu, True)
        if config.cpu_devices > 1:
            _split_cpu(config.cpu_devices)
    except RuntimeError as error:
        raise ValueError(
            f"--gpus, --cpu_devices: found devices that are in use already ({error}), expected a run to "
            "be the first thing that uses TensorFlow in a process"
        ) from error
    # TensorFlow's remapper pass gives up on second-order graphs with an alarming line, and finds nothing in ours.
    tf.config.optimizer.set_experimental_options({"remapping": False})
    configure_threads()  # a strategy over several devices starts TensorFlow
    if cluster is not None:
        return _join(cluster)
    kind = "GPU" if config.gpus else "CPU"
    if config.num_replicas == 1:
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([f"{kind}:{index}" for index in range(config.num_replicas)])


def _join(cluster: Cluster) -> tf.distribute.Strategy:
    hosts = list(cluster.hosts)
    missing = f"found no {len(hosts)} workers after {JOIN_SECONDS:g} s, expected all of {', '.join(hosts)}"
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": hosts}), task_type="worker", task_id=cluster.index, rpc_layer="grpc"
    )
    with time_limit(JOIN_SECONDS, missing):
        return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)


def _split_cpu(count: int) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.get_logical_device_configuration(cpu) or ()) != count:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)


def own_samples(strategy: tf.distribute.Strategy, batch: int, batch_gpu: int) -> np.ndarray:
    """Which samples of an iteration this worker's replicas take, int64, micro-batch after micro-batch.

    Args:
        strategy: with R replicas, of which this worker has those that follow one another.
        batch: samples per iteration, over all replicas.
        batch_gpu: samples per micro-batch.
    """
    replicas, local = strategy.num_replicas_in_sync, _num_local_replicas(strategy)
    micro = np.arange(batch).reshape(-1, replicas, batch_gpu)
    first = _worker_index(strategy) * local
    return micro[:, first : first + local].reshape(-1)


def split_for_replicas(
    batch: dict[str, tf.Tensor], strategy: tf.distribute.Strategy, batch_gpu: int
) -> dict[str, tf.Tensor]:
    """Give each replica its micro-batches of an iteration's batch, one after another, in its device's memory.

    Micro-batch k, the samples from k * batch_gpu on, goes to replica k % R in round k // R.

    Args:
        batch: tensors [B,...] of this worker's samples, in the order of `own_samples`; where there is one worker, all.
        strategy: with R replicas.
        batch_gpu: samples per micro-batch.

    Returns:
        As `strategy.run` takes it: tensors [rounds * batch_gpu,...] for each replica.
    """
    if strategy.num_replicas_in_sync == 1:
        return {name: _on_device(tensor, _devices(strategy)[0]) for name, tensor in batch.items()}
    local = _num_local_replicas(strategy)

    def share(tensor: tf.Tensor, replica: int) -> tf.Tensor:
        micro = tf.reshape(tensor, [-1, local, batch_gpu, *tensor.shape[1:]])
        mine = tf.reshape(micro[:, replica % local], [-1, *tensor.shape[1:]])
        return _on_device(mine, _devices(strategy)[replica % local])

    return {
        name: strategy.experimental_distribute_values_from_function(
            lambda context, tensor=tensor: share(tensor, context.replica_id_in_sync_group)
        )
        for name, tensor in batch.items()
    }


def _devices(strategy: tf.distribute.Strategy) -> list[str]:
    """Names of this worker's devices that train, in the order of their replicas."""
    if strategy.num_replicas_in_sync == 1:
        return [device.name for device in tf.config.list_logical_devices("GPU")][:1] or ["CPU:0"]
    return list(strategy.extended.worker_devices)


def _num_local_replicas(strategy: tf.distribute.Strategy) -> int:
    return len(_devices(strategy))


def _worker_index(strategy: tf.distribute.Strategy) -> int:
    resolver = strategy.cluster_resolver
    return 0 if resolver is None or resolver.task_id is None else resolver.task_id


def _on_device(tensor: tf.Tensor, device: str) -> tf.Tensor:
    # The phases of an iteration read a batch several times: it should cross to the device once, and early.
    with tf.device(device):
        return tf.identity(tensor)
