"""Augmentation of what the discriminator sees: the ADA pipeline, its controller, and DiffAugment."""

import sg_keras.config.tensorflow_backend  # noqa: F401  # before Keras is loaded
from sg_keras.augment.controller import next_p
from sg_keras.augment.diffaugment import POLICIES, DiffAugment
from sg_keras.augment.pipeline import AugmentPipeline
from sg_keras.augment.sampling import AugmentRandom, RandomSource
from sg_keras.config.augment_transforms import PIPES, AugmentTransforms

__all__ = [
    "PIPES",
    "POLICIES",
    "AugmentPipeline",
    "AugmentRandom",
    "AugmentTransforms",
    "DiffAugment",
    "RandomSource",
    "next_p",
]
