"""The augmentation pipeline of StyleGAN2-ADA: geometry, colour, filtering, noise and erasing, in this order."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from sg_keras.augment.color import Color
from sg_keras.augment.corruption import Cutout, ImageFilter, Noise
from sg_keras.augment.geometry import Geometry
from sg_keras.augment.sampling import RandomSource
from sg_keras.augment.transform_layer import TransformLayer
from sg_keras.config.augment_transforms import AugmentTransforms


class AugmentPipeline(TransformLayer):
    """All transforms of a pipe (Karras et al. 2020, arXiv:2006.06676), as `TransformLayer` says.

    Groups without a transform leave nothing in the graph, and random numbers are drawn once for all groups.

        augment = AugmentPipeline(AugmentTransforms.of_pipe("bgc"))
        augmented = augment(images, p=p, random=AugmentRandom(seed, first_sample))
    """

    def __init__(self, transforms: AugmentTransforms, impl: str = "auto", **kwargs: Any) -> None:
        super().__init__(transforms, impl, **kwargs)
        groups = (Geometry, Color, ImageFilter, Noise, Cutout)
        self.groups = [group(transforms, impl, name=group.__name__.lower()) for group in groups]

    def transform(self, images: tf.Tensor, parameters: dict[str, tf.Tensor], random: RandomSource) -> tf.Tensor:
        for group in self.groups:
            images = group.transform(images, parameters, random)
        return images
