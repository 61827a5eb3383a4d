"""StyleGAN2's noise images in motion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from sg_keras.inference.style_renderer import StyleRenderer
from sg_keras.models import Generator

Phases = Callable[[np.ndarray], np.ndarray]


class MovingNoise:
    """Noise images that begin as those stored in the network and change smoothly; their variance stays the same.

    Args:
        G: generator of StyleGAN2; it stays as it is, a copy of it gets the noise.
        phases: of frames [n]: [n], how far the noise has come. From whole number to whole number it goes over from one
            noise image to the next.
        closed: the noise moves on a circle, a turn of which is a phase of 4, rather than on and on.
        seed: of the noise images.

    Raises:
        ValueError: the network has no noise.
    """

    def __init__(self, G: Generator, phases: Phases, *, closed: bool, seed: int = 0) -> None:
        self._copy = Generator.from_config(G.get_config())
        for mine, given in zip(self._copy.variables, G.variables, strict=True):
            mine.assign(given)
        self._targets = [v for v in self._copy.variables if v.path.endswith("noise_const")]
        if not self._targets:
            raise ValueError("noise: found a network without noise inputs (StyleGAN3), expected const")
        self._stored = [np.asarray(target) for target in self._targets]
        self._phases, self._closed, self._seed = phases, closed, seed
        self._drawn: dict[int, list[np.ndarray]] = {0: self._stored}
        self._renderer = StyleRenderer(self._copy)

    def images(self, frame_styles: Iterable[np.ndarray], numbers: Iterable[int]) -> Iterator[np.ndarray]:
        """Images uint8 [H,W,C] of styles [cells,num_ws,w_dim] of frames of some numbers, one after another."""
        for ws, number in zip(frame_styles, numbers, strict=True):
            for target, value in zip(self._targets, self.at(number), strict=True):
                target.assign(value)
            yield from self._renderer.images(ws)  # batches end with the frame, whose noise is its own

    def at(self, number: int) -> list[np.ndarray]:
        """Noise images of a frame, one for each layer."""
        phase = float(self._phases(np.array([number]))[0])
        first = 0 if self._closed else int(np.floor(phase))
        angle = (phase - first) * np.pi / 2
        pairs = zip(self._image(first), self._image(first + 1), strict=True)
        mixed = [np.cos(angle) * a + np.sin(angle) * b for a, b in pairs]
        for index in [kept for kept in self._drawn if kept not in (first, first + 1)]:
            del self._drawn[index]
        return mixed

    def _image(self, index: int) -> list[np.ndarray]:
        if index == 0:
            return self._stored
        if index not in self._drawn:
            random = np.random.RandomState([self._seed, index])
            self._drawn[index] = [random.randn(*stored.shape) for stored in self._stored]
        return self._drawn[index]


def steady_phases(num_frames: int, fps: float, seconds: float, closed: bool) -> Phases:
    """Phases of noise that moves evenly.

    Args:
        num_frames: of the film.
        fps: its frames per second.
        seconds: from one noise image to the next; in a closed film nearly so, for whole turns.
        closed: whether the film's end goes over into its beginning.
    """
    per_frame = 1 / (seconds * fps)
    if closed:
        turns = max(round(num_frames * per_frame / 4), 1)
        return lambda frames: 4 * turns * (frames % num_frames) / num_frames
    return lambda frames: frames * per_frame
