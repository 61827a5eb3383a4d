"""How far images look apart, as squared distances of features that gradients go through: for projection and editing.

Maps of a network that sees, each place scaled to length 1 over channels, are compared place by place, as in
arXiv:1801.03924 with all weights 1. Early layers serve better than late ones (arXiv:2203.04946).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import tensorflow as tf

from sg_keras.features.efficientnet_lite0 import EfficientNetLite0
from sg_keras.features.folded_stages import FoldedStages

_EPSILON = 1e-10  # of arXiv:1801.03924
_MOST_SIDE, _LEAST_SIDE = 256, 64  # of what the networks look at; the first as in arXiv:1912.04958, appendix D
_STAGES = 4
_WHITE = 255.0


class PerceptualFeatures(Protocol):
    """Images to numbers whose squared distances say how far the images look apart.

    Attributes:
        name: for people and file names.

    Example:
        >>> def distance(see: sg_keras.features.PerceptualFeatures, a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        ...     difference = see.perceptual_features(a) - see.perceptual_features(b)
        ...     return tf.reduce_sum(tf.square(difference), axis=1)
        >>> distance(sg_keras.features.PixelFeatures(), tf.zeros([2, 8, 8, 1]), tf.fill([2, 8, 8, 1], 255.0)).numpy()
        array([4., 4.], dtype=float32)
    """

    @property
    def name(self) -> str: ...

    def perceptual_features(self, images: tf.Tensor) -> tf.Tensor:
        """Features of images, differentiable.

        Args:
            images: floating [N,H,W,C] in 0..255, unrounded, of any size, gray (C = 1), RGB (3) or RGBA (4).

        Returns:
            [N,D].
        """
        ...


class PixelFeatures:
    """The pixels themselves, -1 to 1: squared distances are mean squared errors, of all channels.

    Example:
        >>> sg_keras.features.PixelFeatures().perceptual_features(tf.zeros([1, 2, 2, 1])).numpy()
        array([[-0.5, -0.5, -0.5, -0.5]], dtype=float32)
    """

    name = "pixel"

    def perceptual_features(self, images: tf.Tensor) -> tf.Tensor:
        """[N,H*W*C]: see PerceptualFeatures."""
        count = math.prod(images.shape[1:])
        return tf.reshape(images / 127.5 - 1, [-1, count]) / math.sqrt(count)


class EfficientNetTaps:
    """Maps of the first four stages of EfficientNet-Lite0, with the weights that come along.

    Images whose shorter side is above 256 are averaged down; below 64 they are enlarged. RGBA is laid over white.

    Args:
        extractor: whose weights are taken; None = one of its own.

    Example:
        >>> see = sg_keras.features.EfficientNetTaps()
        >>> see.perceptual_features(tf.zeros([1, 64, 64, 3])).shape
        TensorShape([1, 26368])
    """

    name = "effnet"

    def __init__(self, extractor: EfficientNetLite0 | None = None) -> None:
        self._stages = FoldedStages((extractor or EfficientNetLite0()).network, _STAGES)

    def perceptual_features(self, images: tf.Tensor) -> tf.Tensor:
        """float32 [N,D]: see PerceptualFeatures."""
        seen = of_seeable_size(opaque_colours(tf.cast(images, tf.float32)))
        return tf.concat([of_unit_length(maps) for maps in self._stages.maps(seen)], axis=1)


class SeesBlocks(Protocol):
    """What is asked of a discriminator, which this room does not import."""

    img_resolution: Any
    img_channels: int

    def after_blocks(self, img: tf.Tensor) -> Iterator[tuple[tf.Tensor, tf.Tensor | None]]:
        """Maps [N,h,w,C] after each block, and what is left of the image."""
        ...


class DiscriminatorTaps:
    """Maps after each block of a discriminator, what it has learned to see: for images that are far from photographs.

    Args:
        discriminator: of sg_keras.load, in full precision; the images have its size and channels.

    Example:
        >>> D = sg_keras.models.Discriminator(img_resolution=16, channel_base=64)
        >>> sg_keras.features.DiscriminatorTaps(D).perceptual_features(tf.zeros([2, 16, 16, 3])).shape
        TensorShape([2, 768])
    """

    name = "discriminator"

    def __init__(self, discriminator: SeesBlocks) -> None:
        self._discriminator = discriminator

    def perceptual_features(self, images: tf.Tensor) -> tf.Tensor:
        """[N,D]: see PerceptualFeatures. ValueError for a discriminator of 4x4 images, which has no blocks."""
        taps = [of_unit_length(maps) for maps, _ in self._discriminator.after_blocks(images / 127.5 - 1)]
        if not taps:
            raise ValueError("found a discriminator of 4x4 images, expected one of larger images")
        return tf.concat(taps, axis=1)


class TakesColours(Protocol):
    """What is asked of a network such as VGG16, of features.vgg16, which sees RGB alone."""

    def perceptual_features(self, images: tf.Tensor) -> tf.Tensor:
        """[N,D] of float32 [N,H,W,3] in 0..255."""
        ...


class ColourFeatures:
    """A network that sees RGB alone, such as VGG16, for images of any channels and size.

    Args:
        network: sees.
        name: of it.

    Example:
        >>> see = sg_keras.features.ColourFeatures(sg_keras.features.PixelFeatures(), "pixels of RGB")
        >>> see.perceptual_features(tf.zeros([1, 64, 64, 1])).shape
        TensorShape([1, 12288])
    """

    def __init__(self, network: TakesColours, name: str) -> None:
        self._network, self.name = network, name

    def perceptual_features(self, images: tf.Tensor) -> tf.Tensor:
        """float32 [N,D]: see PerceptualFeatures."""
        return self._network.perceptual_features(of_seeable_size(opaque_colours(tf.cast(images, tf.float32))))


class SummedFeatures:
    """Features whose squared distance is the sum of other ones'.

    Args:
        parts: features, each with the factor of its squared distance.

    Example:
        >>> pixels = sg_keras.features.PixelFeatures()
        >>> both = sg_keras.features.SummedFeatures([(pixels, 1.0), (pixels, 4.0)])
        >>> both.name, both.perceptual_features(tf.fill([1, 1, 1, 1], 255.0)).numpy()
        ('pixel+pixel', array([[1., 2.]], dtype=float32))
    """

    def __init__(self, parts: Sequence[tuple[PerceptualFeatures, float]]) -> None:
        self._parts = list(parts)
        self.name = "+".join(part.name for part, _ in self._parts)

    def perceptual_features(self, images: tf.Tensor) -> tf.Tensor:
        """[N,D]: see PerceptualFeatures."""
        found = (part.perceptual_features(images) * math.sqrt(factor) for part, factor in self._parts)
        return tf.concat([tf.cast(features, images.dtype) for features in found], axis=1)


def of_unit_length(maps: tf.Tensor) -> tf.Tensor:
    """Maps [N,h,w,C] of length 1 over channels, divided by the root of their places: [N,h*w*C]. Zeros stay zeros."""
    scaled = maps * tf.math.rsqrt(tf.reduce_sum(tf.square(maps), axis=3, keepdims=True) + _EPSILON)
    shape = tf.shape(maps)
    places = tf.cast(shape[1] * shape[2], maps.dtype)
    return tf.reshape(scaled, [shape[0], -1]) * tf.math.rsqrt(places)


def opaque_colours(images: tf.Tensor) -> tf.Tensor:
    """[N,H,W,3] of gray, RGB or RGBA images [N,H,W,C] in 0..255: gray is repeated, RGBA laid over white."""
    if images.shape[3] == 1:
        return tf.repeat(images, 3, axis=3)
    if images.shape[3] == 4:
        alpha = images[..., 3:] / 255
        return images[..., :3] * alpha + _WHITE * (1 - alpha)
    return images


def of_seeable_size(images: tf.Tensor) -> tf.Tensor:
    """Images [N,H,W,C] with a shorter side of 64 to 256: averaged down by a whole number, or enlarged bilinearly."""
    height, width = images.shape[1:3]
    factor = -(-min(height, width) // _MOST_SIDE)
    if factor > 1:
        return tf.nn.avg_pool2d(images, factor, factor, "SAME")
    if min(height, width) < _LEAST_SIDE:
        larger = _LEAST_SIDE / min(height, width)
        return tf.image.resize(images, [round(height * larger), round(width * larger)])
    return images
