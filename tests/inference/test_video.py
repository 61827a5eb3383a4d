"""Walks through the styles and animated images."""

import io

import numpy as np
import pytest
from PIL import Image

from sg_keras.inference import film_bytes, generate, latent_walk
from tests.tiny_generator import tiny_generator


def test_a_walk_passes_through_its_seeds_and_is_closed():
    G = tiny_generator(c_dim=3, channels=1)
    frames = list(latent_walk(G, [4, 5, 6], [0, 1, 2], frames_between=4))
    assert len(frames) == 12
    still = list(generate(G, [4, 5, 6], [0, 1, 2]))
    for i in range(3):
        assert np.abs(frames[4 * i].astype(int) - still[i].astype(int)).max() <= 1
    steps = [np.abs(a.astype(float) - b).mean() for a, b in zip(frames, frames[1:] + frames[:1], strict=True)]
    assert max(steps) < 4 * np.median(steps)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([1], [0]), "latent walk: found 1 seeds"),
        (([1, 2], None), "class: found none"),
        (([1, 2], [0, 9]), "class: found 9"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        latent_walk(tiny_generator(c_dim=3, channels=1), *arguments)


@pytest.mark.parametrize("suffix", [".webp", ".png", ".gif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_films(suffix, channels):
    frames = [np.full([4, 6, channels], 60 * i, np.uint8) for i in range(4)]
    film = Image.open(io.BytesIO(film_bytes(frames, suffix, frames_per_sec=20, enlarge=2)))
    assert (film.n_frames, film.size) == (4, (12, 8))
    film.seek(2)
    film.load()
    assert (film.info["duration"], film.info["loop"]) == (50, 0)
    assert film.convert("RGB").getpixel((5, 5)) == (120, 120, 120)


def test_no_film_without_frames_or_format():
    with pytest.raises(ValueError, match="found no frames"):
        film_bytes([], ".gif")
    with pytest.raises(ValueError, match=r"found the suffix '\.mp4'"):
        film_bytes([np.zeros([2, 2, 1], np.uint8)], ".mp4")
