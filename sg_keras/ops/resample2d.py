"""Enlarging and reducing of images that keeps them centred: `upfirdn2d` with the padding for that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt
import tensorflow as tf

from sg_keras.ops.filters import add_padding, as_taps, downsampling_padding, pair, upsampling_padding
from sg_keras.ops.upfirdn2d import upfirdn2d


def upsample2d(
    x: tf.Tensor,
    f: npt.ArrayLike | None,
    up: int | Sequence[int] = 2,
    padding: int | Sequence[int] = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
    impl: str = "auto",
) -> tf.Tensor:
    """Enlarges images and keeps their mean and centre: `upfirdn2d` with the padding and gain for that.

    Args:
        x: images [N, H, W, C] of a floating type.
        f: taps, as in `upfirdn2d`.
        up: factor, a whole number or (x, y). 1 filters the images at their own size.
        padding: as in `upfirdn2d`, in addition to what keeps the images centred.
        flip_filter: False is true convolution, True correlation.
        gain: factor of the result, in addition to up_x * up_y.
        impl: "auto", "custom" or "reference".

    Returns:
        [N, H * up_y, W * up_x, C], plus the caller's padding, of x's type.

    Raises:
        ValueError: as of `upfirdn2d`.

    Example:
        >>> f = sg_keras.ops.setup_filter([1, 3, 3, 1])
        >>> sg_keras.ops.upsample2d(tf.ones([1, 4, 4, 3]), f).shape
        TensorShape([1, 8, 8, 3])
    """
    up_x, up_y = pair(up, "up", minimum=1)
    padding = add_padding(padding, upsampling_padding(_filter_size(f), (up_x, up_y)))
    return upfirdn2d(x, f, up=up, padding=padding, flip_filter=flip_filter, gain=gain * up_x * up_y, impl=impl)


def downsample2d(
    x: tf.Tensor,
    f: npt.ArrayLike | None,
    down: int | Sequence[int] = 2,
    padding: int | Sequence[int] = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
    impl: str = "auto",
) -> tf.Tensor:
    """Reduces images and keeps their centre: `upfirdn2d` with the padding for that.

    Args:
        x: images [N, H, W, C] of a floating type.
        f: taps, as in `upfirdn2d`.
        down: factor, a whole number or (x, y).
        padding: as in `upfirdn2d`, in addition to what keeps the images centred.
        flip_filter: False is true convolution, True correlation.
        gain: factor of the result.
        impl: "auto", "custom" or "reference".

    Returns:
        [N, H // down_y, W // down_x, C], plus the effect of the caller's padding, of x's type.

    Raises:
        ValueError: as of `upfirdn2d`.

    Example:
        >>> f = sg_keras.ops.setup_filter([1, 3, 3, 1])
        >>> sg_keras.ops.downsample2d(tf.ones([1, 8, 8, 3]), f).shape
        TensorShape([1, 4, 4, 3])
    """
    padding = add_padding(padding, downsampling_padding(_filter_size(f), pair(down, "down", minimum=1)))
    return upfirdn2d(x, f, down=down, padding=padding, flip_filter=flip_filter, gain=gain, impl=impl)


def _filter_size(f: npt.ArrayLike | None) -> tuple[int, int]:
    taps = as_taps(f)
    return taps.shape[0], taps.shape[-1]
