"""DiffAugment: differentiable augmentation of every image (Zhao et al. 2020, arXiv:2006.10738, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from sg_keras.augment.sampling import RandomSource
from sg_keras.augment.transform_layer import COLORS, check_images, split_alpha
from sg_keras.config.augment_transforms import DIFFAUG_POLICIES as POLICIES
from sg_keras.ops import warp_affine

_TRANSLATION = 1 / 8  # longest translation, as a share of the size
_CUTOUT = 1 / 2  # side of the erased square, as a share of the size


class DiffAugment(keras.layers.Layer):
    """Random colour, translation and cutout, always in this order and with probability 1.

    * color: brightness + U(-1/2, 1/2), then saturation times U(0, 2), then contrast times U(1/2, 3/2): distances from
      the mean over channels, and from the mean of the image. Of RGBA images it leaves alpha as it is; images of 2
      channels, or of more than 4, have no such colours.
    * translation: by whole pixels, up to 1/8 of the size either way, zeros outside.
    * cutout: a rectangle of half the size is set to 0, centred anywhere in the image.

    Args:
        policy: names among POLICIES, a sequence or separated by commas.
        impl: of the ops: "auto", "custom" or "reference".

    Call: like `AugmentPipeline`: images [N,H,W,C], p=, random= -> [N,H,W,C]. p is not used: there is no such
    probability in DiffAugment. Differentiable in the images to any order.

    Raises:
        ValueError: an unknown name, or none.
    """

    def __init__(self, policy: str | Sequence[str] = POLICIES, impl: str = "auto", **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        names = [name.strip() for name in (policy.split(",") if isinstance(policy, str) else policy)]
        if not names or not set(names) <= set(POLICIES):
            raise ValueError(f"diffaug: found {policy!r}, expected one or more of {', '.join(POLICIES)}")
        self.policy = tuple(name for name in POLICIES if name in names)
        self.impl = impl
        self.built = True  # there is nothing to build

    def call(self, images: tf.Tensor, *, p: tf.Tensor | float | None = None, random: RandomSource) -> tf.Tensor:
        images = tf.convert_to_tensor(images)
        check_images(images)
        count = images.shape[0] if images.shape[0] is not None else tf.shape(images)[0]
        wide = images if images.dtype in (tf.float32, tf.float64) else tf.cast(images, tf.float32)
        u = tf.unstack(tf.cast(random.uniforms(count), wide.dtype)[:, :7], axis=1)  # columns have no names here
        steps = {
            "color": lambda x: _color(x, u[0], u[1], u[2]),
            "translation": lambda x: _translate(x, u[3], u[4], self.impl),
            "cutout": lambda x: _cutout(x, u[5], u[6]),
        }
        for name in self.policy:
            wide = steps[name](wide)
        return tf.cast(wide, images.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "policy": list(self.policy), "impl": self.impl}


def _per_sample(u: tf.Tensor) -> tf.Tensor:
    return u[:, tf.newaxis, tf.newaxis, tf.newaxis]


def _color(images: tf.Tensor, brightness: tf.Tensor, saturation: tf.Tensor, contrast: tf.Tensor) -> tf.Tensor:
    if images.shape[3] not in COLORS:
        return images
    x, alpha = split_alpha(images)
    x = x + _per_sample(brightness - 0.5)
    gray = tf.reduce_mean(x, axis=3, keepdims=True)
    x = gray + (x - gray) * _per_sample(2 * saturation)
    mean = tf.reduce_mean(x, axis=[1, 2, 3], keepdims=True)
    x = mean + (x - mean) * _per_sample(contrast + 0.5)
    return x if alpha is None else tf.concat([x, alpha], axis=3)


def _translate(x: tf.Tensor, right: tf.Tensor, down: tf.Tensor, impl: str) -> tf.Tensor:
    _, height, width, _ = x.shape
    one, zero = tf.ones_like(right), tf.zeros_like(right)
    rows = [one, zero, _shift(width, right), zero, one, _shift(height, down)]
    return warp_affine(x, tf.reshape(tf.stack(rows, axis=1), [-1, 2, 3]), (height, width), impl=impl)


def _shift(size: int, u: tf.Tensor) -> tf.Tensor:
    """[N]: whole pixels from -furthest to furthest, all equally likely, as a share of half the size."""
    furthest = int(size * _TRANSLATION + 0.5)
    return tf.cast(_whole(u, 2 * furthest + 1) - furthest, u.dtype) * (-2 / size)


def _cutout(x: tf.Tensor, centre_x: tf.Tensor, centre_y: tf.Tensor) -> tf.Tensor:
    _, height, width, _ = x.shape
    rows, columns = _erased(height, centre_y), _erased(width, centre_x)
    erased = rows[:, :, tf.newaxis, tf.newaxis] & columns[:, tf.newaxis, :, tf.newaxis]
    return tf.where(erased, tf.zeros([], x.dtype), x)


def _erased(size: int, u: tf.Tensor) -> tf.Tensor:
    """[N,size]: an interval of half the pixels around a random one, cut off at the border."""
    length = int(size * _CUTOUT + 0.5)
    first = _whole(u, size + 1 - length % 2) - length // 2
    distance = tf.range(size) - first[:, tf.newaxis]
    return (distance >= 0) & (distance < length)


def _whole(u: tf.Tensor, count: int) -> tf.Tensor:
    """int32 in 0..count-1, also where u rounds to 1."""
    return tf.minimum(tf.cast(u * count, tf.int32), count - 1)
