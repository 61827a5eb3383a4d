"""What `benchmarks.ops` measures: each op at sizes that matter, what it is compared with, and what it should reach."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from benchmarks import ops_compositions as compositions
from benchmarks.ops_compositions import Composition
from sg_keras import ops


@dataclasses.dataclass(frozen=True)
class Case:
    """One op on one size.

    Attributes:
      op: name of the op.
      label: size and variant.
      ours: the compiled op.
      composed: the same map, composed of other ops, by name.
      arguments: shapes of the op's tensors.
      backward: whether gradients by all arguments are computed too.
      target: how many times as fast as the fastest composition the op is meant to be. None: no such aim.
      kind: what the compositions are made of.
      traffic: bytes that have to be read or written at least, of an op that is bound by memory. None: another op.
      copied: elements of the copy that such an op is compared with.
      share_target: share of that copy's bandwidth that is aimed at.
      mask_bytes: what filtered_lrelu has to keep beside inputs and results, where peak memory is of interest.
    """

    op: str
    label: str
    ours: Composition
    composed: Mapping[str, Composition]
    arguments: tuple[tuple[int, ...], ...]
    backward: bool = False
    target: float | None = None
    kind: str = "TensorFlow ops"
    traffic: int | None = None
    copied: int = 0
    share_target: float | None = None
    mask_bytes: int | None = None

    @property
    def name(self) -> str:
        """Op, size and passes in a line."""
        return f"{self.op} {self.label}, {'forward + backward' if self.backward else 'forward'}"


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


# ---- bound by memory -------------------------------------------------------------------------------------------------


def _bias_act(shrink: int) -> list[Case]:
    shape = (max(8 // shrink, 1), 128 // shrink, 128 // shrink, 64)
    size = math.prod(shape)
    ours = functools.partial(ops.bias_act, act="lrelu", impl="custom")
    forward = Case("bias_act", f"lrelu {_text(shape)}", ours, compositions.BIAS_ACT, (shape, shape[3:]))
    forward = dataclasses.replace(forward, traffic=2 * 4 * size, copied=size)
    both = dataclasses.replace(forward, backward=True, traffic=5 * 4 * size, target=3, share_target=0.8)
    xla = dataclasses.replace(both, kind="XLA", target=None, traffic=None, share_target=None)
    # The size of a training step at 32x32, which stays in the cache.
    shape = (max(16 // shrink, 1), 32 // shrink, 32 // shrink, 64)
    cached = dataclasses.replace(
        xla, kind=both.kind, label=f"lrelu {_text(shape)}", arguments=(shape, shape[3:]), backward=True
    )
    return [forward, both, xla, cached]


def _channel_scale(shrink: int) -> list[Case]:
    shape = (max(8 // shrink, 1), 128 // shrink, 128 // shrink, 64)
    scale = (shape[0], shape[3])
    size = math.prod(shape)

    def ours(x: tf.Tensor, s: tf.Tensor, impl: str = "custom") -> tf.Tensor:
        return ops.channel_scale(x, s, impl=impl)

    composed = {"multiply": functools.partial(ours, impl="reference")}
    forward = Case("channel_scale", _text(shape), ours, composed, (shape, scale), traffic=2 * 4 * size, copied=size)
    return [forward, dataclasses.replace(forward, backward=True, traffic=5 * 4 * size)]


def _scale_bias_act(shrink: int) -> list[Case]:
    shape = (max(8 // shrink, 1), 128 // shrink, 128 // shrink, 64)
    size = math.prod(shape)
    arguments = (shape, (shape[0], shape[3]), (*shape[:3], 1), shape[3:])

    def ours(x: tf.Tensor, scale: tf.Tensor, noise: tf.Tensor, b: tf.Tensor, impl: str = "custom") -> tf.Tensor:
        return ops.scale_bias_act(x, scale, noise, b, act="lrelu", impl=impl)

    composed = {"multiply, add, bias_add, leaky_relu, multiply": functools.partial(ours, impl="reference")}
    case = Case("scale_bias_act", f"lrelu {_text(shape)}", ours, composed, arguments)
    forward = dataclasses.replace(case, traffic=2 * 4 * size, copied=size)
    return [forward, dataclasses.replace(forward, backward=True, traffic=6 * 4 * size)]


def _upfirdn2d(shrink: int) -> list[Case]:
    shape = (max(8 // shrink, 1), 64 // shrink, 64 // shrink, 64)
    size = math.prod(shape)
    cases = []
    for label, function, composed, ratio in (
        ("up 2", ops.upsample2d, compositions.UP, 4.0),
        ("down 2", ops.downsample2d, compositions.DOWN, 0.25),
    ):
        ours = functools.partial(function, f=compositions.FILTER, impl="custom")
        result = int(size * ratio)
        case = Case("upfirdn2d", f"{label} [1,3,3,1] {_text(shape)}", ours, composed, (shape,), target=4)
        forward = dataclasses.replace(case, traffic=4 * (size + result), copied=max(size, result))
        cases += [forward, dataclasses.replace(forward, backward=True, traffic=2 * 4 * (size + result))]
    return cases


# ---- bound by arithmetic ---------------------------------------------------------------------------------------------


def lrelu_geometry(up: int, down: int, size: int, radial: bool) -> tuple[compositions.LreluGeometry, int]:
    """Filters of 6 taps a factor, padded as StyleGAN3's layers are, and the size of the result."""
    rate = size * up
    result = size * up // down - (20 * size // 84 if up > down else 0)  # of margins of 10 pixels
    fu = ops.design_lowpass_filter(6 * up, size / 4, size / 4, rate)
    fd = ops.design_lowpass_filter(6 * down, rate / down / 4, rate / down / 4, rate, radial)
    total = (result - 1) * down + 1 - size * up + len(fu) + len(fd) - 2
    before = (total + up) // 2
    sides = (before, total - before)
    return compositions.LreluGeometry(fu, fd, up, down, (*sides, *sides)), result


