"""Make films of a network.

    python -m sg_keras.tools.video --network=RUN_DIR --seeds=0-3 --output=film.mp4
    python -m sg_keras.tools.video --network=RUN_DIR --seeds=0-31 --grid=4x2 --trunc=0.7 --output=film.mp4
    python -m sg_keras.tools.video --network=RUN_DIR --seeds=5 --interpolation=circle --seconds=8 --output=loop.webp
    python -m sg_keras.tools.video --network=RUN_DIR --seeds=0 --num-keyframes=10 --class=0-9 --output=morph.mp4
    python -m sg_keras.tools.video --network=RUN_DIR --timeline=film.json --output=film.mp4
    python -m sg_keras.tools.video --network=RUN_DIR --seeds=0-7 --audio=song.wav --output=song.mp4

Without further options the film is the published one: closed, cubic in W, 60 frames per second. It is
written as it is made; the same command goes on where it was interrupted. docs/films.md has all kinds.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.flags.video_options import VIDEO_OPTIONS
from sg_keras.tools.entry import run_tool
from sg_keras.tools.film_keyframes import check_sources
from sg_keras.tools.film_options import film_of, made_from
from sg_keras.tools.network_option import load_generator
from sg_keras.tools.shown_progress import ShownProgress

if TYPE_CHECKING:
    from sg_keras.curation.progress import Progress

_FPS, _FPS_OF_GIF = 60.0, 50.0


def main(argv: Sequence[str] | None = None) -> int:
    """Make a film as the command line says; returns the exit status."""
    return run_tool(_video, __doc__ or "", VIDEO_OPTIONS, argv)


def _video(values: dict[str, Any]) -> int:
    from sg_keras.inference.film_file import write_film
    from sg_keras.inference.film_formats import film_format
    from sg_keras.inference.film_sound import read_wav
    from sg_keras.metrics.fakes import network_digest

    path = pathlib.Path(values["output"])
    values["fps"] = values["fps"] or (_FPS_OF_GIF if path.suffix.lower() == ".gif" else _FPS)
    check_sources(values)
    wav = pathlib.Path(values["audio"]) if values["audio"] else None
    form = film_format(path, values["fps"], codec=values["codec"], crf=values["crf"], sound=wav)
    sound = None if wav is None else read_wav(wav)
    G = load_generator(values["network"], values["ops"])
    film = film_of(values, G, sound)
    with ShownProgress() as shown:
        before = write_film(
            path,
            film,
            form,
            made_from=made_from(values, network_digest(G)),
            enlarge=values["enlarge"],
            on_progress=_telling(shown),
        )
    there = f" ({before} of them were there already)" if before else ""
    seconds = film.num_frames / values["fps"]
    print(f"{film.num_frames} frames{there}, {seconds:.3g} s at {values['fps']:g} per second, in {path}")
    return 0


def _telling(shown: Callable[[Progress], None]) -> Callable[[int, int], None]:
    """Tells how long the rest takes, by what is made now: the first call says what was there before."""
    from sg_keras.curation.progress import clock

    ticks: list[Callable[[int], None]] = []

    def tell(done: int, total: int) -> None:
        if ticks:
            ticks[0](done)
        else:
            ticks.append(clock("film", total, done, shown))

    return tell


if __name__ == "__main__":
    sys.exit(main())
