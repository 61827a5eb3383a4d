"""Devices of a run, and how a batch is spread over them."""

from __future__ import annotations

import tensorflow as tf

from sg_keras.config import TrainingConfig
from sg_keras.training.threads import configure_threads


def make_strategy(config: TrainingConfig) -> tf.distribute.Strategy:
    """The strategy for --gpus and --cpu_devices. To be called before TensorFlow has used any device.

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
    kind = "GPU" if config.gpus else "CPU"
    if config.num_replicas == 1:
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([f"{kind}:{index}" for index in range(config.num_replicas)])


def _split_cpu(count: int) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.get_logical_device_configuration(cpu) or ()) != count:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)


def split_for_replicas(
    batch: dict[str, tf.Tensor], strategy: tf.distribute.Strategy, batch_gpu: int
) -> dict[str, tf.Tensor]:
    """Give each replica its micro-batches of an iteration's batch, one after another.

    Micro-batch k, the samples from k * batch_gpu on, goes to replica k % R in round k // R.

    Args:
        batch: tensors [B,...], B = rounds * R * batch_gpu.
        strategy: with R replicas.
        batch_gpu: samples a micro-batch.

    Returns:
        As `strategy.run` takes it: tensors [rounds * batch_gpu,...] for each replica.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batch

    def share(tensor: tf.Tensor, replica: int) -> tf.Tensor:
        micro = tf.reshape(tensor, [-1, replicas, batch_gpu, *tensor.shape[1:]])
        return tf.reshape(micro[:, replica], [-1, *tensor.shape[1:]])

    return {
        name: strategy.experimental_distribute_values_from_function(
            lambda context, tensor=tensor: share(tensor, context.replica_id_in_sync_group)
        )
        for name, tensor in batch.items()
    }
