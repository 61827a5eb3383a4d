"""Images of styles, one after another, each to the bit what it would be alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from sg_keras.config.sizes import ImageSize
from sg_keras.inference.output_size import synthesis_of_size
from sg_keras.layers.synthesis_layer import NOISE_MODES
from sg_keras.models import Generator
from sg_keras.ops.pixel_values import to_uint8

_MAX_IMAGES, _MAX_PIXELS = 16, 1 << 19  # of what one call makes
_SIDE_BY_SIDE = 2  # images that one call works on at a time


class StyleRenderer:
    """Makes images of styles; compiled once, whatever the weights of the generator become.

    Convolutions and matrix products of several images may be summed up in another order than those of one, and
    StyleGAN3 normalises styles over all images of a call. So an image depends on its neighbours by rounding, unless
    the network is called for each image alone, which is what is done here, several images side by side.

    Args:
        G: generator, usually G_ema.
        noise_mode: "const" (the image of noise stored in the network), "random" (from each image's seed) or "none";
            StyleGAN3 has no noise.
        batch: 1 = each image to the bit what it is alone; more = as many images in each call of the network.
        size: of the images where it is not the network's: see `synthesis_of_size`, which copies the weights.
        extend: how StyleGAN2's constant is continued for that.

    Raises:
        ValueError: there is no such noise mode or way to extend.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> [image.shape for image in sg_keras.inference.StyleRenderer(G).images(np.zeros([2, G.num_ws, 8]))]
        [(16, 16, 3), (16, 16, 3)]
    """

    def __init__(
        self,
        G: Generator,
        *,
        noise_mode: str = "const",
        batch: int = 1,
        size: ImageSize | None = None,
        extend: str = "tile",
    ) -> None:
        if noise_mode not in NOISE_MODES:
            raise ValueError(f"noise-mode: found {noise_mode!r}, expected const, random or none")
        self.G, self.size = G, size or G.size
        self._noise_mode = noise_mode
        self._synthesis = synthesis_of_size(G, self.size, extend)
        fitting = max(1, min(_MAX_IMAGES, _MAX_PIXELS // (self.size.height * self.size.width)))
        self._group = fitting if batch == 1 else batch
        self._make = self._alone if batch == 1 else self._together
        self._compiled: dict[bool, Callable[..., tf.Tensor]] = {}  # with and without transforms

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
        while group := list(itertools.islice(frames, self._group)):
            ws, seeds, moves = zip(*group, strict=True)
            inputs = [tf.constant(np.stack(ws), dtype), tf.constant([(0, seed) for seed in seeds], tf.int64)]
            if moves[0] is not None:
                inputs.append(tf.constant(np.stack(moves), dtype))
            yield from to_uint8(self._render(len(inputs) == 3)(*inputs).numpy())

    def _render(self, moved: bool) -> Callable[..., tf.Tensor]:
        """The compiled function of ws [N,num_ws,w_dim], seeds [N,2] and, if moved, transforms [N,3,3]."""
        if moved not in self._compiled:
            G = self.G
            specs = [tf.TensorSpec([None, G.num_ws, G.w_dim], G.compute_dtype), tf.TensorSpec([None, 2], tf.int64)]
            specs += [tf.TensorSpec([None, 3, 3], G.compute_dtype)] if moved else []
            function = tf.function(self._make, autograph=False, jit_compile=False)
            self._compiled[moved] = function.get_concrete_function(*specs)
        return self._compiled[moved]

    def _together(self, ws: tf.Tensor, seeds: tf.Tensor, transform: tf.Tensor | None = None) -> tf.Tensor:
        return self._synthesis(ws, noise_mode=self._noise_mode, noise_seed=seeds, transform=transform)

    def _alone(self, ws: tf.Tensor, seeds: tf.Tensor, transform: tf.Tensor | None = None) -> tf.Tensor:
        """The images of one call each, some of them at a time."""

        def of_one(one: tuple[tf.Tensor, ...]) -> tf.Tensor:
            w, seed, *moves = one
            # A seed without the axis of images is that of the whole call, which is of one.
            return self._together(w[tf.newaxis], seed, moves[0] if moves else None)[0]

        shape = [self.size.height, self.size.width, self.G.img_channels]
        inputs = (ws, seeds) if transform is None else (ws, seeds, transform)
        signature = tf.TensorSpec(shape, self.G.variable_dtype)
        return tf.map_fn(of_one, inputs, fn_output_signature=signature, parallel_iterations=_SIDE_BY_SIDE)
