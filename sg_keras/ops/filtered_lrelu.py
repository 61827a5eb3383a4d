"""The alias-free nonlinearity of StyleGAN3: leaky ReLU at a raised sampling rate, between two low-pass filters.

The compiled op keeps the raised rate to itself: memory sees inputs, results, and a mask of two bits per pixel and
channel of the raised rate. With the mask given, the op is linear, and its adjoint is of the same form: so is every
derivative.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from sg_keras.ops import library
from sg_keras.ops.arguments import as_bias, as_images, as_number, image_size
from sg_keras.ops.bias_act import bias_act, is_known_zero
from sg_keras.ops.filters import as_taps, padding_of_sides, pair, separate
from sg_keras.ops.upfirdn2d import upfirdn2d


def filtered_lrelu(
    x: tf.Tensor,
    fu: npt.ArrayLike | None = None,
    fd: npt.ArrayLike | None = None,
    b: tf.Tensor | None = None,
    up: int = 1,
    down: int = 1,
    padding: int | Sequence[int] = 0,
    gain: float = math.sqrt(2),
    slope: float = 0.2,
    clamp: float | None = None,
    flip_filter: bool = False,
    impl: str = "auto",
) -> tf.Tensor:
    """Adds a bias, upsamples, applies a scaled and clamped leaky ReLU, and downsamples (Karras et al. 2021, figure 4b).

    In this order: the bias is added; up-1 zeros are inserted after each pixel, the result is padded with zeros and
    convolved with `fu` times up**2; v becomes clamp(gain * (v if v > 0 else slope * v)); the result is convolved with
    `fd` where that lies wholly inside, and every down-th pixel kept.

    Args:
        x: images [N, H, W, C] of a floating type. N may be 0 or unknown.
        fu: upsampling filter, [taps] (for both axes), [fh, fw] or None (no filter). A constant, never a tensor.
        fd: downsampling filter, likewise.
        b: bias [C] of x's type. None: no bias.
        up: factor, a whole number.
        down: factor, a whole number.
        padding: pixels of the upsampled image: a whole number, (x, y) or (x0, x1, y0, y1). Negative numbers crop.
        gain: factor after the leaky ReLU.
        slope: slope of the leaky ReLU for negative numbers.
        clamp: limits what is downsampled to -clamp ... clamp; the gradient is 0 where it acts. None: no limit.
        flip_filter: False is true convolution with both filters, True correlation.
        impl: "auto", "custom" or "reference".

    Returns:
        [N, h, w, C] of x's type, h = (H*up + y0 + y1 - fu_taps + 1 - fd_taps) // down + 1 and w likewise.
        Differentiable to any order in x and b.

    Raises:
        ValueError: arguments of a wrong form; padding or filters that leave no pixel; see also `library.resolve_impl`.

    Example:
        >>> f = sg_keras.ops.design_lowpass_filter(12, cutoff=4, width=8, sampling_rate=32)
        >>> sg_keras.ops.filtered_lrelu(tf.ones([1, 16, 16, 3]), f, f, up=2, down=2, padding=11).shape
        TensorShape([1, 16, 16, 3])
    """
    x = as_images(x)
    b = as_bias(b, x)
    factor_up, factor_down = _as_factor(up, "up"), _as_factor(down, "down")
    x0, x1, y0, y1 = padding_of_sides(padding)
    gain, slope = as_number(gain, "gain"), as_number(slope, "slope")
    clamp = math.inf if clamp is None else as_number(clamp, "clamp")
    if clamp < 0:
        raise ValueError(f"clamp: found {clamp}, expected None or a number not below 0")
    taps_up, taps_down = as_taps(fu, factor_up**2), as_taps(fd)
    _check_sizes(x, taps_up, taps_down, factor_up, (y0, y1, x0, x1))
    if library.resolve_impl(impl, x.dtype) == "reference":
        form = library.PORTABLE if impl == library.PORTABLE else "reference"
        return _reference(x, fu, fd, b, factor_up, factor_down, padding, gain, slope, clamp, flip_filter, form)
    if (
        factor_up == factor_down == 1
        and not any((x0, x1, y0, y1))
        and _is_identity(taps_up)
        and _is_identity(taps_down)
    ):
        return bias_act(x, b, "lrelu", slope, gain, None if math.isinf(clamp) else clamp, impl="custom")
    return _custom(x, b, taps_up, taps_down, factor_up, factor_down, (y0, y1, x0, x1), gain, slope, clamp, flip_filter)


def _reference(
    x: tf.Tensor,
    fu: tf.Tensor | np.ndarray | None,
    fd: tf.Tensor | np.ndarray | None,
    b: tf.Tensor | None,
    up: int,
    down: int,
    padding: Any,
    gain: float,
    slope: float,
    clamp: float | None,
    flip_filter: bool,
    impl: str,
) -> tf.Tensor:
    if x.dtype in (tf.float16, tf.bfloat16):  # one rounding at the end, as in the compiled op
        wide = tf.cast(x, tf.float32), fu, fd, None if b is None else tf.cast(b, tf.float32)
        return tf.cast(_reference(*wide, up, down, padding, gain, slope, clamp, flip_filter, impl), x.dtype)
    x = bias_act(x, b, impl="reference")
    x = upfirdn2d(x, fu, up=up, padding=padding, flip_filter=flip_filter, gain=up**2, impl=impl)
    x = bias_act(x, act="lrelu", alpha=slope, gain=gain, clamp=clamp, impl="reference")
    return upfirdn2d(x, fd, down=down, flip_filter=flip_filter, impl=impl)


# ---------------------------------------------------------------------------------------------------- custom


def _custom(
    x: tf.Tensor,
    b: tf.Tensor | None,
    taps_up: Any,
    taps_down: Any,
    up: int,
    down: int,
    padding: tuple[int, int, int, int],
    gain: float,
    slope: float,
    clamp: float,
    flip_filter: bool,
) -> tf.Tensor:
    """The compiled op. Its filters are correlated with the image; padding is (y0, y1, x0, x1)."""
    epsilon = float(np.finfo(np.float64 if x.dtype == tf.float64 else np.float32).eps)
    y, _ = library.custom_ops().sg_keras_filtered_lrelu(
        x,
        tf.zeros([0], x.dtype) if b is None else b,
        up=up,
        down=down,
        padding=padding,
        gain=repr(gain),
        slope=repr(slope),
        clamp=repr(clamp),
        **_filter_attributes("up", taps_up, flip_filter, epsilon),
        **_filter_attributes("down", taps_down, flip_filter, epsilon),
    )
    return y


def _filter_attributes(name: str, taps: np.ndarray, flip_filter: bool, epsilon: float) -> dict:
    """The attributes <name>_size, <name>_rows, <name>_columns and <name>_matrix of a filter."""
    texts = _filter_texts(taps.tobytes(), taps.shape, flip_filter, epsilon)
    rows, columns, matrix = texts
    size = [taps.shape[0], taps.shape[-1]]
    return {f"{name}_size": size, f"{name}_rows": rows, f"{name}_columns": columns, f"{name}_matrix": matrix}


@functools.lru_cache(maxsize=256)
def _filter_texts(taps: bytes, shape: tuple[int, ...], flip_filter: bool, epsilon: float) -> tuple[str, str, str]:
    """Rows, columns and matrix of a filter as text, because TensorFlow rounds float attributes to single precision."""
    passes = separate(np.frombuffer(taps, np.float64).reshape(shape), tolerance=4 * epsilon)
    texts = [" ".join(repr(float(tap)) for tap in (p if flip_filter else np.flip(p)).ravel()) for p in passes]
    return (texts[0], texts[1], "") if len(texts) == 2 else ("", "", texts[0])


@tf.RegisterGradient("SgKeras>FilteredLrelu")
def _gradient(op: tf.Operation, cotangent: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    x, b = op.inputs
    y0, _, x0, _ = op.get_attr("padding")
    sum_channels = b.shape != [0]
    return _adjoint(op, cotangent, op.outputs[1], x, pad_up=(y0, x0), pad_down=(0, 0), sum_channels=sum_channels)


@tf.RegisterGradient("SgKeras>FilteredLreluMasked")
def _masked_gradient(op: tf.Operation, v_y: tf.Tensor, v_sums: tf.Tensor) -> tuple[tf.Tensor, None, None]:
    x, mask, _ = op.inputs
    if op.get_attr("sum_channels") and not is_known_zero(v_sums):
        v_y = v_y + v_sums
    pad_up, pad_down = op.get_attr("pad_up"), op.get_attr("pad_down")
    gradient, _ = _adjoint(op, v_y, mask, x, pad_up=pad_up, pad_down=pad_down, sum_channels=False)
    return gradient, None, None


def _adjoint(
    op: tf.Operation,
    cotangent: tf.Tensor,
    mask: tf.Tensor,
    x: tf.Tensor,
    pad_up: Any,
    pad_down: Any,
    sum_channels: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The transpose of an op with slopes from the mask: filters change places and are reversed, as do the factors."""
    attributes = {"up": op.get_attr("down"), "down": op.get_attr("up")}
    for ours, theirs in (("up", "down"), ("down", "up")):
        attributes[f"{ours}_size"] = op.get_attr(f"{theirs}_size")
        for form in ("rows", "columns", "matrix"):
            attributes[f"{ours}_{form}"] = _reversed_text(op.get_attr(f"{theirs}_{form}").decode())
    up_size, down_size = attributes["up_size"], attributes["down_size"]
    return library.custom_ops().sg_keras_filtered_lrelu_masked(
        cotangent,
        mask,
        image_size(x),
        pad_up=[taps - 1 - pad for taps, pad in zip(up_size, pad_down, strict=True)],
        pad_down=[taps - 1 - pad for taps, pad in zip(down_size, pad_up, strict=True)],
        gain=op.get_attr("gain"),
        slope=op.get_attr("slope"),
        sum_channels=sum_channels,
        **attributes,
    )


