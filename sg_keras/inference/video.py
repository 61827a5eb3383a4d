"""Short films: a walk through the styles of some seeds, and animated images that every browser plays."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf
from PIL import Image

from sg_keras.inference.images import viewable
from sg_keras.inference.labels import labels_of
from sg_keras.inference.latents import latent
from sg_keras.models import Generator
from sg_keras.ops.pixel_values import to_uint8

FORMATS = {".webp": "WEBP", ".gif": "GIF", ".png": "PNG"}  # animated; by the file's suffix


def latent_walk(
    G: Generator,
    seeds: Sequence[int],
    classes: Sequence[int] | None = None,
    *,
    labels: np.ndarray | None = None,
    frames_between: int = 30,
    truncation_psi: float = 1.0,
    truncation_cutoff: int | None = None,
) -> Iterator[np.ndarray]:
    """Frames of a smooth closed walk through the styles w of some seeds; StyleGAN2's noise stays the same.

    Args:
        G: generator, usually G_ema.
        seeds: of the latents, two or more.
        classes: class of each seed, None for a network without labels.
        labels: [N,c_dim] in place of classes, for labels that are vectors of numbers.
        frames_between: frames from one seed to the next, 1 or more.
        truncation_psi, truncation_cutoff: as in `generate`.

    Yields:
        uint8 [H,W,C], len(seeds) * frames_between of them; the first is the image of the first seed.

    Raises:
        ValueError: an argument does not fit. Nothing has been yielded then.
    """
    if len(seeds) < 2 or frames_between < 1:
        raise ValueError(
            f"latent walk: found {len(seeds)} seeds, {frames_between} frames between, expected 2 and 1 at least"
        )
    c = labels_of(G, len(seeds), classes, labels)
    z = np.concatenate([latent(seed, G.z_dim) for seed in seeds])
    ws = G.mapping(
        tf.constant(z, G.compute_dtype),
        tf.constant(c, G.compute_dtype),
        truncation_psi=truncation_psi,
        truncation_cutoff=truncation_cutoff,
    ).numpy()
    import scipy.interpolate  # takes a while, and images do without

    path = scipy.interpolate.CubicSpline(range(len(ws) + 1), np.concatenate([ws, ws[:1]]), bc_type="periodic")
    return _frames(G, path(np.arange(len(ws) * frames_between) / frames_between).astype(ws.dtype))


def _frames(G: Generator, walk: np.ndarray) -> Iterator[np.ndarray]:
    synthesize = tf.function(lambda ws: G.synthesis(ws, noise_mode="const"), autograph=False, jit_compile=False)
    for ws in walk:
        yield to_uint8(synthesize(tf.constant(ws[np.newaxis])).numpy()[0])


def film_bytes(frames: Iterable[np.ndarray], suffix: str, *, frames_per_sec: float = 30, enlarge: int = 1) -> bytes:
    """An endless animated image, without loss where the format can.

    Args:
        frames: uint8 [H,W,C], one or more; they are shown as `viewable` has it.
        suffix: ".webp", ".png" or ".gif" (256 colours).
        frames_per_sec: speed; viewers slow down beyond 50.
        enlarge: each pixel becomes a square of so many pixels a side.

    Raises:
        ValueError: no frames, or an unknown suffix.
    """
    if suffix not in FORMATS:
        raise ValueError(f"film: found the suffix {suffix!r}, expected one of {', '.join(FORMATS)}")
    images = [_image(frame, enlarge) for frame in frames]
    if not images:
        raise ValueError("film: found no frames, expected one at least")
    content = io.BytesIO()
    options = {"lossless": True} if suffix == ".webp" else {}
    duration = max(round(1000 / frames_per_sec), 1)
    images[0].save(
        content, FORMATS[suffix], save_all=True, append_images=images[1:], duration=duration, loop=0, **options
    )
    return content.getvalue()


def _image(frame: np.ndarray, enlarge: int) -> Image.Image:
    frame = viewable(frame[np.newaxis])[0].repeat(enlarge, axis=0).repeat(enlarge, axis=1)
    return Image.fromarray(frame[:, :, 0] if frame.shape[2] == 1 else frame).convert("RGB")
