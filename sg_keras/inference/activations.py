"""What the layers of a synthesis network make, read and shown: channels as images and as spectra."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from sg_keras.inference.images import grid_columns, tile
from sg_keras.models import Generator

_LARGE = 99.5  # percentile of a channel's magnitudes that is shown as black or white
_DECIBELS = 80.0  # from the strongest frequency of a channel down to black
_LEAST_SIDE = 64  # pixels of a channel on a sheet: smaller maps are enlarged
_GAP, _PAPER = 2, 255  # pixels between channels, and their gray


class ActivationReader:
    """Reads layers of a generator, compiled once.

    Args:
        G: generator, usually G_ema.
        layers: names of the layers, as `G.synthesis.activations` has them; None = all.

    Attributes:
        layers: names of those that are read, in the network's order.

    Raises:
        ValueError: the network has no such layer; one line.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=8, channel_base=64)
        >>> reader = sg_keras.inference.ActivationReader(G, ["b8.conv1"])
        >>> reader.maps(np.zeros([2, G.num_ws, 8]))["b8.conv1"].shape
        (2, 8, 8, 8)
    """

    def __init__(self, G: Generator, layers: Sequence[str] | None = None) -> None:
        self._dtype = G.compute_dtype
        known: list[str] = []

        def read(ws: tf.Tensor) -> list[tf.Tensor]:
            found = []
            for name, maps in G.synthesis.activations(ws, noise_mode="const"):
                known.append(name)
                if layers is None or name in layers:
                    found.append(maps)
            return found

        spec = tf.TensorSpec([None, G.num_ws, G.w_dim], self._dtype)
        self._read = tf.function(read, autograph=False, jit_compile=False).get_concrete_function(spec)
        for layer in layers or ():
            if layer not in known:
                near = difflib.get_close_matches(layer, known, n=3, cutoff=0.5) or known
                raise ValueError(f"layers: found {layer!r}, expected a layer of the network ({', '.join(near)})")
        self.layers = [name for name in known if layers is None or name in layers]

    def maps(self, ws: np.ndarray) -> dict[str, np.ndarray]:
        """Maps of the layers, float32 [N,h,w,C] by name, of styles [N,num_ws,w_dim], with the stored noise."""
        made = self._read(tf.constant(ws, self._dtype))
        return {name: np.asarray(maps, np.float32) for name, maps in zip(self.layers, made, strict=True)}


def channel_scales(maps: np.ndarray) -> np.ndarray:
    """The magnitude of each channel of maps [N,h,w,C] that is shown as black or white, [C], above 0."""
    scales = np.percentile(np.abs(maps.astype(np.float64)), _LARGE, axis=(0, 1, 2))
    return np.where(scales > 0, scales, 1.0)


def channel_images(maps: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Channels as gray images, uint8 [C,h,w,1]: 0 is mid-gray.

    Args:
        maps: [h,w,C] of one image.
        scales: [C], as `channel_scales` gives them; shared by images that are to be compared.
    """
    shades = 127.5 + 127.5 * np.clip(maps.astype(np.float64) / scales, -1, 1)
    return np.round(shades).astype(np.uint8).transpose(2, 0, 1)[..., np.newaxis]


def channel_spectra(maps: np.ndarray) -> np.ndarray:
    """Power of the frequencies of each channel, uint8 [C,h,w,1]: no frequency in the middle, the highest at the edges.

    White is the strongest one, black 80 dB below. Means are taken off, and a Hann window keeps edges from showing as a
    cross.

    Args:
        maps: [h,w,C] of one image.
    """
    height, width, _ = maps.shape
    from scipy import signal  # half a second to import

    window = np.outer(*(signal.windows.hann(side + 2)[1:-1] for side in (height, width)))[..., np.newaxis]
    centred = maps.astype(np.float64) - maps.mean(axis=(0, 1), dtype=np.float64)
    power = np.square(np.abs(np.fft.fft2(centred * window, axes=(0, 1))))
    strongest = power.max(axis=(0, 1))
    relative = power / np.where(strongest > 0, strongest, 1)
    decibels = 10 * np.log10(np.maximum(relative, 10 ** (-_DECIBELS / 10)))
    shades = np.round(255 * (1 + decibels / _DECIBELS)).astype(np.uint8)
    return np.fft.fftshift(shades, axes=(0, 1)).transpose(2, 0, 1)[..., np.newaxis]


def channel_sheet(images: np.ndarray) -> np.ndarray:
    """Channels side by side, uint8 [H,W,1], of images of channels [C,h,w,1], with gaps; small ones are enlarged."""
    factor = -(-_LEAST_SIDE // min(images.shape[1:3]))
    large = images.repeat(factor, axis=1).repeat(factor, axis=2)
    columns = grid_columns(len(images))
    gaps = ((0, -len(images) % columns), (0, _GAP), (0, _GAP), (0, 0))  # places that are left over, too
    return tile(np.pad(large, gaps, constant_values=_PAPER), columns)
