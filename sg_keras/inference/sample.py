"""Images of a generator from seeds, as people compare them: the same seed gives the same latent everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras.inference.labels import labels_of
from sg_keras.inference.latents import latent
from sg_keras.layers.synthesis_layer import NOISE_MODES
from sg_keras.models import Generator
from sg_keras.ops.pixel_values import to_uint8


def generate(
    G: Generator,
    seeds: Sequence[int],
    classes: Sequence[int] | None = None,
    *,
    labels: np.ndarray | None = None,
    truncation_psi: float = 1.0,
    truncation_cutoff: int | None = None,
    noise_mode: str = "const",
    transform: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Images of seeds, one after another: each depends on its own seed and label alone, to the bit.

    Args:
        G: generator, usually G_ema.
        seeds: of the latents, 0..2**32-1.
        classes: class of each image, None for a network without labels.
        labels: [N,c_dim] in place of classes, for labels that are vectors of numbers.
        truncation_psi: 1 = none, 0 = one mean image for all.
        truncation_cutoff: truncate only the first so many of G.num_ws styles, None = all.
        noise_mode: "const" (the image of noise stored in the network), "random" (from the seed) or "none"; StyleGAN3
            has no noise.
        transform: [3,3] that moves all images, as `inverse_transform` makes it; StyleGAN3 alone.

    Yields:
        uint8 [H,W,C].

    Raises:
        ValueError: an argument does not fit the network. Nothing has been yielded then.
    """
    if noise_mode not in NOISE_MODES:
        raise ValueError(f"noise-mode: found {noise_mode!r}, expected const, random or none")
    c = labels_of(G, len(seeds), classes, labels)[:, np.newaxis]  # one per image
    if transform is not None and not G.takes_transform:
        raise ValueError("transform: found one, expected none, since StyleGAN2 cannot move its images")
    z = [latent(seed, G.z_dim) for seed in seeds]
    options: dict[str, Any] = {
        "truncation_psi": truncation_psi,
        "truncation_cutoff": truncation_cutoff,
        "noise_mode": noise_mode,
    }
    if transform is not None:
        options["transform"] = tf.constant(transform, G.compute_dtype)
    return _draw(G, seeds, z, c, options)


def _draw(
    G: Generator,
    seeds: Sequence[int],
    z: Sequence[np.ndarray],
    c: np.ndarray,
    options: dict[str, Any],
) -> Iterator[np.ndarray]:
    @tf.function(autograph=False, jit_compile=False)
    def render(z: tf.Tensor, c: tf.Tensor, noise_seed: tf.Tensor) -> tf.Tensor:
        return G(z, c, noise_seed=noise_seed, **options)

    for seed, latent_vector, label in zip(seeds, z, c, strict=True):
        image = render(
            tf.constant(latent_vector, G.compute_dtype),
            tf.constant(label, G.compute_dtype),
            tf.constant([0, seed], tf.int64),
        )
        yield to_uint8(image.numpy()[0])
