"""Many styles w of random latents, for what follows from how they are spread."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from sg_keras.models import Generator

SAMPLES = 10_000  # enough for directions and centres in 512 dimensions; a moment of the mapping network alone
_BATCH = 1000  # always the same, so that the number of samples changes none of them


def sampled_styles(
    G: Generator, count: int = SAMPLES, *, seed: int = 0, labels: np.ndarray | None = None
) -> np.ndarray:
    """Styles of random latents, neither repeated by layer nor truncated.

    Args:
        G: generator, usually G_ema.
        count: of the styles, 1 or more.
        seed: of the latents, 0..2**32-1.
        labels: [n,c_dim], taken by turns; None = all classes by turns, where the network is conditional.

    Returns:
        float32 [count,w_dim]; of a larger count the first ones are the same.

    Raises:
        ValueError: labels of another width; one line.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> sg_keras.inference.sampled_styles(G, 100).shape
        (100, 8)
    """
    known = np.eye(G.c_dim, dtype=np.float32) if labels is None else labels.astype(np.float32)
    if known.ndim != 2 or known.shape[1] != G.c_dim:
        raise ValueError(f"labels: found {list(known.shape)}, expected [n, {G.c_dim}], the width of the network's")
    turns = np.arange(count) % max(len(known), 1)
    c = known[turns] if G.c_dim > 0 else np.zeros([count, 0], np.float32)
    random = np.random.RandomState(seed)

    @tf.function(autograph=False, jit_compile=False)
    def mapped(z: tf.Tensor, c: tf.Tensor) -> tf.Tensor:
        return G.mapping.styles(z, c)

    found = []
    for start in range(0, count, _BATCH):
        z = random.randn(_BATCH, G.z_dim)  # a whole batch even at the end: sums depend on the number of rows
        filled = np.resize(c[start : start + _BATCH], [_BATCH, G.c_dim])
        found.append(mapped(tf.constant(z, G.compute_dtype), tf.constant(filled, G.compute_dtype)).numpy())
    return np.concatenate(found)[:count].astype(np.float32)
