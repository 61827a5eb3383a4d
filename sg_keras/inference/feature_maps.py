"""Maps of a synthesis network whose samples have places in the image."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from sg_keras.models import Generator


@dataclasses.dataclass(frozen=True, slots=True)
class PlacedMaps:
    """Maps of an image.

    Attributes:
        values: [1,h,w,C].
        scale: samples a pixel; both have the same middle.
        size: height and width of the image in pixels.
    """

    values: tf.Tensor
    scale: float
    size: tuple[int, int]

    def at(self, points: tf.Tensor) -> tf.Tensor:
        """Values at points [...,2], x and y in pixels from the middle of the first, by bilinear weights: [...,C]."""
        _, height, width, _ = self.values.shape
        places = []
        for axis, samples, pixels in ((0, width, self.size[1]), (1, height, self.size[0])):
            place = (points[..., axis] + 0.5 - pixels / 2) * self.scale + samples / 2 - 0.5
            places.append(tf.clip_by_value(place, 0.0, samples - 1.0))
        x, y = places
        left, top = (tf.minimum(tf.floor(place), side - 2.0) for place, side in ((x, width), (y, height)))
        right_share, bottom_share = (x - left)[..., tf.newaxis], (y - top)[..., tf.newaxis]
        left, top = tf.cast(left, tf.int32), tf.cast(top, tf.int32)

        def value(row: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
            return tf.gather_nd(self.values[0], tf.stack([row, column], axis=-1))

        above = value(top, left) * (1 - right_share) + value(top, left + 1) * right_share
        below = value(top + 1, left) * (1 - right_share) + value(top + 1, left + 1) * right_share
        return above * (1 - bottom_share) + below * bottom_share

    def kept(self, mask: np.ndarray) -> np.ndarray:
        """float64 [h,w]: 1 where the image has a mask [H,W], 0 elsewhere and in margins round it."""
        shares = []
        for samples, pixels in zip(self.values.shape[1:3], self.size, strict=True):
            shares.append(np.floor((np.arange(samples) + 0.5 - samples / 2) / self.scale + pixels / 2).astype(int))
        rows, columns = shares
        inside = np.outer((rows >= 0) & (rows < self.size[0]), (columns >= 0) & (columns < self.size[1]))
        looked_up = mask[np.ix_(np.clip(rows, 0, self.size[0] - 1), np.clip(columns, 0, self.size[1] - 1))]
        return (looked_up & inside).astype(np.float64)


def placed_maps(G: Generator, ws: tf.Tensor) -> PlacedMaps:
    """Maps of half the image's resolution, after the last layer that has it; the layers beyond are not computed.

    Args:
        G: generator; images of 4x4, which have no such layer, give maps of their own size.
        ws: styles [1,num_ws,w_dim].
    """
    name, scale = _layer_of_half(G)
    for layer, values in G.synthesis.activations(ws):
        if layer == name:
            return PlacedMaps(values, scale, (G.size.height, G.size.width))
    raise ValueError(f"{name}: found no such layer")


def _layer_of_half(G: Generator) -> tuple[str, float]:
    """Its name and its samples a pixel."""
    if not G.takes_transform:
        block = G.synthesis.blocks[max(len(G.synthesis.blocks) - 2, 0)]
        return f"{block.name}.conv1", block.size.height / G.size.height
    side = min(G.image_shape[:2])
    scales = {layer.name: layer.design.out_sampling_rate / side for layer in G.synthesis.plan.layers}
    wanted = max((scale for scale in scales.values() if scale <= 0.5), default=min(scales.values()))
    return next((name, scale) for name, scale in reversed(scales.items()) if scale == wanted)
