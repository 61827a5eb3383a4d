"""Convolution with optional FIR up- or downsampling (StyleGAN2, arXiv:1912.04958, section 4.2 and figure 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras.ops.filters import Sides, add_padding, downsampling_padding, padding_of_sides, upsampling_padding
from sg_keras.ops.upfirdn2d import upfirdn2d


def conv2d_resample(
    x: tf.Tensor,
    w: tf.Tensor,
    f: np.ndarray | None = None,
    up: int = 1,
    down: int = 1,
    padding: int | Sequence[int] = 0,
    groups: int = 1,
    flip_weight: bool = True,
    flip_filter: bool = False,
    impl: str = "auto",
) -> tf.Tensor:
    """Zero-insert by `up`, pad, low-pass, convolve, low-pass, keep each `down`-th pixel.

    The steps are linear and shift-invariant, so they are carried out in the cheapest order: the convolution always
    runs at the lower resolution.

    Args:
        x: [N,H,W,C] images.
        w: [kh,kw,C/groups,O] kernel.
        f: taps as setup_filter returns them, or None for no low-pass filter.
        up, down: integer factors, the same for both axes.
        padding: pixels of the upsampled image, one number or (x0, x1, y0, y1), beyond what the filter itself needs.
        groups: independent groups of channels.
        flip_weight: True correlates (as tf.nn.conv2d does), False convolves.
        flip_filter: False convolves with f, True correlates.
        impl: implementation of upfirdn2d, "auto", "custom" or "reference".

    Returns:
        [N,H',W',O] with H' = ceil((H*up + y0 + y1 - kh + 1) / down) for symmetric padding.

    Raises:
        ValueError: ranks, factors or channel counts that do not fit.

    Example:
        >>> f = sg_keras.ops.setup_filter([1, 3, 3, 1])
        >>> x, w = tf.ones([1, 8, 8, 3]), tf.ones([3, 3, 3, 16])
        >>> sg_keras.ops.conv2d_resample(x, w, f, down=2, padding=1).shape
        TensorShape([1, 4, 4, 16])
    """
    _check(x, w, up, down, groups)
    if groups > 1:
        parts = zip(tf.split(x, groups, axis=3), tf.split(w, groups, axis=3), strict=True)
        outputs = [conv2d_resample(xi, wi, f, up, down, padding, 1, flip_weight, flip_filter, impl) for xi, wi in parts]
        return tf.concat(outputs, axis=3)

    kh, kw = int(w.shape[0]), int(w.shape[1])
    pad = _with_filter_padding(padding, f, up, down)
    fir: dict[str, Any] = {"flip_filter": flip_filter, "impl": impl}
    pointwise = kh == 1 and kw == 1
    if pointwise and down > 1 and up == 1:
        return _conv2d(upfirdn2d(x, f, down=down, padding=pad, **fir), w, 1, (0, 0, 0, 0), flip_weight)
    if pointwise and up > 1 and down == 1:
        x = _conv2d(x, w, 1, (0, 0, 0, 0), flip_weight)
        return upfirdn2d(x, f, up=up, padding=pad, gain=up**2, **fir)
    if down > 1 and up == 1:
        return _conv2d(upfirdn2d(x, f, padding=pad, **fir), w, down, (0, 0, 0, 0), flip_weight)
    if up > 1:
        x = _conv2d_transpose(x, w, up, flip_weight)  # full: kh - 1 more rows before, kh - up more after
        pad = (pad[0] - (kw - 1), pad[1] + up - kw, pad[2] - (kh - 1), pad[3] + up - kh)
        x = upfirdn2d(x, f, padding=pad, gain=up**2, **fir)
        return upfirdn2d(x, f, down=down, **fir) if down > 1 else x
    return _conv2d(x, w, 1, pad, flip_weight, impl)


def _check(x: tf.Tensor, w: tf.Tensor, up: int, down: int, groups: int) -> None:
    for name, tensor, expected in (("x", x, "[N, H, W, C]"), ("w", w, "[kh, kw, C / groups, O]")):
        if tensor.shape.rank != 4:
            raise ValueError(f"{name}: found shape {tensor.shape}, expected {expected}")
    for name, number in (("up", up), ("down", down), ("groups", groups)):
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"{name}: found {number!r}, expected a whole number, at least 1")
    if x.shape[3] != w.shape[2] * groups or w.shape[3] % groups:
        found = f"shape {w.shape} for x of shape {x.shape} and groups={groups}"
        raise ValueError(f"w: found {found}, expected [kh, kw, C / groups, O] with O a multiple of groups")


def _with_filter_padding(padding: int | Sequence[int], f: np.ndarray | None, up: int, down: int) -> Sides:
    filter_size = (1, 1) if f is None else (int(f.shape[0]), int(f.shape[-1]))
    sides = padding_of_sides(padding)
    if up > 1:
        sides = add_padding(sides, upsampling_padding(filter_size, (up, up)))
    if down > 1:
        sides = add_padding(sides, downsampling_padding(filter_size, (down, down)))
    return sides


def _conv2d(x: tf.Tensor, w: tf.Tensor, stride: int, pad: Sides, flip_weight: bool, impl: str = "auto") -> tf.Tensor:
    if not flip_weight and w.shape[0] * w.shape[1] > 1:
        w = tf.reverse(w, axis=[0, 1])
    if min(pad) < 0:
        x, pad = upfirdn2d(x, None, padding=pad, impl=impl), (0, 0, 0, 0)
    if w.shape[0] == w.shape[1] == stride == 1 and not any(pad):
        # The same numbers as a matrix product: up to six times faster in the kernel's gradient on a CPU.
        return tf.tensordot(x, tf.reshape(w, w.shape[2:]), axes=1)
    return tf.nn.conv2d(x, w, strides=stride, padding=_conv2d_padding(w, stride, pad))


def _conv2d_padding(w: tf.Tensor, stride: int, pad: Sides) -> str | list[list[int]]:
    """VALID or SAME where they say the same: with numbers, the gradients do not run in oneDNN, at half the speed."""
    x0, x1, y0, y1 = pad
    if not any(pad):
        return "VALID"
    if stride == 1 and x0 == x1 == (w.shape[1] - 1) / 2 and y0 == y1 == (w.shape[0] - 1) / 2:
        return "SAME"
    return [[0, 0], [y0, y1], [x0, x1], [0, 0]]


def _conv2d_transpose(x: tf.Tensor, w: tf.Tensor, up: int, flip_weight: bool) -> tf.Tensor:
    """Full convolution of the zero-inserted image: [N,(H-1)*up+kh,(W-1)*up+kw,O]."""
    kernel = tf.transpose(w, [0, 1, 3, 2])
    if flip_weight:  # spreading a pixel by the kernel is convolution: a correlation needs the kernel flipped
        kernel = tf.reverse(kernel, axis=[0, 1])
    height, width = ((int(x.shape[a]) - 1) * up + int(w.shape[a - 1]) for a in (1, 2))
    out_shape = [x.shape[0] if x.shape[0] is not None else tf.shape(x)[0], height, width, int(w.shape[3])]
    return tf.nn.conv2d_transpose(x, kernel, out_shape, strides=up, padding="VALID")
