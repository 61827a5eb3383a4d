"""What `--precision=auto` means on a CPU: float32 or bfloat16, by a measurement of about a second.

CPUs of one name differ, and the same CPU may be offered with or without its matrix units: only a measurement tells.
"""

from __future__ import annotations

import functools
import os
import statistics
import time

import tensorflow as tf

from sg_keras.config import TrainingConfig, decide_precision
from sg_keras.config.channels import channels_of
from sg_keras.config.sizes import block_sizes

Shape = tuple[int, int, int, int]  # images, height and width in pixels, channels

#: How many times as fast as float32 the convolutions must be in bfloat16: less is not worth its rounding.
WORTHWHILE = 1.25
_MEASURED_RESOLUTIONS = 2  # the highest ones, where the time goes
_MAX_FLOPS = 2e9  # of a convolution: fewer images are taken where a micro-batch has more
_SECONDS_PER_SHAPE = 0.2  # in each type
_MIN_CALLS = 3


def choose_precision(config: TrainingConfig) -> tuple[TrainingConfig, str | None]:
    """Decide an "auto" precision.

    Returns:
        The configuration with its precision decided, and a line that says what was chosen and why: None where there
        was nothing to choose.

    Raises:
        ValueError: bfloat16 was asked for, and convolutions in it cannot be computed here.
    """
    if config.precision == "bfloat16" and config.gpus == 0 and (problem := bfloat16_problem()):
        raise ValueError(f"--precision: found 'bfloat16', but {problem}; expected float32 or auto")
    if config.precision != "auto":
        return config, None
    if problem := bfloat16_problem():
        return decide_precision(config, "float32"), f"Precision: float32, since {problem}"
    shapes = convolution_shapes(config)
    full, half = (sum(measure(shape, dtype) for shape in shapes) for dtype in (tf.float32, tf.bfloat16))
    chosen = "bfloat16" if full >= WORTHWHILE * half else "float32"
    sizes = " and ".join("x".join(map(str, shape)) for shape in shapes)
    return decide_precision(config, chosen), (
        f"Precision: {chosen}, since convolutions of {sizes} with their gradients take {1e3 * full:.1f} ms in float32 "
        f"and {1e3 * half:.1f} ms in bfloat16 here: {full / half:.2f} times as fast, and {WORTHWHILE} is asked for"
    )


@functools.cache
def bfloat16_problem() -> str:
    """Why convolutions in bfloat16 cannot be computed on this CPU, or "" where they can.

    TensorFlow goes by the processor and hands them to oneDNN, which goes by ONEDNN_MAX_CPU_ISA as well.
    """
    try:
        with tf.device("/CPU:0"):
            tf.nn.conv2d(tf.ones([1, 8, 8, 4], tf.bfloat16), tf.ones([3, 3, 4, 4], tf.bfloat16), 1, "SAME")
    except (tf.errors.AbortedError, tf.errors.UnimplementedError):
        limit = os.environ.get("ONEDNN_MAX_CPU_ISA")
        return f"oneDNN does not compute convolutions in it here{f' with ONEDNN_MAX_CPU_ISA={limit}' if limit else ''}"
    return ""


def convolution_shapes(config: TrainingConfig) -> list[Shape]:
    """Inputs of D's 3x3 convolutions at the run's highest resolutions, with fewer images where there are very many."""
    sizes = block_sizes(config.dataset.size)
    shapes: list[Shape] = []
    for level in list(sizes)[:0:-1][:_MEASURED_RESOLUTIONS]:
        channels = channels_of(config.discriminator, level)
        height, width = sizes[level].height, sizes[level].width
        most = int(_MAX_FLOPS / (2 * 9 * height * width * channels**2))
        shapes.append((min(config.batch_gpu, max(most, 1)), height, width, channels))
    return shapes


def measure(shape: Shape, dtype: tf.DType) -> float:
    """Seconds that a 3x3 convolution and both its gradients take, median of several runs.

    Args:
        shape: images, height, width, channels.
        dtype: float32 or bfloat16.
    """
    channels = shape[3]
    x = tf.cast(tf.random.stateless_normal(shape, [0, 1]), dtype)
    w = tf.cast(tf.random.stateless_normal([3, 3, channels, channels], [0, 2]), dtype)

    @tf.function(autograph=False, jit_compile=False)
    def forward_and_gradients(x: tf.Tensor, w: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            y = tf.nn.conv2d(x, w, strides=1, padding="SAME")
        return tape.gradient(y, [x, w], output_gradients=y)

    forward_and_gradients(x, w)[0].numpy()  # prepares
    seconds: list[float] = []
    while len(seconds) < _MIN_CALLS or sum(seconds) < _SECONDS_PER_SHAPE:
        start = time.perf_counter()
        forward_and_gradients(x, w)[0].numpy()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
