"""Changes of colour, as one matrix per sample (arXiv:2006.06676, appendix B.2)."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from sg_keras.augment.geometry import power_of_two
from sg_keras.augment.sampling import RandomSource
from sg_keras.augment.transform_layer import COLORS, TransformLayer, split_alpha

_LUMA = np.full(3, 1 / math.sqrt(3))  # the axis of grays
_ALONG = np.outer(_LUMA, _LUMA)  # projection onto it
_ACROSS = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) * _LUMA[0]  # cross product with it


class Color(TransformLayer):
    """Brightness, contrast, inversion of luma, hue and saturation. Affine in the images.

    Of RGBA images it changes the colours and leaves alpha; images of 2 channels, or of more than 4, stay as they are.
    """

    def transform(self, images: tf.Tensor, parameters: dict[str, tf.Tensor], random: RandomSource) -> tf.Tensor:
        if not self.transforms.colored:
            return images
        if images.shape[3] not in COLORS:
            return images
        colors, alpha = split_alpha(images)
        changed = self._changed(colors, parameters)
        return changed if alpha is None else tf.concat([changed, alpha], axis=3)

    def _changed(self, images: tf.Tensor, parameters: dict[str, tf.Tensor]) -> tf.Tensor:
        """Images [N,H,W,1 or 3] with other colours."""
        with tf.device("CPU:0"):
            changes, offset = color_changes(parameters, images.shape[3])
        _, height, width, channels = images.shape
        pixels = tf.reshape(images, [-1, height * width, channels])
        pixels += tf.matmul(pixels, changes, transpose_b=True) + offset[:, tf.newaxis, tf.newaxis]
        return tf.reshape(pixels, [-1, height, width, channels])


def color_changes(parameters: dict[str, tf.Tensor], channels: int) -> tuple[tf.Tensor, tf.Tensor]:
    """What is added to each sample's colours by brightness, contrast, luma inversion, hue and saturation together.

    With the gray axis v all but brightness have the form a v v^T + b (I - v v^T) + c [v]x, and so has their product:
    luma is multiplied by a = contrast or -contrast; chroma by contrast * saturation and turned by the hue's angle.
    Brightness moves along v before the others, so luma moves by a times the brightness.

    Args:
        parameters: as `sample_parameters` returns them.
        channels: 3, or 1, where luma is all there is (the mean over the matrix's rows, applied to equal channels).

    Returns:
        (M, o): matrices [N,channels,channels] and numbers [N] of x -> x + M x + o. Where nothing happens all are 0, so
        that colours stay as they are to the last bit, whatever precision products are computed in.
    """
    contrast = power_of_two(parameters["contrast"])
    luma = contrast * (1 - 2 * parameters["lumaflip"])
    offset = luma * parameters["brightness"]
    if channels == 1:
        return luma[:, tf.newaxis, tf.newaxis] - 1, offset
    chroma = contrast * power_of_two(parameters["saturation"])
    kept, turned = chroma * tf.cos(parameters["hue"]), chroma * tf.sin(parameters["hue"])
    weights = tf.stack([luma - kept, kept - 1, turned], axis=1)
    parts = tf.constant(np.stack([_ALONG, np.eye(3), _ACROSS]).reshape(3, 9), weights.dtype)
    return tf.reshape(weights @ parts, [-1, 3, 3]), offset
