"""What a trained discriminator has learned to see: features for sets that are far from photographs."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from sg_keras.features.batches import features_in_batches
from sg_keras.features.extractor import FeatureExtractor
from sg_keras.features.resize import RESIZE_RULE, check_images, opaque_rgb, resized

_BATCH = 32


class SeesImages(Protocol):
    """What is asked of a discriminator, which this room does not import."""

    img_resolution: Any
    img_channels: int
    variables: list[Any]

    def run_blocks(self, img: tf.Tensor) -> tuple[tf.Tensor | None, tf.Tensor | None]:
        """Maps [N,h,w,C] after the last block that halves the image, None where there is none, and an image."""
        ...


class DiscriminatorFeatures(FeatureExtractor):
    """A discriminator's maps after the block that ends at 4x4, averaged over places: [N,C].

    That is before the minibatch standard deviation, which would mix the images of a batch, and before the convolution
    and the two dense layers of the epilogue. Labels have no part in it.

    Args:
        discriminator: of sg_keras.load; in full precision.

    Raises:
        ValueError: it is one of 4x4 images, which has no such block; one line.

    Example:
        >>> D = sg_keras.models.Discriminator(img_resolution=16, channel_base=64)
        >>> sg_keras.features.DiscriminatorFeatures(D).features(np.zeros([2, 32, 32, 3], np.uint8)).shape
        (2, 16)
    """

    name = "discriminator"
    resize = RESIZE_RULE

    def __init__(self, discriminator: SeesImages) -> None:
        side = discriminator.img_resolution
        self._size = (side, side) if isinstance(side, int) else tuple(side)
        self._channels = discriminator.img_channels
        self._fingerprint = _fingerprint(discriminator)

        def averaged(images: tf.Tensor) -> tf.Tensor:
            maps, _ = discriminator.run_blocks(images / 127.5 - 1)
            if maps is None:
                raise ValueError("found a discriminator of 4x4 images, expected one of larger images")
            return tf.reduce_mean(tf.cast(maps, tf.float32), axis=[1, 2])

        spec = tf.TensorSpec([None, *self._size, self._channels], tf.float32)
        self._run = tf.function(averaged, input_signature=[spec])
        self._width = self._run.get_concrete_function().output_shapes[-1]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all weights by name, and of the rule by which images are resized."""
        return self._fingerprint

    def features(self, images: np.ndarray) -> np.ndarray:
        """float32 [N,C]: see FeatureExtractor. Images of another size are resized to the discriminator's.

        Raises:
            ValueError: a discriminator of gray or RGBA images is to look at colours without alpha, or the like.
        """
        check_images(images)
        if images.shape[3] != self._channels and self._channels != 3:
            raise ValueError(
                f"images: found {images.shape[3]} channels, expected {self._channels}, which the discriminator was "
                "trained on"
            )
        return features_in_batches(images, self._prepare, self._run, batch=_BATCH, width=self._width)

    def _prepare(self, images: np.ndarray) -> np.ndarray:
        values = images if images.shape[3] == self._channels else opaque_rgb(images)
        return resized(values, self._size)


def _fingerprint(discriminator: SeesImages) -> str:
    digest = hashlib.sha256(f"{DiscriminatorFeatures.name} 4x4 mean {RESIZE_RULE}".encode())
    for variable in sorted(discriminator.variables, key=lambda variable: variable.path):
        digest.update(f"{variable.path} {tuple(variable.shape)}".encode() + np.asarray(variable, "<f4").tobytes())
    return digest.hexdigest()
