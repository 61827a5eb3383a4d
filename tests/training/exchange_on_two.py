"""Two CPU devices exchange data in each of the ways that the arguments name, and each outcome is printed in a line.

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


def exchange(how: str, strategy: tf.distribute.Strategy) -> str:
    """The outcome of works, agrees, or the name of a function above."""
    if how == "agrees":
        phrase, nothing = broadcast_text(strategy, "a pa\u00df phrase"), broadcast_text(strategy, "")
        return f"{phrase} {nothing == ''}"
    exchanges: dict[str, dict[str, Any]] = {"works": {}}
    exchanges |= {function.__name__: {"add_up": function} for function in (hangs, forgets, fails)}
    try:
        check_devices(strategy, SECONDS, **exchanges[how])
    except OSError as error:
        return str(error).replace("\n", " ")
    return "fine"


def main() -> None:
    """Arguments: as exchange takes them."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    for how in sys.argv[1:]:
        print(f"{how}: {exchange(how, strategy)}")


if __name__ == "__main__":
    main()
