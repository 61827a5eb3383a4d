"""How far images look apart, without VGG: early stages of EfficientNet-Lite0, differentiable.

As LPIPS (arXiv:1801.03924, equation 1) with all weights 1: maps scaled to length 1 over channels, squared differences
averaged over places and summed. Early stages serve better than late ones (arXiv:2203.04946).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from sg_keras.features.efficientnet_lite0 import INPUT_SIDE, EfficientNetLite0

STAGES = (1, 2, 3, 4, 5)  # of seven: maps of a half to a 16th of the side
_EPSILON = 1e-10  # of arXiv:1801.03924: where no channel answers, maps stay 0
_KEYS = -0.5  # parameter of the bicubic filter


class PerceptualDistance:
    """Distances between images, for gradients with respect to either.

    Args:
        extractor: None = the network that comes along.
        stages: whose maps are compared, 1 to 7.
        side: images whose shorter side is less are enlarged to that many pixels, bicubically, before the network
            sees them; None = never.

    Raises:
        ValueError: there is no such stage.

    Example:
        >>> distance = sg_keras.features.PerceptualDistance()
        >>> distance(tf.zeros([2, 64, 64, 3]), tf.fill([2, 64, 64, 3], 255.0)).shape
        TensorShape([2])
    """

    def __init__(
        self,
        extractor: EfficientNetLite0 | None = None,
        stages: Sequence[int] = STAGES,
        side: int | None = INPUT_SIDE,
    ) -> None:
        if not stages or not set(stages) <= set(range(1, 8)):
            raise ValueError(f"stages: found {list(stages)}, expected some of 1 to 7")
        seen = extractor or EfficientNetLite0()
        self.side = side
        self._network = keras.Model(seen.network.input, [seen.network.output[f"stage{number}"] for number in stages])

    def taps(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Maps of the stages, each [N,h,w,C] of length 1 over channels.

        Args:
            images: float32 [N,H,W,1 or 3] in 0..255; H, W and the channels are known.
        """
        height, width = images.shape[1:3]
        if images.shape[3] == 1:
            images = tf.repeat(images, 3, axis=3)
        if self.side is not None and min(height, width) < self.side:
            factor = self.side / min(height, width)
            images = resized_bicubically(images, (round(height * factor), round(width * factor)))
        return [unit_length(maps) for maps in self._network(images, training=False)]

    def __call__(self, images: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
        """float32 [N] of two batches as for taps, of one size; 0 for equal images."""
        return self.between(self.taps(images), self.taps(others))

    @staticmethod
    def between(taps: Sequence[tf.Tensor], others: Sequence[tf.Tensor]) -> tf.Tensor:
        """float32 [N] of what taps returned: for many images against one target, whose taps are computed once."""
        return tf.add_n([_mean_square(one, other) for one, other in zip(taps, others, strict=True)])


def unit_length(maps: tf.Tensor) -> tf.Tensor:
    """Maps [N,h,w,C] scaled to length 1 over channels; where all channels are 0 they stay 0, with gradients of 0."""
    return maps * tf.math.rsqrt(tf.reduce_sum(tf.square(maps), axis=3, keepdims=True) + _EPSILON)


def unit_distances(maps: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """[N]: squared differences of maps of unit length, summed over channels, averaged over places."""
    return _mean_square(unit_length(maps), unit_length(others))


def _mean_square(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.reduce_sum(tf.square(one - other), axis=3), axis=[1, 2])


def resized_bicubically(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """As Pillow's bicubic filter, but as two products with matrices: differentiable to any order, on any device.

    Args:
        images: [N,H,W,C]; H and W are known.
        size: height and width.
    """
    rows, columns = (
        tf.constant(_resize_matrix(*pair), images.dtype) for pair in zip(images.shape[1:3], size, strict=True)
    )
    return tf.einsum("yh,nhwc,xw->nyxc", rows, images, columns)


@functools.cache
def _resize_matrix(length: int, wanted: int) -> np.ndarray:
    """float64 [wanted,length]: Keys' cubic (1981), widened where pixels get fewer, cut off at the borders."""
    scale = max(length / wanted, 1)
    centres = (np.arange(wanted) + 0.5) * length / wanted
    x = np.abs(np.arange(length) + 0.5 - centres[:, np.newaxis]) / scale
    inner = (_KEYS + 2) * x**3 - (_KEYS + 3) * x**2 + 1
    outer = _KEYS * (x**3 - 5 * x**2 + 8 * x - 4)
    taps = np.where(x < 1, inner, np.where(x < 2, outer, 0))
    return np.asarray(taps / taps.sum(axis=1, keepdims=True))
