"""Keyframes of a film, and the path through styles that they make."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from sg_keras.inference.film_path import Times, Track, circle, noise_loop, slerp
from sg_keras.inference.labels import labels_of
from sg_keras.inference.latents import latents, styles
from sg_keras.models import Generator

#: How a film goes from keyframe to keyframe: splines through styles w, great circles through latents z, and two ways
#: through z that are closed and smooth.
INTERPOLATIONS = ("cubic", "linear", "slerp", "circle", "noise-loop")
_IN_STYLES = ("cubic", "linear")


@dataclasses.dataclass(frozen=True, eq=False)
class Keyframe:
    """What a film shows at one moment, and how it goes on from there.

    Attributes:
        length: frames to the next keyframe, 1 or more.
        seeds: of the latents, one for each image of the grid; none where `w` is given.
        w: styles [cells,num_ws,w_dim] in place of seeds, which are not truncated.
        labels: [cells,c_dim], None for a network without labels, or where `w` is given.
        truncation_psi: of the seeds' styles, 1 = none.
        translate: to the right and down, in parts of the image's shorter side; StyleGAN3.
        rotate: degrees counterclockwise; StyleGAN3.
        easing: of EASINGS, on the way to the next keyframe.
    """

    length: int
    seeds: tuple[int, ...] = ()
    w: np.ndarray | None = None
    labels: np.ndarray | None = None
    truncation_psi: float = 1.0
    translate: tuple[float, float] = (0.0, 0.0)
    rotate: float = 0.0
    easing: str = "linear"

    @property
    def num_cells(self) -> int:
        """Images that it has side by side."""
        return len(self.seeds) if self.w is None else len(self.w)


class StylePath(Protocol):
    """Styles at any frame of a film."""

    @property
    def num_frames(self) -> int:
        """Frames of the film."""

    def at(self, frames: np.ndarray) -> np.ndarray:
        """Styles float64 [n,cells,num_ws,w_dim] at some frames [n]."""


def keyframe_seeds(
    seeds: Sequence[int], num_cells: int = 1, num_keyframes: int | None = None, shuffle_seed: int | None = None
) -> list[tuple[int, ...]]:
    """Seeds of each keyframe, as the published film takes them: the first image's of all keyframes first.

    Args:
        seeds: given; they are repeated from the first on where there are too few.
        num_cells: images side by side.
        num_keyframes: None = as many as the seeds make.
        shuffle_seed: the seeds of all keyframes and images are shuffled by it, None = not.

    Returns:
        num_cells seeds for each keyframe.

    Raises:
        ValueError: the seeds do not make whole keyframes.

    Example:
        >>> keyframe_seeds([0, 1, 2, 3], num_cells=2)
        [(0, 2), (1, 3)]
    """
    if num_keyframes is None:
        if not seeds or len(seeds) % num_cells:
            raise ValueError(f"seeds: found {len(seeds)}, expected a multiple of {num_cells}, the images of the grid")
        num_keyframes = len(seeds) // num_cells
    every = np.resize(np.array(seeds, np.int64), num_keyframes * num_cells)
    if shuffle_seed is not None:
        np.random.RandomState(shuffle_seed).shuffle(every)
    return [tuple(map(int, row)) for row in every.reshape(num_cells, num_keyframes).T]


def style_path(
    G: Generator,
    keyframes: Sequence[Keyframe],
    *,
    interpolation: str = "cubic",
    closed: bool = True,
    wraps: int = 2,
    truncation_cutoff: int | None = None,
    harmonics: int = 2,
) -> StylePath:
    """The path of a film.

    Args:
        G: generator, usually G_ema.
        keyframes: one or more, of one number of cells.
        interpolation: of INTERPOLATIONS. "circle" heads from the first keyframe for the second, and takes their seeds
            alone; "noise-loop" follows from the first one's seeds alone.
        closed: whether the last keyframe leads back to the first; the two others are closed always.
        wraps: as of `Track`.
        truncation_cutoff: truncate only the first so many of G.num_ws styles, None = all.
        harmonics: of "noise-loop": the more there are, the faster it changes.

    Raises:
        ValueError: something does not fit the network or the others; one line.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=16, img_resolution=16, channel_base=64)
        >>> path = style_path(G, [Keyframe(10, seeds=(1, 2)), Keyframe(20, seeds=(3, 4), truncation_psi=0.5)])
        >>> path.num_frames, path.at(np.array([0, 25])).shape
        (30, (2, 2, 6, 16))
    """
    _check(G, keyframes, interpolation)
    whole = closed or interpolation in ("circle", "noise-loop")
    times = film_times(keyframes, whole)
    labels = np.stack([_labels(G, keyframe) for keyframe in keyframes])  # [K,cells,c_dim]
    psi = np.array([keyframe.truncation_psi for keyframe in keyframes])
    if interpolation in _IN_STYLES:
        ws = _keyframe_styles(G, keyframes, labels, psi, truncation_cutoff)
        return _SplinePath(times, Track(times, ws, interpolation, wraps))
    moving = _latents_of(G, keyframes, interpolation, times, harmonics)
    return _LatentPath(G, times, moving, labels, psi, truncation_cutoff)


def film_times(keyframes: Sequence[Keyframe], closed: bool) -> Times:
    """When a film passes its keyframes."""
    lengths, easings = zip(*((keyframe.length, keyframe.easing) for keyframe in keyframes), strict=True)
    return Times(lengths, closed, easings)


def truncated_frames(
    ws: np.ndarray, w_avg: np.ndarray, psi: np.ndarray | float, cutoff: int | None = None
) -> np.ndarray:
    """Styles pulled towards the mean style, in float64.

    Args:
        ws: [n,cells,num_ws,w_dim].
        w_avg: [w_dim].
        psi: [n], or one for all; 1 = as they are.
        cutoff: pull the first so many styles alone, None = all.
    """
    pulled = np.array(ws, np.float64)
    part = np.reshape(psi, [-1, 1, 1, 1])
    pulled[:, :, :cutoff] = w_avg + (pulled[:, :, :cutoff] - w_avg) * part
    return pulled


def mean_style(G: Generator) -> np.ndarray:
    """The mean style float64 [w_dim].

    Raises:
        ValueError: the network keeps none.
    """
    if G.mapping.w_avg is None:
        raise ValueError("truncation: found one for a network without w_avg, expected 1, which is none")
    return np.asarray(tf.convert_to_tensor(G.mapping.w_avg), np.float64)


@dataclasses.dataclass(frozen=True, eq=False)
class _SplinePath:
    times: Times
    track: Track

    @property
    def num_frames(self) -> int:
        return self.times.num_frames

    def at(self, frames: np.ndarray) -> np.ndarray:
        return self.track.at(frames)


class _LatentPath:
    """Styles of latents that move; labels and truncation go over from keyframe to keyframe in straight lines."""

    def __init__(
        self,
        G: Generator,
        times: Times,
        moving: Callable[[np.ndarray], np.ndarray],
        labels: np.ndarray,
        psi: np.ndarray,
        cutoff: int | None,
    ) -> None:
        self._G, self._times, self._moving, self._cutoff = G, times, moving, cutoff
        self._labels, self._psi = (Track(times, values, "linear") for values in (labels, psi))
        self._w_avg = None if np.all(psi == 1) else mean_style(G)
        self._map = tf.function(G.mapping, autograph=False, jit_compile=False, reduce_retracing=True)

    @property
    def num_frames(self) -> int:
        return self._times.num_frames

    def at(self, frames: np.ndarray) -> np.ndarray:
        z, labels = self._moving(frames), self._labels.at(frames)  # [n,cells,...]
        flat = (
            tf.constant(x.reshape([z.shape[0] * z.shape[1], x.shape[-1]]), self._G.compute_dtype) for x in (z, labels)
        )
        mapped = self._map(*flat).numpy().astype(np.float64)
        ws = mapped.reshape([*z.shape[:2], *mapped.shape[1:]])
        return ws if self._w_avg is None else truncated_frames(ws, self._w_avg, self._psi.at(frames), self._cutoff)


def _check(G: Generator, keyframes: Sequence[Keyframe], interpolation: str) -> None:
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"interpolation: found {interpolation!r}, expected one of {', '.join(INTERPOLATIONS)}")
    if not keyframes or min(keyframe.length for keyframe in keyframes) < 1:
        raise ValueError("film: found no frames, expected keyframes with a length of 1 or more")
    if interpolation == "circle" and len(keyframes) != 2:
        raise ValueError(f"circle: found {len(keyframes)} keyframes, expected 2: where it begins, what it heads for")
    if interpolation == "noise-loop" and len(keyframes) != 1:
        raise ValueError(f"noise-loop: found {len(keyframes)} keyframes, expected 1, whose seeds it follows from")
    for number, keyframe in enumerate(keyframes, 1):
        if keyframe.num_cells != keyframes[0].num_cells:
            raise ValueError(
                f"keyframe {number}: found {keyframe.num_cells} images, expected {keyframes[0].num_cells}, as before"
            )
        if keyframe.w is None:
            continue
        if interpolation not in _IN_STYLES:
            raise ValueError(f"keyframe {number}: found styles w, expected a seed: {interpolation} moves latents z")
        if keyframe.w.shape[1:] != (G.num_ws, G.w_dim):
            raise ValueError(
                f"keyframe {number}: found w {list(keyframe.w.shape)}, expected [cells, {G.num_ws}, {G.w_dim}]"
            )


def _labels(G: Generator, keyframe: Keyframe) -> np.ndarray:
    if keyframe.w is not None:
        return np.zeros([keyframe.num_cells, G.c_dim], np.float32)
    return labels_of(G, keyframe.num_cells, None, keyframe.labels)


def _keyframe_styles(
    G: Generator, keyframes: Sequence[Keyframe], labels: np.ndarray, psi: np.ndarray, cutoff: int | None
) -> np.ndarray:
    """[K,cells,num_ws,w_dim] in float64; all seeds in one go."""
    seeded = [index for index, keyframe in enumerate(keyframes) if keyframe.w is None]
    ws = np.zeros([len(keyframes), keyframes[0].num_cells, G.num_ws, G.w_dim])
    if seeded:
        z = latents([seed for index in seeded for seed in keyframes[index].seeds], G.z_dim)
        mapped = styles(G, z, labels[seeded].reshape([len(z), G.c_dim]))
        ws[seeded] = mapped.reshape([len(seeded), *ws.shape[1:]])
        if np.any(psi[seeded] != 1):
            ws[seeded] = truncated_frames(ws[seeded], mean_style(G), psi[seeded], cutoff)
    for index, keyframe in enumerate(keyframes):
        if keyframe.w is not None:
            ws[index] = keyframe.w
    return ws


def _latents_of(
    G: Generator, keyframes: Sequence[Keyframe], interpolation: str, times: Times, harmonics: int
) -> Callable[[np.ndarray], np.ndarray]:
    """What gives latents [n,cells,z_dim] of frames [n]."""
    if interpolation == "noise-loop":
        drawn = [np.random.RandomState(seed).randn(harmonics, 2, G.z_dim) for seed in keyframes[0].seeds]
        waves = np.stack(drawn, axis=2)  # [H,2,cells,z_dim]
        return lambda frames: noise_loop(waves, times.positions(frames) / times.num_frames)
    z = np.stack([latents(keyframe.seeds, G.z_dim) for keyframe in keyframes])  # [K,cells,z_dim]
    if interpolation == "circle":
        return lambda frames: circle(z[0], z[1], times.positions(frames) / times.num_frames)

    def along(frames: np.ndarray) -> np.ndarray:
        first, parts = times.ways(frames)
        return slerp(z[first], z[(first + 1) % len(z)], parts[:, np.newaxis])

    return along
