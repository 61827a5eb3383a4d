"""Latents z of seeds, styles w of latents, and styles kept in files."""

from __future__ import annotations

import pathlib
import zipfile
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from sg_keras.files.atomic import atomic_file
from sg_keras.models import Generator

_MAX_SEED = 2**32 - 1  # of NumPy's RandomState


def latent(seed: int, z_dim: int) -> np.ndarray:
    """z float64 [1,z_dim] of a seed, the same as of the published generators.

    Raises:
        ValueError: the seed is not in 0..2**32-1.
    """
    if not 0 <= seed <= _MAX_SEED:
        raise ValueError(f"seeds: found {seed}, expected 0 to {_MAX_SEED}")
    return np.random.RandomState(seed).randn(1, z_dim)


def latents(seeds: Sequence[int], z_dim: int) -> np.ndarray:
    """z float64 [N,z_dim] of seeds.

    Raises:
        ValueError: a seed is not in 0..2**32-1.
    """
    return np.concatenate([np.zeros([0, z_dim]), *(latent(seed, z_dim) for seed in seeds)])


def styles(
    G: Generator,
    z: np.ndarray,
    labels: np.ndarray,
    *,
    truncation_psi: float = 1.0,
    truncation_cutoff: int | None = None,
) -> np.ndarray:
    """Styles w of latents, each to the bit what it would be alone.

    Args:
        G: generator, usually G_ema.
        z: [N,z_dim].
        labels: [N,c_dim], as `labels_of` gives them.
        truncation_psi: 1 = none, 0 = the mean style.
        truncation_cutoff: truncate only the first so many of G.num_ws styles, None = all.

    Returns:
        [N,num_ws,w_dim] of the network's type.
    """
    dtype = G.compute_dtype

    @tf.function(autograph=False, jit_compile=False)
    def all_styles(z: tf.Tensor, c: tf.Tensor) -> tf.Tensor:
        # One at a time: matrix products of several rows are summed up in another order.
        def of_one(one: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            rows = (value[tf.newaxis] for value in one)
            return G.mapping(*rows, truncation_psi=truncation_psi, truncation_cutoff=truncation_cutoff)[0]

        return tf.map_fn(of_one, (z, c), fn_output_signature=tf.TensorSpec([G.num_ws, G.w_dim], dtype))

    found: np.ndarray = all_styles(tf.constant(z, dtype), tf.constant(labels, dtype)).numpy()
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
