"""Scaling of each image's channels: the modulation of StyleGAN2's convolutions (arXiv:1912.04958, equation 1)."""

from __future__ import annotations

import tensorflow as tf

from sg_keras.ops import library


def channel_scale(x: tf.Tensor, s: tf.Tensor, impl: str = "auto") -> tf.Tensor:
    """Multiplies images by a number per image and channel.

    The compiled op exists for its gradients: that of `s` is summed as it is computed, with no image-sized product.

    Args:
        x: images [N, H, W, C] of a floating type.
        s: scales [N, C] of x's type.
        impl: "auto", "custom" or "reference".

    Returns:
        x * s, [N, H, W, C] of x's type. Differentiable to any order in x and s.

    Raises:
        ValueError: shapes or types that do not fit; see also `library.resolve_impl`.

    Example:
        >>> sg_keras.ops.channel_scale(tf.ones([2, 4, 4, 3]), tf.zeros([2, 3])).shape
        TensorShape([2, 4, 4, 3])
    """
    x, s = tf.convert_to_tensor(x), tf.convert_to_tensor(s)
    check_scale(x, s, "s")
    if library.resolve_impl(impl, x.dtype) == "custom":
        return library.custom_ops().sg_keras_channel_scale(x, s)
    return x * s[:, tf.newaxis, tf.newaxis, :]


def check_scale(x: tf.Tensor, scale: tf.Tensor, name: str) -> None:
    """Refuses images that are not [N, H, W, C] and scales that are not [N, C] of the same type."""
    if x.shape.rank != 4 or not x.dtype.is_floating:
        raise ValueError(f"x: found shape {x.shape} of {x.dtype.name}, expected [N, H, W, C] of a floating type")
    fits = scale.shape.is_compatible_with([x.shape[0], x.shape[3]])
    if scale.dtype != x.dtype or not fits:
        found = f"shape {scale.shape} of {scale.dtype.name} for x of shape {x.shape} of {x.dtype.name}"
        raise ValueError(f"{name}: found {found}, expected [N, C] of x's type")


@tf.RegisterGradient("SgKeras>ChannelScale")
def _scale_gradient(op: tf.Operation, cotangent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    x, s = op.inputs
    ops = library.custom_ops()
    return ops.sg_keras_channel_scale(cotangent, s), ops.sg_keras_channel_dot(cotangent, x)


@tf.RegisterGradient("SgKeras>ChannelDot")
def _dot_gradient(op: tf.Operation, cotangent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    a, b = op.inputs
    ops = library.custom_ops()
    return ops.sg_keras_channel_scale(b, cotangent), ops.sg_keras_channel_scale(a, cotangent)