@functools.lru_cache(maxsize=256)
def _reversed_text(taps: str) -> str:
    return " ".join(reversed(taps.split()))


# ---------------------------------------------------------------------------------------------------- arguments


def _as_factor(value: int, name: str) -> int:
    if np.ndim(value) != 0:
        raise ValueError(f"{name}: found {value!r}, expected a whole number, at least 1")
    return pair(value, name, minimum=1)[0]


def _check_sizes(x: tf.Tensor, taps_up: np.ndarray, taps_down: np.ndarray, up: int, padding: tuple[int, ...]) -> None:
    """Raises ValueError where no pixel is left; images of unknown size are checked when they are computed."""
    y0, y1, x0, x1 = padding
    for axis, pads in ((0, (y0, y1)), (1, (x0, x1))):
        size = x.shape[1 + axis]
        raised = None if size is None else size * up + sum(pads) - taps_up.shape[-1 if axis else 0] + 1
        if raised is not None and raised < taps_down.shape[-1 if axis else 0]:
            raise ValueError(
                f"filtered_lrelu: found images {x.shape[1]}x{x.shape[2]}, up {up}, padding {(x0, x1, y0, y1)} and"
                f" filters of shapes {taps_up.shape} and {taps_down.shape}, which leave no pixel; expected at least 1x1"
            )


def _is_identity(taps: np.ndarray) -> bool:
    return taps.size == 1 and taps.item() == 1
