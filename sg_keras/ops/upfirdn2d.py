"""Resampling of images: insert zeros, pad or crop, FIR filter, decimate.

Both implementations compute one linear map with its geometry spelled out (`_Resampling`); its adjoint is a map of
the same kind, with up and down exchanged and the filter flipped, so that gradients of any order are the op itself.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from sg_keras.ops import library
from sg_keras.ops.arguments import as_images, image_size
from sg_keras.ops.band_matrices import band_matrix, by_matrices
from sg_keras.ops.filters import as_taps, padding_of_sides, pair, separate

_MAX_DENSE_TAPS = 16  # the reference filters with one 2-D pass up to this many taps, by axes beyond it


def upfirdn2d(
    x: tf.Tensor,
    f: npt.ArrayLike | None,
    up: int | Sequence[int] = 1,
    down: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
    impl: str = "auto",
) -> tf.Tensor:
    """Upsamples, pads, filters and downsamples a batch of images.

    In this order: up-1 zeros are inserted after each pixel, the result is padded with zeros, convolved with the
    filter where it lies wholly inside, multiplied by `gain`, and every down-th pixel kept.

    Args:
        x: images [N, H, W, C] of a floating type. N may be 0 or unknown.
        f: taps [taps] (applied along both axes), [fh, fw] or None (no filter). Constants, never tensors.
        up: factor, a whole number or (x, y).
        down: factor, a whole number or (x, y).
        padding: pixels of the upsampled image: a whole number, (x, y) or (x0, x1, y0, y1). Negative numbers crop.
        flip_filter: False is true convolution, True correlation.
        gain: factor of the result.
        impl: "auto", "custom", "reference", or "portable": the reference in the form that suits exported graphs.

    Returns:
        [N, (H*up_y + y0 + y1 - fh) // down_y + 1, the same of W, C] of x's type. Differentiable to any order in x.

    Raises:
        ValueError: arguments of a wrong form; padding or filter that leave no pixel; see also `library.resolve_impl`.

    Example:
        >>> x = tf.ones([1, 8, 8, 3])
        >>> sg_keras.ops.upfirdn2d(x, [0.25, 0.5, 0.25], up=2, padding=(2, 1, 2, 1)).shape
        TensorShape([1, 17, 17, 3])
    """
    x = as_images(x)
    taps = as_taps(f, gain)
    up_x, up_y = pair(up, "up", minimum=1)
    down_x, down_y = pair(down, "down", minimum=1)
    x0, x1, y0, y1 = padding_of_sides(padding)
    height, width = image_size(x)
    size_y = (height * up_y + y0 + y1 - taps.shape[0]) // down_y + 1
    size_x = (width * up_x + x0 + x1 - taps.shape[-1]) // down_x + 1
    if any(isinstance(size, int) and size < 1 for size in (size_y, size_x)):
        raise ValueError(
            f"upfirdn2d: found images {height}x{width}, up {(up_x, up_y)}, padding {(x0, x1, y0, y1)} and a filter of"
            f" shape {taps.shape}, which leave no pixel; expected at least 1x1"
        )
    passes = separate(taps, tolerance=4 * _epsilon(x.dtype))
    if not flip_filter:
        passes = tuple(np.flip(p) for p in passes)
    filter_size = (taps.shape[0], taps.shape[-1])
    resampling = _Resampling(tuple(map(_Taps, passes)), (up_y, up_x), (down_y, down_x), (y0, x0), filter_size)
    if library.resolve_impl(impl, x.dtype) == "custom":
        return _custom(x, resampling, (size_y, size_x))
    if impl == library.PORTABLE and resampling.suits_matrices(x):
        return by_matrices(x, *resampling.matrices((height, width), (size_y, size_x)))
    return _reference(x, resampling, (size_y, size_x))


class _Taps:
    """A filter of one pass that can be compared and hashed, as retraced functions and caches need."""

    def __init__(self, values: np.ndarray):
        self.values = np.ascontiguousarray(values, dtype=np.float64)
        self._key = (self.values.shape, self.values.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Taps) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def flipped(self) -> _Taps:
        return _Taps(np.flip(self.values))


@dataclasses.dataclass(frozen=True)
class _Resampling:
    """out[o] = sum over j of taps[j] * upsampled[o * down + j - pad_before], per axis; pairs are (y, x).

    `passes` holds (rows, columns) of a separable filter, or one matrix. The size of the result is given beside it,
    because it may be a tensor.
    """

    passes: tuple[_Taps, ...]
    up: tuple[int, int]
    down: tuple[int, int]
    pad_before: tuple[int, int]
    filter_size: tuple[int, int]

    def suits_matrices(self, x: tf.Tensor) -> bool:
        """Whether products with matrices are faster than the reference: with long separable filters."""
        is_long = len(self.passes) == 2 and self.filter_size[0] * self.filter_size[1] > _MAX_DENSE_TAPS
        return is_long and None not in x.shape[1:] and x.dtype not in (tf.float16, tf.bfloat16)

    def matrices(self, have: tuple[int, int], size: tuple[int, int]) -> tuple[np.ndarray, ...]:
        """The maps of rows and of columns, [size,have] each, for images of a known size."""
        return tuple(
            band_matrix(self.passes[axis].values, have[axis], size[axis], self.up[axis], self.down[axis], before)
            for axis, before in enumerate(self.pad_before)
        )

    def adjoint(self) -> _Resampling:
        """The transposed map."""
        (height, width), (before_y, before_x) = self.filter_size, self.pad_before
        pad_before = (height - before_y - 1, width - before_x - 1)
        return _Resampling(tuple(p.flipped() for p in self.passes), self.down, self.up, pad_before, self.filter_size)


# ---------------------------------------------------------------------------------------------------- reference


def _reference(x: tf.Tensor, resampling: _Resampling, size: tuple) -> tf.Tensor:
    if x.dtype in (tf.float16, tf.bfloat16):  # accumulate in single precision, as the compiled op does
        return tf.cast(_reference(tf.cast(x, tf.float32), resampling, size), x.dtype)

    @tf.custom_gradient
    def apply(images: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(cotangent: tf.Tensor) -> tf.Tensor:
            return _reference(cotangent, resampling.adjoint(), image_size(images))

        y = _zero_insert_and_filter(images, resampling, size)
        # TensorFlow's depthwise convolution of an empty batch returns the input's size: hence the reshape.
        return tf.reshape(y, [-1, *size, images.shape[3] or tf.shape(images)[3]]), gradient

    return apply(x)


def _zero_insert_and_filter(x: tf.Tensor, resampling: _Resampling, size: tuple) -> tf.Tensor:
    """The map in TensorFlow's ops: of those tried, zero insertion and a depthwise convolution was the fastest."""
    x = _pad_or_crop(_insert_zeros(x, resampling.up), resampling, size)
    kernels = _kernels(resampling.passes)
    down = resampling.down
    if len(kernels) == 1 and down[0] == down[1]:  # TensorFlow's depthwise strides are equal or refused
        return _depthwise(x, kernels[0], stride=down[0])
    if len(kernels) == 1:
        return _every(_every(_depthwise(x, kernels[0]), down[0], axis=1), down[1], axis=2)
    x = _every(_depthwise(x, kernels[0]), down[0], axis=1)
    return _every(_depthwise(x, kernels[1]), down[1], axis=2)


def _every(x: tf.Tensor, step: int, axis: int) -> tf.Tensor:
    """Every step-th row or column; for a step of 1 no op, since exported graphs are run as they are."""
    if step == 1:
        return x
    return x[:, ::step] if axis == 1 else x[:, :, ::step]


@functools.lru_cache(maxsize=256)
def _kernels(passes: tuple[_Taps, ...]) -> tuple[np.ndarray, ...]:
    """Matrices to convolve with, one after another."""
    if len(passes) == 1:
        return (passes[0].values,)
    rows, columns = (p.values for p in passes)
    if rows.size * columns.size <= _MAX_DENSE_TAPS:
        return (np.outer(rows, columns),)
    return rows[:, np.newaxis], columns[np.newaxis, :]


def _insert_zeros(x: tf.Tensor, up: tuple[int, int]) -> tf.Tensor:
    """[N, H, W, C] -> [N, H*up_y, W*up_x, C] with up-1 zeros after each pixel.

    Of rank 4 throughout: programs that exported graphs are read by know no more than five axes.
    """
    if up == (1, 1):
        return x
    height, width = image_size(x)
    channels = x.shape[3] if x.shape[3] is not None else tf.shape(x)[3]
    batch = x.shape[0] if x.shape[0] is not None else tf.shape(x)[0]
    x = tf.reshape(x, [batch * height, 1, width, channels])
    # Zeros behind a pixel's channels are pixels of their own, zeros below a row are rows.
    x = tf.pad(x, [[0, 0], [0, up[0] - 1], [0, 0], [0, (up[1] - 1) * channels]])
    return tf.reshape(x, [batch, height * up[0], width * up[1], channels])


def _pad_or_crop(x: tf.Tensor, resampling: _Resampling, size: tuple) -> tf.Tensor:
    """Pads (or crops) the upsampled image to just what the results of the given size read."""
    pads, slices = [[0, 0]], [slice(None)]
    for axis in (0, 1):
        have = image_size(x)[axis]
        before = resampling.pad_before[axis]
        need = (size[axis] - 1) * resampling.down[axis] + resampling.filter_size[axis]
        after = need - have - before
        pads.append([max(before, 0), max(after, 0) if isinstance(after, int) else tf.maximum(after, 0)])
        start = max(-before, 0)
        slices.append(slice(start, start + need))
    if any(not isinstance(amount, int) or amount > 0 for axis_pads in pads for amount in axis_pads):
        x = tf.pad(x, [*pads, [0, 0]])
    ends = zip(slices[1:], x.shape[1:3], strict=True)
    whole = all(part.start == 0 and isinstance(part.stop, int) and part.stop == have for part, have in ends)
    return x if whole else x[tuple(slices)]


def _depthwise(x: tf.Tensor, kernel: np.ndarray, stride: int = 1) -> tf.Tensor:
    if kernel.shape == (1, 1):
        x = x[:, ::stride, ::stride] if stride > 1 else x
        return x if kernel[0, 0] == 1 else x * tf.constant(kernel[0, 0], x.dtype)
    channels = x.shape[3] if x.shape[3] is not None else tf.shape(x)[3]
    kernels = tf.tile(tf.constant(kernel[:, :, np.newaxis, np.newaxis], x.dtype), [1, 1, channels, 1])
    return tf.nn.depthwise_conv2d(x, kernels, strides=[1, stride, stride, 1], padding="VALID")


# ---------------------------------------------------------------------------------------------------- custom


def _custom(x: tf.Tensor, resampling: _Resampling, size: tuple) -> tf.Tensor:
    filter_y, filter_x = [_as_text(p.values) for p in resampling.passes] if len(resampling.passes) == 2 else ("", "")
    return library.custom_ops().sg_keras_upfirdn2d(
        x,
        size,
        filter_size=resampling.filter_size,
        filter="" if filter_y else _as_text(resampling.passes[0].values),
        filter_y=filter_y,
        filter_x=filter_x,
        flip=False,
        up=resampling.up,
        down=resampling.down,
        pad_before=resampling.pad_before,
    )


def _as_text(taps: np.ndarray) -> str:
    """Taps as an attribute of the op: decimal text, because TensorFlow rounds float attributes to single precision."""
    return " ".join(repr(float(tap)) for tap in taps.ravel())


@tf.RegisterGradient("SgKeras>Upfirdn2d")
def _custom_gradient(op: tf.Operation, cotangent: tf.Tensor) -> tuple[tf.Tensor, None]:
    filter_size = op.get_attr("filter_size")
    pads = zip(filter_size, op.get_attr("pad_before"), strict=True)
    gradient = library.custom_ops().sg_keras_upfirdn2d(
        cotangent,
        image_size(op.inputs[0]),
        filter_size=filter_size,
        filter=op.get_attr("filter"),
        filter_y=op.get_attr("filter_y"),
        filter_x=op.get_attr("filter_x"),
        flip=not op.get_attr("flip"),
        up=op.get_attr("down"),
        down=op.get_attr("up"),
        pad_before=[k - p - 1 for k, p in pads],
    )
    return gradient, None


# ---------------------------------------------------------------------------------------------------- arguments


def _epsilon(dtype: tf.DType) -> float:
    return float(np.finfo(np.float64).eps if dtype == tf.float64 else np.finfo(np.float32).eps)
