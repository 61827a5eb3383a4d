"""The same maps as our ops, composed of TensorFlow's own: what an op of ours has to beat.

Several for most ops, since which is fastest depends on the machine: `benchmarks.ops` checks that each gives the op's
numbers and compares with the fastest. Those for `upfirdn2d` serve the one filter of StyleGAN2, [1,3,3,1], factor 2 and
the usual padding: a few of them exist for that filter alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from sg_keras.ops import bias_act, downsample2d, setup_filter, upfirdn2d, upsample2d

Composition = Callable[..., tf.Tensor]

FILTER = setup_filter([1, 3, 3, 1])
_TAPS = np.array([1, 3, 3, 1]) / 8


def _depthwise_kernel(taps_y: np.ndarray, taps_x: np.ndarray, channels: int) -> tf.Tensor:
    kernel = np.outer(taps_y, taps_x)[:, :, np.newaxis, np.newaxis]
    return tf.constant(np.tile(kernel, [1, 1, channels, 1]), tf.float32)


def _dense_kernel(taps: np.ndarray, channels: int) -> tf.Tensor:
    return tf.constant(np.outer(taps, taps)[:, :, np.newaxis, np.newaxis] * np.eye(channels), tf.float32)


# ---- bias_act: x, b --------------------------------------------------------------------------------------------------


def _lrelu_reference(x: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    return bias_act(x, b, "lrelu", impl="reference")


def _lrelu_as_maximum(x: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    u = x + b
    return tf.maximum(u * np.float32(np.sqrt(2)), u * np.float32(0.2 * np.sqrt(2)))


BIAS_ACT: dict[str, Composition] = {
    "bias_add, leaky_relu, multiply": _lrelu_reference,
    "add, maximum of two products": _lrelu_as_maximum,
}


# ---- upfirdn2d, up 2 -------------------------------------------------------------------------------------------------


def _up_zero_insertion(x: tf.Tensor) -> tf.Tensor:
    return upsample2d(x, FILTER, impl="reference")


def _up_depthwise_gradient(x: tf.Tensor) -> tf.Tensor:
    n, height, width, channels = x.shape
    sides = [[0, 0], [1, 1], [1, 1], [0, 0]]
    kernel = _depthwise_kernel(2 * _TAPS, 2 * _TAPS, channels)
    size = [n, 2 * height, 2 * width, channels]
    return tf.nn.depthwise_conv2d_backprop_input(size, kernel, x, [1, 2, 2, 1], padding=sides)


def _up_transposed_convolution(x: tf.Tensor) -> tf.Tensor:
    n, height, width, channels = x.shape
    kernel = _dense_kernel(2 * _TAPS, channels)
    return tf.nn.conv2d_transpose(x, kernel, [n, 2 * height, 2 * width, channels], 2, "SAME")


def _up_bilinear_resizing(x: tf.Tensor) -> tf.Tensor:
    """[1,3,3,1] is bilinear interpolation at factor 2, but for the border, where that repeats pixels."""
    height, width = x.shape[1:3]
    x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    size = [2 * height + 4, 2 * width + 4]
    return tf.raw_ops.ResizeBilinear(images=x, size=size, half_pixel_centers=True)[:, 2:-2, 2:-2]


def _up_phases(x: tf.Tensor) -> tf.Tensor:
    """Even and odd results from slices, axis by axis."""
    for axis in (1, 2):
        pads = [[0, 0]] * 4
        pads[axis] = [1, 1]
        padded = tf.pad(x, pads)
        size = x.shape[axis]
        before, after = (tf.gather(padded, range(k, k + size), axis=axis) for k in (0, 2))
        shape = x.shape.as_list()
        shape[axis] *= 2
        x = tf.reshape(tf.stack([0.25 * before + 0.75 * x, 0.75 * x + 0.25 * after], axis + 1), shape)
    return x


def _up_matrix(size: int) -> tf.Tensor:
    matrix = np.zeros([2 * size, size])
    for o in range(2 * size):
        for s, weight in ((o // 2, 0.75), (o // 2 + (1 if o % 2 else -1), 0.25)):
            if 0 <= s < size:
                matrix[o, s] = weight
    return tf.constant(matrix, tf.float32)


def _up_matrix_products(x: tf.Tensor) -> tf.Tensor:
    n, height, width, channels = x.shape
    x = tf.matmul(_up_matrix(height), tf.reshape(x, [n, height, width * channels]))
    x = tf.matmul(_up_matrix(width), tf.reshape(x, [n, 2 * height, width, channels]))
    return tf.reshape(x, [n, 2 * height, 2 * width, channels])


UP: dict[str, Composition] = {
    "zero insertion, depthwise convolution": _up_zero_insertion,
    "input gradient of a depthwise convolution": _up_depthwise_gradient,
    "transposed dense convolution": _up_transposed_convolution,
    "pad, bilinear resizing, crop": _up_bilinear_resizing,
    "phases from slices": _up_phases,
    "products with banded matrices": _up_matrix_products,
}


# ---- upfirdn2d, down 2 -----------------------------------------------------------------------------------------------


def _down_depthwise(x: tf.Tensor) -> tf.Tensor:
    return downsample2d(x, FILTER, impl="reference")


def _down_depthwise_padding_inside(x: tf.Tensor) -> tf.Tensor:
    kernel = _depthwise_kernel(_TAPS, _TAPS, x.shape[3])
    return tf.nn.depthwise_conv2d(x, kernel, [1, 2, 2, 1], padding=[[0, 0], [1, 1], [1, 1], [0, 0]])


def _down_dense_convolution(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(x, _dense_kernel(_TAPS, x.shape[3]), 2, "SAME")


def _down_average_pooling(x: tf.Tensor) -> tf.Tensor:
    """[1,3,3,1] is [1,1] three times."""
    x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    x = tf.nn.avg_pool2d(tf.nn.avg_pool2d(x, 2, 1, "VALID"), 2, 1, "VALID")
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")


def _down_slices(x: tf.Tensor) -> tf.Tensor:
    """Four strided slices, axis by axis."""
    x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    x = 0.125 * (x[:, :-3:2] + x[:, 3::2]) + 0.375 * (x[:, 1:-2:2] + x[:, 2:-1:2])
    return 0.125 * (x[:, :, :-3:2] + x[:, :, 3::2]) + 0.375 * (x[:, :, 1:-2:2] + x[:, :, 2:-1:2])


def _down_matrix_products(x: tf.Tensor) -> tf.Tensor:
    n, height, width, channels = x.shape
    rows, columns = (tf.transpose(_up_matrix(size // 2)) / 2 for size in (height, width))
    x = tf.matmul(rows, tf.reshape(x, [n, height, width * channels]))
    x = tf.matmul(columns, tf.reshape(x, [n, height // 2, width, channels]))
    return tf.reshape(x, [n, height // 2, width // 2, channels])


DOWN: dict[str, Composition] = {
    "pad, depthwise convolution of stride 2": _down_depthwise,
    "depthwise convolution of stride 2 that pads": _down_depthwise_padding_inside,
    "dense convolution of stride 2": _down_dense_convolution,
    "average pooling three times": _down_average_pooling,
    "strided slices": _down_slices,
    "products with banded matrices": _down_matrix_products,
}


# ---- filtered_lrelu: x, b --------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class LreluGeometry:
    """Filters, factors and padding of one `filtered_lrelu`."""

    fu: np.ndarray
    fd: np.ndarray
    up: int
    down: int
    padding: tuple[int, int, int, int]


def lrelu_between_upfirdn2d(x: tf.Tensor, b: tf.Tensor, geometry: LreluGeometry, impl: str) -> tf.Tensor:
    """Upsampling, leaky ReLU and downsampling one after another, through memory."""
    g = geometry
    x = upfirdn2d(bias_act(x, b, impl=impl), g.fu, up=g.up, padding=g.padding, gain=g.up**2, impl=impl)
    return upfirdn2d(bias_act(x, act="lrelu", impl=impl), g.fd, down=g.down, impl=impl)


def lrelu_between_matrix_products(x: tf.Tensor, b: tf.Tensor, geometry: LreluGeometry) -> tf.Tensor:
    """The same for separable filters, each pass as a product with a banded matrix."""
    g = geometry
    left, right, top, bottom = g.padding
    rows = _resampling_matrix(x.shape[1], g.fu * g.up, g.up, 1, top, bottom)
    columns = _resampling_matrix(x.shape[2], g.fu * g.up, g.up, 1, left, right)
    x = bias_act(_multiply_axes(x + b, rows, columns), act="lrelu", impl="reference")
    rows = _resampling_matrix(x.shape[1], g.fd, 1, g.down, 0, 0)
    columns = _resampling_matrix(x.shape[2], g.fd, 1, g.down, 0, 0)
    return _multiply_axes(x, rows, columns)


def _multiply_axes(x: tf.Tensor, rows: np.ndarray, columns: np.ndarray) -> tf.Tensor:
    n, height, width, channels = x.shape
    x = tf.matmul(tf.constant(rows, tf.float32), tf.reshape(x, [n, height, width * channels]))
    x = tf.matmul(tf.constant(columns, tf.float32), tf.reshape(x, [n, len(rows), width, channels]))
    return tf.reshape(x, [n, len(rows), len(columns), channels])


def _resampling_matrix(size: int, taps: np.ndarray, up: int, down: int, before: int, after: int) -> np.ndarray:
    """Zero insertion, padding, convolution and decimation of an axis, [results, inputs]."""
    big = np.zeros([size * up, size])
    big[up * np.arange(size), np.arange(size)] = 1
    big = np.pad(big, ((max(before, 0), max(after, 0)), (0, 0)))
    big = big[max(-before, 0) : len(big) - max(-after, 0)]  # negative padding crops
    filtered = np.apply_along_axis(np.convolve, 0, big, taps, "valid")
    return filtered[::down]
