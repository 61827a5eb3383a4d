"""Truncation to the nearest of several centres of w, for images of several kinds (Mokady et al., arXiv:2202.12211)."""

from __future__ import annotations

import numpy as np

from sg_keras.inference.style_samples import SAMPLES, sampled_styles
from sg_keras.models import Generator

_ITERATIONS = 50  # of k-means, after which centres hardly move


def truncation_centres(G: Generator, count: int, *, seed: int = 0, labels: np.ndarray | None = None) -> np.ndarray:
    """Centres of w by k-means. The centre of one is the mean of w, which truncation without centres pulls to.

    Args:
        G: generator, usually G_ema.
        count: of the centres, far below the number of `SAMPLES` that they are found by.
        seed: of the latents and of the first centres.
        labels: of the latents, as of `sampled_styles`.

    Returns:
        float32 [count,w_dim].

    Raises:
        ValueError: there are fewer different styles, or it is no such number; one line.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64)
        >>> sg_keras.inference.truncation_centres(G, 4).shape
        (4, 8)
    """
    w = sampled_styles(G, seed=seed, labels=labels).astype(np.float64)
    if not 1 <= count <= SAMPLES // 10:
        raise ValueError(f"centres: found {count}, expected 1 to {SAMPLES // 10}")
    found = len(np.unique(w, axis=0))
    if found < count:
        raise ValueError(f"centres: found {count}, expected {found} at most, as many as there are styles w")
    from scipy.cluster import vq  # half a second to import

    centres, _ = vq.kmeans2(w, count, iter=_ITERATIONS, minit="++", seed=seed)
    return np.asarray(centres, np.float32)


def truncate_to_centres(
    ws: np.ndarray, centres: np.ndarray, truncation_psi: float, truncation_cutoff: int | None = None
) -> np.ndarray:
    """Styles pulled towards the centre that is nearest to each.

    Args:
        ws: [N,num_ws,w_dim], not truncated.
        centres: [K,w_dim].
        truncation_psi: 1 = none, 0 = the centres themselves.
        truncation_cutoff: truncate only the first so many of the num_ws styles, None = all.

    Returns:
        [N,num_ws,w_dim] of the type of ws.

    Raises:
        ValueError: the centres have another width; one line.

    Example:
        >>> ws = np.array([[[0.0, 1.0]], [[9.0, 0.0]]])
        >>> sg_keras.inference.truncate_to_centres(ws, np.array([[0.0, 0.0], [10.0, 0.0]]), 0.5)[:, 0].tolist()
        [[0.0, 0.5], [9.5, 0.0]]
    """
    if centres.ndim != 2 or centres.shape[1] != ws.shape[-1]:
        raise ValueError(f"centres: found {list(centres.shape)}, expected [K, {ws.shape[-1]}], the width of the styles")
    flat = ws.reshape([-1, ws.shape[-1]]).astype(np.float64)
    from scipy.cluster import vq

    nearest = centres.astype(np.float64)[vq.vq(flat, centres.astype(np.float64))[0]]
    pulled = (nearest + (flat - nearest) * truncation_psi).reshape(ws.shape).astype(ws.dtype)
    cutoff = ws.shape[1] if truncation_cutoff is None else truncation_cutoff
    return np.concatenate([pulled[:, :cutoff], ws[:, cutoff:]], axis=1)
