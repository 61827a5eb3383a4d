"""Latents z of seeds, styles w of latents, and styles kept in files."""

from __future__ import annotations

import pathlib
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras.files.atomic import atomic_file
from sg_keras.models import Generator
from sg_keras.models.mapping import truncate

_MAX_SEED = 2**32 - 1  # of NumPy's RandomState
_SEEDS_AT_A_TIME = 64


def check_seeds(seeds: Sequence[int]) -> None:
    """Refuse seeds that have no latents.

    Raises:
        ValueError: a seed is not in 0..2**32-1.
    """
    for seed in seeds:
        if not 0 <= seed <= _MAX_SEED:
            raise ValueError(f"seeds: found {seed}, expected 0 to {_MAX_SEED}")


def latent(seed: int, z_dim: int) -> np.ndarray:
    """z float64 [1,z_dim] of a seed, the same as of the published generators.

    Raises:
        ValueError: the seed is not in 0..2**32-1.
    """
    check_seeds([seed])
    return np.random.RandomState(seed).randn(1, z_dim)


def latents(seeds: Sequence[int], z_dim: int) -> np.ndarray:
    """z float64 [N,z_dim] of seeds.

    Raises:
        ValueError: a seed is not in 0..2**32-1.
    """
    return np.concatenate([np.zeros([0, z_dim]), *(latent(seed, z_dim) for seed in seeds)])


class StyleMaker:
    """Makes styles w of latents, each to the bit what it would be alone; compiled once.

    Args:
        G: generator, usually G_ema.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=16, img_resolution=16, channel_base=64)
        >>> maker = sg_keras.inference.StyleMaker(G)
        >>> maker.styles(latents([0, 1], 8), np.zeros([2, 0]), truncation_psi=0.7).shape
        (2, 6, 16)
    """

    def __init__(self, G: Generator) -> None:
        self.G = G

        def all_styles(z: tf.Tensor, c: tf.Tensor) -> tf.Tensor:
            # One at a time: matrix products of several rows are summed up in another order.
            def of_one(one: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
                return G.mapping(*(value[tf.newaxis] for value in one))[0]

            return tf.map_fn(of_one, (z, c), fn_output_signature=tf.TensorSpec([G.num_ws, G.w_dim], G.compute_dtype))

        rows = (tf.TensorSpec([None, width], G.compute_dtype) for width in (G.z_dim, G.c_dim))
        self._styles = tf.function(all_styles, autograph=False, jit_compile=False).get_concrete_function(*rows)

    def styles(
        self, z: np.ndarray, labels: np.ndarray, *, truncation_psi: float = 1.0, truncation_cutoff: int | None = None
    ) -> np.ndarray:
        """Styles [N,num_ws,w_dim] of the network's type.

        Args:
            z: [N,z_dim].
            labels: [N,c_dim], as `labels_of` gives them.
            truncation_psi: 1 = none, 0 = the mean style.
            truncation_cutoff: truncate only the first so many of G.num_ws styles, None = all.
        """
        inputs = (tf.constant(values, self.G.compute_dtype) for values in (z, labels))
        return truncated(self.G, self._styles(*inputs).numpy(), truncation_psi, truncation_cutoff)

    def of_seeds(
        self,
        seeds: Sequence[int],
        labels: np.ndarray,
        *,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> Iterator[np.ndarray]:
        """Styles [num_ws,w_dim] of seeds, one after another, made as they are asked for.

        Args:
            seeds: of the latents, 0..2**32-1.
            labels: [N,c_dim].
            truncation_psi, truncation_cutoff: as of `styles`.

        Raises:
            ValueError: a seed is not in 0..2**32-1, once it is its turn; `check_seeds` tells before.
        """
        how: dict[str, Any] = {"truncation_psi": truncation_psi, "truncation_cutoff": truncation_cutoff}
        for start in range(0, len(seeds), _SEEDS_AT_A_TIME):
            part = slice(start, start + _SEEDS_AT_A_TIME)
            yield from self.styles(latents(seeds[part], self.G.z_dim), labels[part], **how)


def styles(
    G: Generator,
    z: np.ndarray,
    labels: np.ndarray,
    *,
    truncation_psi: float = 1.0,
    truncation_cutoff: int | None = None,
) -> np.ndarray:
    """Styles w of latents, each to the bit what it would be alone: see `StyleMaker`, which many calls should share.

    Args:
        G: generator, usually G_ema.
        z: [N,z_dim].
        labels: [N,c_dim], as `labels_of` gives them.
        truncation_psi: 1 = none, 0 = the mean style.
        truncation_cutoff: truncate only the first so many of G.num_ws styles, None = all.

    Returns:
        [N,num_ws,w_dim] of the network's type.
    """
    return StyleMaker(G).styles(z, labels, truncation_psi=truncation_psi, truncation_cutoff=truncation_cutoff)


def truncated(G: Generator, ws: np.ndarray, psi: float, cutoff: int | None = None) -> np.ndarray:
    """Styles [N,num_ws,w_dim] pulled towards the mean style: the first `cutoff` of them, all if None.

    Raises:
        ValueError: the network keeps no mean style.
    """
    if psi == 1:
        return ws
    if G.mapping.w_avg is None:
        raise ValueError("truncation_psi: found one in a network without w_avg (w_avg_beta=None), expected 1")
    w_avg = tf.convert_to_tensor(G.mapping.w_avg)
    found: np.ndarray = truncate(tf.constant(ws, w_avg.dtype), w_avg, psi, cutoff).numpy()
    return found


def write_styles(path: pathlib.Path, w: np.ndarray) -> None:
    """Write styles [N,num_ws,w_dim] as a file .npz with the key w, as the published projector does."""
    with atomic_file(path) as beside, beside.open("wb") as file:
        np.savez(file, w=w)


def read_styles(path: pathlib.Path, num_ws: int, w_dim: int) -> np.ndarray:
    """Styles of a file .npz with the key w.

    Args:
        path: of the file; w is [N,num_ws,w_dim], [num_ws,w_dim], or [w_dim] for all layers.
        num_ws, w_dim: of the network that they are for.

    Returns:
        float32 [N,num_ws,w_dim].

    Raises:
        ValueError: it holds no such styles; one line.
        OSError: it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            w = np.asarray(file["w"], np.float32)
    except (ValueError, TypeError, AttributeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: found no array w in it, expected a file .npz with the key w") from error
    if w.shape == (w_dim,):
        w = np.broadcast_to(w, [num_ws, w_dim])
    if w.ndim == 2:
        w = w[np.newaxis]
    if w.ndim != 3 or w.shape[1:] != (num_ws, w_dim) or not len(w):
        raise ValueError(f"{path}: found w {list(w.shape)}, expected [N, {num_ws}, {w_dim}], the styles of the network")
    if not np.isfinite(w).all():
        raise ValueError(f"{path}: found NaN or Inf in w, expected finite numbers")
    return np.array(w)
