"""What the layers of the augmentation pipeline have in common."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

import keras
import tensorflow as tf

from sg_keras.augment.sampling import RandomSource, sample_parameters
from sg_keras.config.augment_transforms import AugmentTransforms

_Layer = TypeVar("_Layer", bound="TransformLayer")


class TransformLayer(keras.layers.Layer):
    """A group of random transforms of images.

    Args:
        transforms: which, how often and how strongly; those that are not of the layer's group play no part.
        impl: of the ops: "auto", "custom" or "reference".

    Call: images [N,H,W,C] of a floating type with values in -1..1, p= (probability, a scalar tensor or number), random=
    (random numbers, `RandomSource`) -> [N,H,W,C] of the same type. What is done to a sample depends neither on its
    pixels nor, but for the reach of reflected borders, on the other samples. Differentiable in the images to any
    order; constant in p. At p = 0 the images come back as they are, to the last bit.
    """

    def __init__(self, transforms: AugmentTransforms, impl: str = "auto", **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.transforms = transforms
        self.impl = impl
        self.built = True  # there is nothing to build

    def call(self, images: tf.Tensor, *, p: tf.Tensor | float, random: RandomSource) -> tf.Tensor:
        images = tf.convert_to_tensor(images)
        check_images(images)
        count = images.shape[0] if images.shape[0] is not None else tf.shape(images)[0]
        wide = images if images.dtype in (tf.float32, tf.float64) else tf.cast(images, tf.float32)
        with tf.device("CPU:0"):  # see `geometry`
            parameters = sample_parameters(self.transforms, p, random, count, wide.dtype)
        return tf.cast(self.transform(wide, parameters, random), images.dtype)

    def transform(self, images: tf.Tensor, parameters: dict[str, tf.Tensor], random: RandomSource) -> tf.Tensor:
        """The layer's result, float32 or float64, for parameters that are drawn already (`sample_parameters`)."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "transforms": dataclasses.asdict(self.transforms), "impl": self.impl}

    @classmethod
    def from_config(cls: type[_Layer], config: dict[str, Any]) -> _Layer:
        return cls(**{**config, "transforms": AugmentTransforms(**config["transforms"])})


#: Numbers of channels that have colours: gray, RGB and RGBA.
COLORS = (1, 3, 4)


def split_alpha(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Colours [N,H,W,1 or 3] of gray, RGB and RGBA images, and alpha [N,H,W,1] where there is one."""
    return (images[..., :3], images[..., 3:]) if images.shape[3] == 4 else (images, None)


def check_images(images: tf.Tensor) -> None:
    """Refuse what is not a batch of images of known size, with a ValueError."""
    known = images.shape.rank == 4 and None not in images.shape[1:]
    if not known or not images.dtype.is_floating:
        found = f"shape {images.shape} of {images.dtype.name}"
        raise ValueError(f"images: found {found}, expected [N, H, W, C] of a floating type with known sizes")
