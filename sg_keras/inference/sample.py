"""Images of a generator from seeds, as people compare them: the same seed gives the same latent everywhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sg_keras.config.sizes import ImageSize
from sg_keras.inference.labels import labels_of
from sg_keras.inference.latents import StyleMaker, check_seeds
from sg_keras.inference.style_renderer import StyleRenderer
from sg_keras.models import Generator


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
    size: ImageSize | None = None,
    batch: int = 1,
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
        size: of the images where it is not the network's: see `synthesis_of_size`.
        batch: more than 1 = so many images in each call of the network, which is faster; but rounding then depends
            on which images are made together.

    Yields:
        uint8 [H,W,C].

    Raises:
        ValueError: an argument does not fit the network. Nothing has been yielded then.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> [image.shape for image in sg_keras.inference.generate(G, [0, 1], truncation_psi=0.7)]
        [(16, 16, 3), (16, 16, 3)]
    """
    renderer = StyleRenderer(G, noise_mode=noise_mode, batch=batch, size=size)
    c = labels_of(G, len(seeds), classes, labels)
    check_seeds(seeds)
    how: dict[str, Any] = {"truncation_psi": truncation_psi, "truncation_cutoff": truncation_cutoff}
    return renderer.images(
        StyleMaker(G).of_seeds(seeds, c, **how),
        transforms=None if transform is None else itertools.repeat(transform),
        noise_seeds=seeds,
    )
