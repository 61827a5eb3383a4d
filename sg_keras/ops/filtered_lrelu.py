"""The alias-free nonlinearity of StyleGAN3: leaky ReLU at a raised sampling rate, between two low-pass filters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy.typing as npt
import tensorflow as tf

from sg_keras.ops import library
from sg_keras.ops.bias_act import bias_act
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
      fu: upsampling filter, [taps] (applied along both axes), [fh, fw] or None (no filter). A constant, never a tensor.
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
    """
    x = tf.convert_to_tensor(x)
    library.resolve_impl(impl, x.dtype)
    return _reference(x, fu, fd, b, up, down, padding, gain, slope, clamp, flip_filter)


def _reference(x, fu, fd, b, up, down, padding, gain, slope, clamp, flip_filter) -> tf.Tensor:
    if x.dtype in (tf.float16, tf.bfloat16):  # one rounding at the end, as in the compiled op
        wide = tf.cast(x, tf.float32), fu, fd, None if b is None else tf.cast(b, tf.float32)
        return tf.cast(_reference(*wide, up, down, padding, gain, slope, clamp, flip_filter), x.dtype)
    x = bias_act(x, b, impl="reference")
    x = upfirdn2d(x, fu, up=up, padding=padding, flip_filter=flip_filter, gain=up**2, impl="reference")
    x = bias_act(x, act="lrelu", alpha=slope, gain=gain, clamp=clamp, impl="reference")
    return upfirdn2d(x, fd, down=down, flip_filter=flip_filter, impl="reference")
