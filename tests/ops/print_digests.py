"""Prints a digest of what the compiled ops and their gradients give in so many threads, as a JSON object by op.

A process of its own for each number of threads: it is set before TensorFlow does anything.
"""

import hashlib
import json
import sys
from collections.abc import Iterable

import tensorflow as tf

from sg_keras.ops import (
    bias_act,
    channel_scale,
    filtered_lrelu,
    scale_bias_act,
    setup_filter,
    upsample2d,
    warp_affine,
)
from tests.ops.test_filtered_lrelu import _low_pass, _radial


def digest(tensors: Iterable[tf.Tensor]) -> str:
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()


def of_stylegan2s_layers() -> Iterable[tf.Tensor]:
    """bias_act, channel_scale, scale_bias_act and upfirdn2d, one after another."""
    x = tf.random.stateless_normal([5, 32, 32, 37], seed=[0, 0])
    b = tf.ones([37])
    s = tf.random.stateless_uniform([5, 37], seed=[0, 1])
    with tf.GradientTape() as tape:
        tape.watch([x, s, b])
        y = scale_bias_act(channel_scale(x, s, impl="custom"), s, None, b, impl="custom")
        y = upsample2d(bias_act(y, b, "lrelu", impl="custom"), setup_filter([1, 3, 3, 1]), impl="custom")
    return [y, *tape.gradient(y, [x, s, b], y * y)]


def of_filtered_lrelu() -> Iterable[tf.Tensor]:
    filters = (_low_pass(12), [1, 70, 165, 3]), (_low_pass(12), [3, 40, 30, 37]), (_radial(12), [2, 40, 110, 5])
    for fd, shape in filters:
        x, b = tf.random.stateless_normal(shape, seed=[0, 0]), tf.ones(shape[-1:])
        with tf.GradientTape() as tape:
            tape.watch([x, b])
            y = filtered_lrelu(x, _low_pass(24), fd, b, 4, 2, (5, 4), impl="custom")
        yield from (y, *tape.gradient(y, [x, b], y * y))


def of_warp_affine() -> Iterable[tf.Tensor]:
    for channels in (1, 3, 70):
        x = tf.random.stateless_normal([3, 400, 50, channels], seed=[0, 0])
        theta = tf.random.stateless_normal([3, 2, 3], seed=[0, 1]) / 2
        with tf.GradientTape() as tape:
            tape.watch([x, theta])
            y = warp_affine(x, theta, (70, 90), impl="custom")
        yield from (y, *tape.gradient(y, [x, theta], y * y))


OPS = {"layers": of_stylegan2s_layers, "filtered_lrelu": of_filtered_lrelu, "warp_affine": of_warp_affine}


def main(num_threads: int) -> None:
    """Print the digests."""
    tf.config.threading.set_intra_op_parallelism_threads(num_threads)
    print(json.dumps({name: digest(results()) for name, results in OPS.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
