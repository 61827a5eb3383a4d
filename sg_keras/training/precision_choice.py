"""What `--precision=auto` means on a CPU, float32 or bfloat16, and what it would bring where nobody asked for it."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence

import tensorflow as tf

from sg_keras.config import TrainingConfig, decide_precision
from sg_keras.config.channels import channels_of
from sg_keras.config.sizes import block_sizes
from sg_keras.files.printable import printable
from sg_keras.training.measured_speed import Shape, Speed, convolution_speed, known_speed

#: How many times as fast as float32 the convolutions must be in bfloat16: less is not worth its rounding.
WORTHWHILE = 1.25
_MEASURED_RESOLUTIONS = 2  # the highest ones, where the time goes
_MAX_FLOPS = 2e9  # of a convolution: fewer images are taken where a micro-batch has more
#: A run whose convolutions of the measured shapes have fewer is over before a measurement pays for its second.
_LONG_RUN_FLOPS = 1e14


def choose_precision(config: TrainingConfig) -> tuple[TrainingConfig, str | None]:
    """Decide an "auto" precision: the same each time on a machine.

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
    shapes = convolution_shapes(config)
    if problem := bfloat16_problem() if shapes else "4x4 is never computed in less":
        return decide_precision(config, "float32"), f"Precision: float32, since {problem}"
    speed = convolution_speed(shapes)
    chosen = "bfloat16" if speed.ratio >= WORTHWHILE else "float32"
    again = "" if speed.kept is None else f"; without {printable(str(speed.kept))} it is measured again"
    return decide_precision(config, chosen), (
        f"Precision: {chosen}, since {_measured(shapes, speed)}, and {WORTHWHILE} is asked for (measured on "
        f"{speed.date}{again})"
    )


def precision_hint(config: TrainingConfig) -> str | None:
    """A line on what "auto" would bring to a run on a CPU that computes in float32; None where too little, or unknown.

    What was measured before is used. Without that it is measured where the run is long enough to be worth a second.
    """
    is_asked = config.precision == "float32" and config.gpus == 0 and config.generator.conv_clamp is not None
    shapes = convolution_shapes(config)
    if not is_asked or not shapes or bfloat16_problem():
        return None
    speed = known_speed(shapes)
    if speed is None and config.run.total_kimg * 1000 * _flops_per_image(shapes) >= _LONG_RUN_FLOPS:
        speed = convolution_speed(shapes)
    if speed is None or speed.ratio < WORTHWHILE:
        return None
    return (
        f"Note: --precision=auto would take bfloat16 at the highest resolutions: {_measured(shapes, speed)} "
        f"(measured on {speed.date})"
    )


def _measured(shapes: Sequence[Shape], speed: Speed) -> str:
    sizes = " and ".join("x".join(map(str, shape)) for shape in shapes)
    return (
        f"convolutions of {sizes} with their gradients take {1e3 * speed.float32_sec:.1f} ms in float32 and "
        f"{1e3 * speed.bfloat16_sec:.1f} ms in bfloat16 here: {speed.ratio:.2f} times as fast"
    )


def _flops_per_image(shapes: Sequence[Shape]) -> float:
    """Of a 3x3 convolution of each shape and its two gradients."""
    return sum(3 * 2 * 9 * height * width * channels**2 for _, height, width, channels in shapes)


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
