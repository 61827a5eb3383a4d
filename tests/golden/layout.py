"""Between the published layouts (NCHW, OIHW, [out, in]) and ours (NHWC, HWIO, [in, out])."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def tensor(array: np.ndarray, dtype: str) -> tf.Tensor:
    """An array as a tensor of the run's dtype."""
    return tf.convert_to_tensor(np.ascontiguousarray(array), dtype=dtype)


def images_in(array: np.ndarray) -> np.ndarray:
    """[N,C,H,W] to [N,H,W,C]; other ranks (dense activations) as they are."""
    return np.moveaxis(array, 1, -1) if array.ndim == 4 else array


def images_out(array: tf.Tensor | np.ndarray) -> np.ndarray:
    """[N,H,W,C] to [N,C,H,W]; other ranks as they are."""
    array = np.asarray(array)
    return np.moveaxis(array, -1, 1) if array.ndim == 4 else array


def kernel_in(array: np.ndarray) -> np.ndarray:
    """[out,in,kh,kw] to [kh,kw,in,out]."""
    return np.transpose(array, (2, 3, 1, 0))


def kernel_out(array: tf.Tensor | np.ndarray) -> np.ndarray:
    """[kh,kw,in,out] to [out,in,kh,kw]."""
    return np.transpose(np.asarray(array), (3, 2, 0, 1))


def axis_last(array: np.ndarray, axis: int) -> np.ndarray:
    """Move one axis to the end, where our ops have their channels."""
    return np.moveaxis(array, axis, -1)


def axis_back(array: tf.Tensor | np.ndarray, axis: int) -> np.ndarray:
    """Inverse of axis_last."""
    return np.moveaxis(np.asarray(array), -1, axis)


def weight_in(name: str, array: np.ndarray) -> np.ndarray:
    """A stored tensor of a network in our layout, by its dotted published name."""
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "weight":
        return kernel_in(array) if array.ndim == 4 else array.T
    return np.moveaxis(array, 0, -1) if leaf == "const" else array  # [C,4,4] to [4,4,C]


def weight_out(name: str, array: tf.Tensor | np.ndarray) -> np.ndarray:
    """Inverse of weight_in, for tensors and their gradients."""
    array = np.asarray(array)
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "weight":
        return kernel_out(array) if array.ndim == 4 else array.T
    return np.moveaxis(array, -1, 0) if leaf == "const" else array
