"""Images of styles, frame after frame, in batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from sg_keras.layers.synthesis_layer import NOISE_MODES
from sg_keras.models import Generator
from sg_keras.ops.pixel_values import to_uint8

_MAX_IMAGES, _MAX_PIXELS = 16, 1 << 19  # of a batch


class StyleRenderer:
    """Makes images of styles; compiled once, whatever the weights of the generator become.

    Args:
        G: generator, usually G_ema.
        noise_mode: "const" (the image of noise stored in the network), "random" (from each image's seed) or "none";
            StyleGAN3 has no noise.
        batch: images at a time; None = as many as suit their size.

    Raises:
        ValueError: there is no such noise mode.
    """

    def __init__(self, G: Generator, *, noise_mode: str = "const", batch: int | None = None) -> None:
        if noise_mode not in NOISE_MODES:
            raise ValueError(f"noise-mode: found {noise_mode!r}, expected const, random or none")
        height, width, _ = G.image_shape
        self.G = G
        self._batch = batch or max(1, min(_MAX_IMAGES, _MAX_PIXELS // (height * width)))

        def render(ws: tf.Tensor, seeds: tf.Tensor, transforms: tf.Tensor | None) -> tf.Tensor:
            return G.synthesis(ws, noise_mode=noise_mode, noise_seed=seeds, transform=transforms)

        self._render = tf.function(render, autograph=False, jit_compile=False)

    def images(
        self,
        ws: Iterable[np.ndarray],
        *,
        transforms: Iterable[np.ndarray] | None = None,
        noise_seeds: Iterable[int] | None = None,
    ) -> Iterator[np.ndarray]:
        """Images of styles, made as they are asked for, so that memory does not grow with their number.

        Args:
            ws: [num_ws,w_dim] each.
            transforms: [3,3] each, as `inverse_transform` makes them; StyleGAN3 alone.
            noise_seeds: of each image's random noise; 0 for all where there are none.

        Yields:
            uint8 [H,W,C], one for each of ws.

        Raises:
            ValueError: transforms are given for a network that takes none.
        """
        if transforms is not None and not self.G.takes_transform:
            raise ValueError("transform: found one, expected none, since StyleGAN2 cannot move its images")
        seeds = itertools.repeat(0) if noise_seeds is None else noise_seeds
        moves = itertools.repeat(None) if transforms is None else transforms
        return self._images(zip(ws, seeds, moves, strict=False))

    def _images(self, frames: Iterator[tuple[np.ndarray, int, np.ndarray | None]]) -> Iterator[np.ndarray]:
        dtype = self.G.compute_dtype
        while batch := list(itertools.islice(frames, self._batch)):
            ws, seeds, moves = zip(*batch, strict=True)
            made = self._render(
                tf.constant(np.stack(ws), dtype),
                tf.constant([(0, seed) for seed in seeds], tf.int64),
                None if moves[0] is None else tf.constant(np.stack(moves), dtype),
            )
            yield from to_uint8(made.numpy())
