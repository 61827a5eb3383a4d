"""How much faster the compiled ops are than the reference: forward and backward, small images, in this process."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from sg_keras.ops import bias_act, channel_scale, filtered_lrelu, scale_bias_act, setup_filter, upfirdn2d, warp_affine

_IMAGES = (4, 64, 64, 32)  # [N,H,W,C]
_ROUNDS = 7
_SECONDS_A_ROUND = 0.02


def speed_ups() -> Iterator[tuple[str, float]]:
    """Name of a use of an op, as in `ops_agreement`, and the reference's time over the compiled op's.

    Both run as parts of compiled functions, by turns; the median over the rounds is given. The benchmarks of the ops
    measure larger images and compare with faster compositions: this shows only whether compiling was worth it here.
    """
    x = tf.constant(np.random.RandomState(0).randn(*_IMAGES), tf.float32)
    for name, function in _uses():
        steps = [_forward_and_backward(functools.partial(function, impl=impl)) for impl in ("custom", "reference")]
        for step in steps:
            step(x)  # traced
        repeats = max(1, round(_SECONDS_A_ROUND / _seconds(steps[1], x, 1)))
        rounds = [[_seconds(step, x, repeats) for step in steps] for _ in range(_ROUNDS)]
        yield name, statistics.median(reference / custom for custom, reference in rounds)


def _uses() -> Iterator[tuple[str, Callable[..., tf.Tensor]]]:
    batch, _, _, channels = _IMAGES
    b, s = tf.zeros([channels]), tf.ones([batch, channels])
    fir, low_pass = setup_filter([1, 3, 3, 1]), np.hanning(14)[1:-1] / np.hanning(14).sum()
    radial = np.outer(low_pass, low_pass) * np.hypot(*np.meshgrid(*[np.linspace(0.9, 1.1, 12)] * 2))
    yield "bias_act lrelu", functools.partial(bias_act, b=b, act="lrelu")
    yield "channel_scale", functools.partial(channel_scale, s=s)
    yield "scale_bias_act", functools.partial(scale_bias_act, scale=s, noise=None, b=b)
    yield "upfirdn2d up 2", functools.partial(upfirdn2d, f=fir, up=2, padding=(2, 1, 2, 1), gain=4)
    yield "upfirdn2d down 2", functools.partial(upfirdn2d, f=fir, down=2, padding=1)
    resample = functools.partial(filtered_lrelu, b=b, up=2, down=2, padding=11)
    yield "filtered_lrelu", functools.partial(resample, fu=low_pass, fd=low_pass)
    yield "filtered_lrelu radial", functools.partial(resample, fu=low_pass, fd=radial)
    turn = tf.constant([[[0.9, -0.4, 0.03], [0.35, 0.8, -0.07]]] * batch)
    yield "warp_affine", functools.partial(warp_affine, theta=turn, size=_IMAGES[1:3])


def _forward_and_backward(function: Callable[[tf.Tensor], tf.Tensor]) -> Callable[[tf.Tensor], tf.Tensor]:
    @tf.function(autograph=False)
    def step(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x, output_gradients=y)

    return step


def _seconds(step: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor, repeats: int) -> float:
    begin = time.perf_counter()
    for _ in range(repeats):
        result = step(x)
    result[0, 0, 0, 0].numpy()  # GPUs run behind
    return (time.perf_counter() - begin) / repeats
