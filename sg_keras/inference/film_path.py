"""Paths through latents and styles, frame by frame: pure NumPy, any frame at any time.

A film has whole frames from one keyframe to the next. Where it is closed, the last keyframe leads back to the first,
and frame `num_frames` would be frame 0 again, which is not repeated at the end.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

#: Easing -> from the part of the way between two keyframes, 0..1, to the part of it that is seen.
EASINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda u: u,
    "smooth": lambda u: u * u * (3 - 2 * u),
    "smoother": lambda u: u * u * u * (u * (6 * u - 15) + 10),
    "sine": lambda u: (1 - np.cos(np.pi * u)) / 2,
    "in": lambda u: u * u,
    "out": lambda u: u * (2 - u),
    "hold": lambda u: np.zeros_like(u),
}
_DEGREES = {"linear": 1, "cubic": 3}  # of splines


@dataclasses.dataclass(frozen=True)
class Times:
    """When a film passes its keyframes.

    Attributes:
        lengths: frames from each keyframe to the next, 1 or more; a film that is not closed does not use the last one.
        closed: whether the last keyframe leads back to the first.
        easings: of each of these ways, by name.

    Example:
        >>> times = Times(lengths=(4, 2), closed=True, easings=("smooth", "linear"))
        >>> times.num_frames, times.positions(np.array([0, 2, 4, 5])).tolist()
        (6, [0.0, 2.0, 4.0, 5.0])
    """

    lengths: tuple[int, ...]
    closed: bool
    easings: tuple[str, ...]

    @functools.cached_property
    def knots(self) -> np.ndarray:
        """Frame of each keyframe, and of the end of the way from the last one, [K+1]."""
        return np.cumsum([0, *self.lengths])

    @property
    def num_frames(self) -> int:
        """Frames of the film."""
        return int(self.knots[-1] if self.closed else self.knots[-2] + 1)

    def ways(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which keyframe each of some frames [n] comes from, and the part 0..1 of the way to the next, eased."""
        frames = np.asarray(frames) % self.num_frames
        first = np.searchsorted(self.knots[:-1], frames, side="right") - 1
        lengths = np.array(self.lengths)[first]
        parts = (frames - self.knots[first]) / lengths
        names = np.array(self.easings)[first]
        for name in set(names.tolist()):
            parts[names == name] = EASINGS[name](parts[names == name])
        return first, parts

    def positions(self, frames: np.ndarray) -> np.ndarray:
        """Times in frames [n] as easing has them, for values that are interpolated between `knots`."""
        first, parts = self.ways(frames)
        return self.knots[first] + parts * np.array(self.lengths)[first]


class Track:
    """Values that are interpolated between keyframes.

    Args:
        times: when the film passes the keyframes.
        values: [K,...] at the keyframes.
        kind: "cubic" or "linear".
        wraps: a closed film's keyframes are repeated so often on either side, as the published one's (2), so that a
            spline closes; where it is not closed they stand once.
        turn: what is added to the values from one round to the next, such as 360 degrees.

    Example:
        >>> track = Track(Times((2, 2), True, ("linear", "linear")), np.array([0.0, 1.0]), "linear")
        >>> track.at(np.arange(4)).tolist()
        [0.0, 0.5, 1.0, 0.5]
    """

    def __init__(
        self, times: Times, values: np.ndarray, kind: str = "cubic", wraps: int = 2, turn: float = 0.0
    ) -> None:
        values = np.asarray(values, np.float64)
        rounds = range(-wraps, wraps + 1) if times.closed else range(1)
        total = int(times.knots[-1])
        places = np.concatenate([times.knots[:-1] + total * number for number in rounds])
        repeated = np.concatenate([values + turn * number for number in rounds])
        self._times = times
        self._curve: Callable[[np.ndarray], np.ndarray]
        if len(places) == 1:
            self._curve = lambda positions: np.repeat(repeated, len(positions), axis=0)
        else:
            from scipy import interpolate  # half a second to import

            degree = min(_DEGREES[kind], len(places) - 1)
            self._curve = interpolate.make_interp_spline(places, repeated, k=degree, axis=0)

    def at(self, frames: np.ndarray) -> np.ndarray:
        """Values float64 [n,...] at some frames [n]."""
        found: np.ndarray = self._curve(self._times.positions(frames))
        return found


