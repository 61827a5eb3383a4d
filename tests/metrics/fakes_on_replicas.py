"""Prints a digest of fakes made on 1, 2 and 4 devices; in a process of its own, since devices are for good."""

import hashlib

import numpy as np
import tensorflow as tf

from sg_keras.metrics.fakes import fake_blocks, network_digest
from sg_keras.metrics.rendering import FakeSampling, Renderer
from tests.tiny_generator import tiny_generator


def main() -> None:
    """Print the digests, a line for each number of devices."""
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 4)
    for devices in (1, 2, 4):
        strategy = tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(devices)])
        with strategy.scope():
            G = tiny_generator(3, resolution=8, name="G_ema", cfg="stylegan2")
        renderer, labels = Renderer(G, FakeSampling(), strategy), lambda uniform: np.eye(3)[(3 * uniform).astype(int)]
        blocks = fake_blocks(renderer, 300, labels, network_digest(G))
        images = np.concatenate([block.images() for block in blocks])
        print(devices, images.shape, hashlib.sha256(images.tobytes()).hexdigest())


if __name__ == "__main__":
    main()
