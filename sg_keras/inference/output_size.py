"""Images of other sizes than a network was trained on: more or less of the scene at the same scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from sg_keras.config.choices import EXTENSIONS
from sg_keras.config.sizes import ImageSize
from sg_keras.models import Generator
from sg_keras.models.synthesis_block import SynthesisBlock
from sg_keras.models.synthesis_stylegan2 import SynthesisStyleGAN2
from sg_keras.models.synthesis_stylegan3 import SynthesisStyleGAN3

Synthesis = Callable[..., tf.Tensor]


def synthesis_of_size(G: Generator, size: ImageSize, extend: str = "tile") -> Synthesis:
    """The synthesis network of a generator, with the same weights, for images of another size.

    StyleGAN2's constant, or what a dense layer makes in place of it, is continued on all sides and so are its stored
    images of noise, which are tiled; StyleGAN3's Fourier features are evaluated on a larger grid. What lies beyond the
    size is cut off evenly. The network's own size gives its own images.

    Args:
        G: generator, whose weights are copied.
        size: of the images, in pixels.
        extend: of StyleGAN2's constant, "tile" (it is repeated) or "mirror" (every other copy is mirrored).

    Returns:
        What is called as `G.synthesis` is: (ws, noise_mode, noise_seed, transform) -> images [N,*size,C]. A transform's
        unit is still the shorter side of the network's own images.

    Raises:
        ValueError: there is no such way to extend.
    """
    if extend not in EXTENSIONS:
        raise ValueError(f"extend: found {extend!r}, expected {' or '.join(EXTENSIONS)}")
    if size == G.size:
        synthesis: Synthesis = G.synthesis
        return synthesis
    if isinstance(G.synthesis, SynthesisStyleGAN3):
        network, made = _wider_grid(G.synthesis, G.size, size)
    else:
        network, made = _larger_constant(G.synthesis, size, extend)
    top, left = (made.height - size.height) // 2, (made.width - size.width) // 2

    def cropped(ws: tf.Tensor, **options: tf.Tensor | str | None) -> tf.Tensor:
        return network(ws, **options)[:, top : top + size.height, left : left + size.width]

    return cropped


def _wider_grid(synthesis: SynthesisStyleGAN3, own: ImageSize, size: ImageSize) -> tuple[SynthesisStyleGAN3, ImageSize]:
    """With Fourier features on a grid of other extent, and the size of its images.

    All that follows is shift-invariant, with padding that does not depend on the size.
    """
    network = SynthesisStyleGAN3.from_config(synthesis.get_config())
    grid = network.input_layer.size
    pixels = round(own.shorter / network.plan.input.sampling_rate)  # of the image for a sample of the input

    def further(before: int, after: int) -> int:
        return 2 * -(-(after - before) // (2 * pixels))  # an even number of samples, so that the centre stays

    rows, columns = further(own.height, size.height), further(own.width, size.width)
    network.input_layer.size = ImageSize(grid.height + rows, grid.width + columns)
    network.build()
    for ours, theirs in zip(network.variables, synthesis.variables, strict=True):
        ours.assign(theirs)
    return network, ImageSize(own.height + rows * pixels, own.width + columns * pixels)


def _larger_constant(
    synthesis: SynthesisStyleGAN2, size: ImageSize, extend: str
) -> tuple[SynthesisStyleGAN2, ImageSize]:
    """With a constant and images of noise of other sizes, and the size of its images."""
    network = SynthesisStyleGAN2.from_config(synthesis.get_config())
    factor = 1 << (len(network.blocks) - 1)  # pixels of the image for one of the constant
    unit = 1 if synthesis.blocks[0].has_const else 2  # the first block's sides are multiples of it
    first = ImageSize(*(unit * -(-side // (factor * unit)) for side in (size.height, size.width)))
    for step, block in enumerate(network.blocks):
        _set_size(block, ImageSize(first.height << step, first.width << step))
    network.build()
    for ours, theirs in zip(network.variables, synthesis.variables, strict=True):
        is_noise = ours.path.endswith("noise_const")
        if is_noise or ours.path.endswith("const"):
            ours.assign(_extended(theirs.numpy(), ours.shape[:2], extend == "mirror" and not is_noise))
        elif "/b4/fc/" in ours.path:
            ours.assign(_extended_units(theirs.numpy(), synthesis.blocks[0], first.halved(), extend == "mirror"))
        else:
            ours.assign(theirs)
    return network, ImageSize(first.height * factor, first.width * factor)


def _set_size(block: SynthesisBlock, size: ImageSize) -> None:
    """Before it is built."""
    block.size = block.conv1.size = size
    if not block.has_const:
        block.conv0.size = size
        if block.in_channels == 0:
            block.fc.units = block.out_channels * (size.height // 2) * (size.width // 2)


def _extended_units(values: np.ndarray, block: SynthesisBlock, size: ImageSize, mirrored: bool) -> np.ndarray:
    """Weight or bias [...,units] of the dense layer that makes a first block's maps, for maps of another size."""
    own = block.size.halved()
    maps = np.moveaxis(values.reshape(*values.shape[:-1], block.out_channels, own.height, own.width), (-2, -1), (0, 1))
    maps = np.moveaxis(_extended(maps, (size.height, size.width), mirrored), (0, 1), (-2, -1))
    return maps.reshape(*values.shape[:-1], -1)


def _extended(values: np.ndarray, shape: tuple[int, int], mirrored: bool) -> np.ndarray:
    """Values [H,W,...] as the middle of an array of another height and width, continued periodically, or its middle."""
    for axis, samples in enumerate(shape):
        own = values.shape[axis]
        places = np.arange(samples) - (samples - own) // 2
        if mirrored:
            places = places % (2 * own)
            places = np.minimum(places, 2 * own - 1 - places)
        values = values.take(places % own, axis)
    return values
