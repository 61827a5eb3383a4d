"""Stills of films of every kind, a row each, as docs/films.md shows them.

    python -m examples.film_sheet --network=RUN_DIR --out=films.png

The network is one of classes 0 to 9, such as that of `make demo`.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import tempfile
from collections.abc import Sequence

import numpy as np
import scipy.io.wavfile
from PIL import Image

from sg_keras.files.atomic import atomic_file
from sg_keras.inference import named_rows, png_bytes
from sg_keras.tools import video

STILLS, ENLARGED = 16, 2
#: Name of the row -> options of the film.
FILMS: dict[str, tuple[str, ...]] = {
    "seeds, classes": ("--seeds=0-3", "--class=3,5,8,2"),
    "slerp in Z": ("--seeds=0-3", "--class=3", "--interpolation=slerp", "--easing=smooth"),
    "circle in Z": ("--seeds=5", "--class=7", "--interpolation=circle"),
    "noise loop": ("--seeds=5", "--class=9", "--interpolation=noise-loop", "--harmonics=3"),
    "class morph": ("--seeds=0", "--num-keyframes=10", "--class=0-9"),
    "truncation pulse": ("--seeds=11", "--class=4", "--trunc-pulse=1"),
    "style mixing": ("--seeds=0-3", "--class=3,8", "--mix-seed=9", "--mix-styles=middle"),
    "sound": ("--seeds=0-3", "--class=3,5,8,2", "--audio={wav}", "--audio-drives=bass=all"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Make the sheet; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_beats(folder / "beats.wav")
        rows = []
        for number, words in enumerate(FILMS.values()):
            film = folder / f"film{number}"
            given = [word.format(wav=folder / "beats.wav") for word in words]
            if video.main([f"--network={options.network}", f"--output={film}", "--w-frames=16", *given]):
                return 1
            rows.append(stills(film))
    sheet = named_rows(np.concatenate(rows), list(FILMS))
    with atomic_file(options.out) as beside:
        beside.write_bytes(png_bytes(sheet))
    return 0


def stills(film: pathlib.Path) -> np.ndarray:
    """Some frames of a folder of frames, evenly over the film, side by side."""
    paths = sorted(film.iterdir())
    chosen = [paths[index * len(paths) // STILLS] for index in range(STILLS)]
    row = np.concatenate([np.asarray(Image.open(path)) for path in chosen], axis=1)
    return row.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1).reshape([row.shape[0] * ENLARGED, -1, 1])


def write_beats(path: pathlib.Path, rate: int = 16000, seconds: float = 1.1) -> None:
    """A sound of low beats, four a second, which fade."""
    since = (np.arange(int(rate * seconds)) / rate) % 0.25
    scipy.io.wavfile.write(path, rate, (0.8 * np.exp(-12 * since) * np.sin(400 * since)).astype(np.float32))


if __name__ == "__main__":
    sys.exit(main())
