"""Losses as pure functions: networks come in as arguments."""

from sg_keras.losses.adversarial import discriminator_fake_loss, discriminator_real_loss, generator_loss
from sg_keras.losses.blur import blur_images
from sg_keras.losses.path_length import path_length_penalty, path_lengths
from sg_keras.losses.r1 import r1_penalty

__all__ = [
    "blur_images",
    "discriminator_fake_loss",
    "discriminator_real_loss",
    "generator_loss",
    "path_length_penalty",
    "path_lengths",
    "r1_penalty",
]