def _filtered_lrelu(shrink: int) -> list[Case]:
    size = 84 // shrink
    shape = (max(4 // shrink, 1), size, size, 128 // shrink)
    cases = []
    for up, down, radial in ((4, 2, False), (2, 2, False), (2, 2, True)):
        geometry, result = lrelu_geometry(up, down, size, radial)
        cases += _filtered_lrelu_of(shape, geometry, result, radial)
    return cases


def _filtered_lrelu_of(shape: tuple, g: compositions.LreluGeometry, result: int, radial: bool) -> list[Case]:
    def ours(x: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return ops.filtered_lrelu(x, g.fu, g.fd, b, g.up, g.down, g.padding, impl="custom")

    through_memory = functools.partial(compositions.lrelu_between_upfirdn2d, geometry=g)
    composed = {"upfirdn2d of TensorFlow ops, leaky_relu": functools.partial(through_memory, impl="reference")}
    if not radial:
        products = functools.partial(compositions.lrelu_between_matrix_products, geometry=g)
        composed["products with banded matrices, leaky_relu"] = products
    own = {"our upfirdn2d and bias_act": functools.partial(through_memory, impl="custom")}
    label = f"up {g.up} down {g.down}{' radial' if radial else ''} {_text(shape)}"
    raised = (result - 1) * g.down + len(g.fd)
    case = Case("filtered_lrelu", label, ours, composed, (shape, shape[3:]), backward=True)
    case = dataclasses.replace(case, target=4 if radial else 8, mask_bytes=shape[0] * raised**2 * shape[3] // 4)
    beside_own = dataclasses.replace(
        case, composed=own, kind="our own ops", target=None if radial else 3, mask_bytes=None
    )
    return [case, beside_own]


def _warp_affine(shrink: int) -> list[Case]:
    shape = (16 // shrink, 140 // shrink, 140 // shrink, 3)
    angles = np.linspace(-0.5, 0.5, shape[0])
    theta = np.stack([[[np.cos(a), -np.sin(a), 0.1], [np.sin(a), np.cos(a), -0.05]] for a in angles])

    def ours(x: tf.Tensor, impl: str = "custom") -> tf.Tensor:
        return ops.warp_affine(x, tf.constant(theta, x.dtype), shape[1:3], impl=impl)

    composed = {"gather": functools.partial(ours, impl="reference")}
    return [Case("warp_affine", _text(shape), ours, composed, (shape,), backward=True, target=3)]


_CASES: dict[str, Callable[[int], list[Case]]] = {
    "bias_act": _bias_act,
    "channel_scale": _channel_scale,
    "scale_bias_act": _scale_bias_act,
    "upfirdn2d": _upfirdn2d,
    "filtered_lrelu": _filtered_lrelu,
    "warp_affine": _warp_affine,
}
OPS = tuple(_CASES)


def cases(op: str, shrink: int = 1) -> list[Case]:
    """The cases of one op, with sizes divided by `shrink`; none where the op does not exist.

    Raises:
        ValueError: unknown op.
    """
    if op not in _CASES:
        raise ValueError(f"op: found {op!r}, expected one of {', '.join(OPS)}")
    return _CASES[op](shrink) if hasattr(ops, op) else []