def closed_walk(ws: np.ndarray, frames_between: int) -> np.ndarray:
    """Styles [K*frames_between,num_ws,w_dim] of a smooth way through ws [K,num_ws,w_dim] and back to the first."""
    times = Times((frames_between,) * len(ws), closed=True, easings=("linear",) * len(ws))
    return Track(times, ws).at(np.arange(times.num_frames)).astype(ws.dtype)


def slerp(a: np.ndarray, b: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Points on the great circle from a to b, with lengths in between.

    Args:
        a, b: [...,D].
        parts: [...], 0 = a, 1 = b.

    Returns:
        [...,D]; where a and b have one direction, or opposite ones, those on the straight line.

    Example:
        >>> slerp(np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array(0.5)).round(3).tolist()
        [0.707, 0.707]
    """
    lengths = [np.linalg.norm(x, axis=-1, keepdims=True) for x in (a, b)]
    directions = [x / np.maximum(length, 1e-12) for x, length in zip((a, b), lengths, strict=True)]
    angle = np.arccos(np.clip(np.sum(directions[0] * directions[1], axis=-1, keepdims=True), -1, 1))
    u, sin = np.asarray(parts)[..., np.newaxis], np.sin(angle)
    usable = np.where(sin > 1e-6, sin, 1)
    curved = (np.sin((1 - u) * angle) * directions[0] + np.sin(u * angle) * directions[1]) / usable
    between = curved * ((1 - u) * lengths[0] + u * lengths[1])
    return np.where(sin > 1e-6, between, (1 - u) * a + u * b)


def circle(a: np.ndarray, b: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Points [n,...,D] of the circle through a, in the plane of a and b, [...,D]; it heads for b.

    Args:
        a, b: [...,D], not parallel.
        parts: [n] of a turn: at 0 it is at a, at 0.25 nearest to b.
    """
    length = np.linalg.norm(a, axis=-1, keepdims=True)
    direction = a / length
    across = b - np.sum(b * direction, axis=-1, keepdims=True) * direction
    across = across * (length / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-12))
    angle = 2 * np.pi * _beside(parts, a)
    return np.asarray(np.cos(angle) * a + np.sin(angle) * across)


def noise_loop(waves: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Points of a smooth random closed way; each coordinate is a sum of waves of independent phases.

    Args:
        waves: standard normal [H,2,...,D], cosine and sine of the first H whole numbers of waves.
        parts: [n] of the way, 0..1.

    Returns:
        [n,...,D] of unit variance over all ways.
    """
    count = len(waves)
    total = sum(
        cosine * np.cos(angle) + sine * np.sin(angle)
        for number, (cosine, sine) in enumerate(waves, 1)
        for angle in [2 * np.pi * number * _beside(parts, cosine)]
    )
    return np.asarray(total) / np.sqrt(count)


def _beside(parts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """parts [n] with an axis of one for each of the axes of values."""
    return np.reshape(parts, [-1, *[1] * values.ndim])


def whole_frames(seconds: Sequence[float], fps: float) -> tuple[int, ...]:
    """Whole frames of ways that take so many seconds; rounding does not add up.

    Raises:
        ValueError: one of them would have no frame; "found ... seconds, expected ...".
    """
    lengths = np.diff(np.round(np.cumsum([0, *seconds]) * fps).astype(int))
    for length, wanted in zip(lengths, seconds, strict=True):
        if length < 1:
            raise ValueError(f"found {wanted:g} seconds, expected {1 / fps:.3g} at least, one frame")
    return tuple(int(length) for length in lengths)
