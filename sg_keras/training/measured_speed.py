"""How fast convolutions are in float32 and in bfloat16 here: measured once on a machine, and kept in the cache folder.

CPUs of one name differ, and the same CPU may be offered with or without its matrix units: only a measurement tells. But
two of them differ a little, and what is decided by them should be the same at every start.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import os
import pathlib
import statistics
import time
from collections.abc import Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from sg_keras.files.atomic import write_text_once
from sg_keras.files.cache import cache_folder, prepare_cache
from sg_keras.files.processor import processor_fact, processor_name, usable_cores

Shape: TypeAlias = tuple[int, int, int, int]  # images, height and width in pixels, channels

_FOLDER = "precision"  # in the cache folder
_SECONDS_PER_SHAPE = 0.2  # in each type
_MIN_CALLS = 3
#: Variables of the environment that say with which instructions TensorFlow computes.
_SETTINGS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS", "OMP_NUM_THREADS")


@dataclasses.dataclass(frozen=True, slots=True)
class Speed:
    """What was measured.

    Attributes:
        float32_sec, bfloat16_sec: time of the convolutions with their gradients, in seconds.
        date: of the measurement, such as 2026-11-29.
        kept: the file that holds it, None = it could not be kept.
    """

    float32_sec: float
    bfloat16_sec: float
    date: str
    kept: pathlib.Path | None = None

    @property
    def ratio(self) -> float:
        """How many times as fast they are in bfloat16."""
        return self.float32_sec / self.bfloat16_sec


def known_speed(shapes: Sequence[Shape]) -> Speed | None:
    """What was measured of these shapes on a machine like this one, None = nothing, or nothing that can be read."""
    place = _place(shapes)
    return None if place is None else _read(place)


def convolution_speed(shapes: Sequence[Shape]) -> Speed:
    """What was measured of these shapes on a machine like this one; if nothing was, it is measured now, and kept.

    Of several processes that measure at the same time, all take what the first one kept.
    """
    known = known_speed(shapes)
    if known is not None:
        return known
    full, half = (sum(measure(shape, dtype) for shape in shapes) for dtype in (tf.float32, tf.bfloat16))
    speed = Speed(full, half, datetime.date.today().isoformat())
    place = _place(shapes)
    return speed if place is None else _kept(place, speed, shapes)


def _place(shapes: Sequence[Shape]) -> pathlib.Path | None:
    """The file for measurements of these shapes on such a machine; None where there is no place for any."""
    try:
        text = json.dumps(_circumstances(shapes), sort_keys=True)
        return cache_folder() / _FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
    except (ValueError, OSError):  # no home directory, or a system that hides its processor
        return None


def _circumstances(shapes: Sequence[Shape]) -> dict[str, Any]:
    """All that the speed depends on."""
    return {
        "processor": processor_name(),
        "flags": processor_fact("flags"),
        "cores": usable_cores(),
        "threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "tensorflow": tf.__version__,
        "settings": {name: os.environ[name] for name in _SETTINGS if name in os.environ},
        "shapes": [list(shape) for shape in shapes],
    }


def _read(place: pathlib.Path) -> Speed | None:
    try:
        values = json.loads(place.read_text(encoding="utf-8"))
        seconds = (float(values["float32_sec"]), float(values["bfloat16_sec"]))
        date = datetime.date.fromisoformat(values["date"]).isoformat()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Speed(*seconds, date, place) if min(seconds) > 0 and max(seconds) < float("inf") else None


def _kept(place: pathlib.Path, speed: Speed, shapes: Sequence[Shape]) -> Speed:
    """What is kept: this, or what another process kept meanwhile. Where nothing can be, this."""
    values = {"float32_sec": speed.float32_sec, "bfloat16_sec": speed.bfloat16_sec, "date": speed.date}
    try:
        prepare_cache(place.parent)
        if _read(place) is None:
            place.unlink(missing_ok=True)  # no whole file
        write_text_once(place, json.dumps({**values, **_circumstances(shapes)}, indent=2) + "\n")
    except OSError:
        return speed
    return _read(place) or speed


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
