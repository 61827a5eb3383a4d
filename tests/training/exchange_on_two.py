"""Two CPU devices exchange data in the way that the first argument names, and the outcome is printed.

A process of its own: the number of devices is set before TensorFlow does anything, and a hanging exchange ends it.
"""

import sys
import time
from typing import Any

import tensorflow as tf

from sg_keras.training.distribution.collectives import broadcast_text, check_devices

SECONDS = 5.0


def hangs(context: tf.distribute.ReplicaContext, tensor: tf.Tensor) -> tf.Tensor:
    """A replica that never answers."""
    waiting = tf.numpy_function(lambda value: [value, time.sleep(600)][0], [tensor], tf.float32)
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.ensure_shape(waiting, tensor.shape))


def forgets(context: tf.distribute.ReplicaContext, tensor: tf.Tensor) -> tf.Tensor:
    """Each keeps its own."""
    return tensor


def fails(context: tf.distribute.ReplicaContext, tensor: tf.Tensor) -> tf.Tensor:
    """An op that ends with an error."""
    return tf.debugging.check_numerics(tensor / 0.0, "the wire")


def main() -> None:
    """Argument: works, agrees, or the name of a function above."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    how = sys.argv[1]
    if how == "agrees":
        print(broadcast_text(strategy, "a pa\u00df phrase"), broadcast_text(strategy, "") == "")
        return
    exchanges: dict[str, dict[str, Any]] = {"works": {}}
    exchanges |= {function.__name__: {"add_up": function} for function in (hangs, forgets, fails)}
    try:
        check_devices(strategy, SECONDS, **exchanges[how])
    except OSError as error:
        print(error)
    else:
        print("fine")


if __name__ == "__main__":
    main()
