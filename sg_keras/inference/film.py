"""Films: frames of a path through styles, with what changes them on the way."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from sg_keras.inference.film_keyframes import Keyframe, StylePath, mean_style, style_path, truncated_frames
from sg_keras.inference.film_noise import MovingNoise
from sg_keras.inference.film_path import Times, Track
from sg_keras.inference.images import tile
from sg_keras.inference.labels import labels_of
from sg_keras.inference.style_renderer import StyleRenderer
from sg_keras.inference.transform import inverse_transform
from sg_keras.models import Generator

#: (frames [n], styles [n,cells,num_ws,w_dim]) -> styles
Change = Callable[[np.ndarray, np.ndarray], np.ndarray]
_BLOCK = 32  # frames whose styles are made at a time


@dataclasses.dataclass(frozen=True, eq=False)
class Film:
    """A film, any part of which can be made.

    Attributes:
        G: generator, usually G_ema.
        path: styles of its frames.
        columns: of the grid of images.
        changes: of the styles, one after another.
        transforms: gives [n,3,3] for frames [n], as `inverse_transform` makes them; StyleGAN3 alone.
        noise: "const", "none", "random" (new in every frame), or noise that moves; StyleGAN3 has none.

    Raises:
        ValueError: there are transforms for a network that takes none.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64, channel_max=8)
        >>> film = sg_keras.inference.interpolate(G, [1, 2, 3], frames_between=4)
        >>> film.num_frames, next(film.frames()).shape
        (12, (16, 16, 3))
    """

    G: Generator
    path: StylePath
    columns: int = 1
    changes: tuple[Change, ...] = ()
    transforms: Callable[[np.ndarray], np.ndarray] | None = None
    noise: str | MovingNoise = "const"

    def __post_init__(self) -> None:
        if self.transforms is not None and not self.G.takes_transform:
            raise ValueError("transform: found one, expected none, since StyleGAN2 cannot move its images")

    @property
    def num_frames(self) -> int:
        """Frames of the film."""
        return self.path.num_frames

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a frame, with all images of the grid."""
        height, width, channels = self.G.image_shape
        return -(-self._num_cells // self.columns) * height, self.columns * width, channels

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
        """Frames as they are made; memory does not grow with their number.

        Args:
            start, stop: the first one and the one after the last, None = to the end. Parts that begin at the same
                frame are the same to the bit.

        Yields:
            uint8 [rows*H,columns*W,C].
        """
        numbers = range(start, self.num_frames if stop is None else stop)
        images = self._images(numbers)
        cells = self._num_cells
        while frame := list(itertools.islice(images, cells)):
            yield tile(np.stack(frame), self.columns)

    def styles(self, numbers: Sequence[int]) -> np.ndarray:
        """Styles float64 [n,cells,num_ws,w_dim] of some frames, with all changes."""
        frames = np.array(numbers, np.int64)
        ws = self.path.at(frames)
        for change in self.changes:
            ws = change(frames, ws)
        return ws

    @functools.cached_property
    def _num_cells(self) -> int:
        return int(self.path.at(np.zeros(1, np.int64)).shape[1])

    @functools.cached_property
    def _renderer(self) -> StyleRenderer:
        return StyleRenderer(self.G, noise_mode=str(self.noise))

    def _images(self, numbers: range) -> Iterator[np.ndarray]:
        """Image after image, frame after frame."""
        if isinstance(self.noise, MovingNoise):
            return self.noise.images(self._frame_styles(numbers), numbers)
        transforms = None if self.transforms is None else self._moves(numbers)
        cells = self._num_cells
        seeds = (number * cells + cell for number in numbers for cell in range(cells))
        ws = itertools.chain.from_iterable(self._frame_styles(numbers))
        return self._renderer.images(ws, transforms=transforms, noise_seeds=seeds)

    def _frame_styles(self, numbers: range) -> Iterator[np.ndarray]:
        for first in range(0, len(numbers), _BLOCK):
            yield from self.styles(numbers[first : first + _BLOCK])

    def _moves(self, numbers: range) -> Iterator[np.ndarray]:
        """The transform of each image."""
        if self.transforms is not None:
            for number in numbers:
                yield from itertools.repeat(self.transforms(np.array([number]))[0], self._num_cells)


def interpolate(
    G: Generator,
    seeds: Sequence[int],
    classes: Sequence[int] | None = None,
    *,
    labels: np.ndarray | None = None,
    frames_between: int = 30,
    interpolation: str = "cubic",
    easing: str = "linear",
    closed: bool = True,
    truncation_psi: float = 1.0,
    truncation_cutoff: int | None = None,
) -> Film:
    """A film that leads from seed to seed.

    Args:
        G: generator, usually G_ema.
        seeds: of the latents, one for each keyframe.
        classes: class of each seed, None for a network without labels.
        labels: [N,c_dim] in place of classes, for labels that are vectors of numbers.
        frames_between: frames from one seed to the next, 1 or more.
        interpolation: of INTERPOLATIONS.
        easing: of EASINGS.
        closed: whether the last seed leads back to the first.
        truncation_psi, truncation_cutoff: as in `generate`.

    Raises:
        ValueError: an argument does not fit.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=16, channel_base=64, channel_max=8)
        >>> film = sg_keras.inference.interpolate(G, [1, 2], frames_between=3, closed=False)
        >>> [frame.shape for frame in film.frames()]
        [(16, 16, 3), (16, 16, 3), (16, 16, 3), (16, 16, 3)]
    """
    c = labels_of(G, len(seeds), classes, labels)
    keyframes = [
        Keyframe(frames_between, (seed,), labels=c[i : i + 1], truncation_psi=truncation_psi, easing=easing)
        for i, seed in enumerate(seeds)
    ]
    return Film(
        G,
        style_path(G, keyframes, interpolation=interpolation, closed=closed, truncation_cutoff=truncation_cutoff),
    )


def pulsing(G: Generator, factors: Callable[[np.ndarray], np.ndarray], truncation_cutoff: int | None = None) -> Change:
    """A change of truncation: styles at frames [n] are pulled to factors(frames) [n] of their distance from the mean.

    Raises:
        ValueError: the network keeps no mean style.
    """
    w_avg = mean_style(G)
    return lambda frames, ws: truncated_frames(ws, w_avg, factors(frames), truncation_cutoff)


def pulse(num_frames: int, amount: float, count: float) -> Callable[[np.ndarray], np.ndarray]:
    """Factors [n] of `pulsing`: from 1 down to 1 - amount and back, so often in a film; whole numbers close."""
    return lambda frames: 1 - amount * (1 - np.cos(2 * np.pi * count * (frames % num_frames) / num_frames)) / 2


def held_styles(layers: Sequence[int], w: np.ndarray) -> Change:
    """A change to a film of style mixing: at some layers the styles are those of w [num_ws,w_dim] all the time."""
    chosen = np.array(layers, np.int64)

    def change(frames: np.ndarray, ws: np.ndarray) -> np.ndarray:
        mixed = np.array(ws)
        mixed[:, :, chosen] = w[chosen]
        return mixed

    return change


def moving_transforms(
    keyframes: Sequence[Keyframe], times: Times, interpolation: str = "cubic"
) -> Callable[[np.ndarray], np.ndarray] | None:
    """Transforms [n,3,3] of frames [n] from keyframe to keyframe, None where none of them moves anything.

    In a closed film the way from the last angle back to the first one is the shorter one: 0, 120, 240 turns round.
    """
    if not any(keyframe.rotate or keyframe.translate != (0, 0) for keyframe in keyframes):
        return None
    kind = interpolation if interpolation in ("cubic", "linear") else "linear"
    turn = 360 * round((keyframes[-1].rotate - keyframes[0].rotate) / 360)
    angles = Track(times, np.array([keyframe.rotate for keyframe in keyframes]), kind, turn=turn)
    places = Track(times, np.array([keyframe.translate for keyframe in keyframes]), kind)
    return lambda frames: np.stack(
        [
            inverse_transform((float(x), float(y)), float(angle))
            for (x, y), angle in zip(places.at(frames), angles.at(frames), strict=True)
        ]
    )


def steady_transforms(
    num_frames: int, translate: Sequence[tuple[float, float]], rotate: Sequence[float], closed: bool = True
) -> Callable[[np.ndarray], np.ndarray]:
    """Transforms [n,3,3] of frames [n] of an even motion over the film.

    Args:
        num_frames: of the film.
        translate, rotate: at its beginning and its end.
        closed: the end is the frame after the last one, else the last one.
    """
    last = max(num_frames if closed else num_frames - 1, 1)

    def at(frames: np.ndarray) -> np.ndarray:
        parts = (frames % num_frames) / last
        x, y = (a + (b - a) * parts for a, b in zip(*translate, strict=True))
        angles = rotate[0] + (rotate[1] - rotate[0]) * parts
        return np.stack([inverse_transform((a, b), angle) for a, b, angle in zip(x, y, angles, strict=True)])

    return at
