"""Generate images from seeds.

    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=0-15 --trunc=0.7 --outdir=out
    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=1,4,7-9 --class=3 --outdir=out
    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=0-3 --class=all --outdir=out
    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=0-3 --truncs=0.5,1 --outdir=out
    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=0-3 --label=0.1,0,1 --outdir=out
    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=5 --rotate=15 --outdir=out
    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=5 --size=512x256 --outdir=out
    python -m sg_keras.tools.generate --network=RUN_DIR --projected-w=projected_w.npz --outdir=out
    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=0-3 --outdir=out \\
        --directions=DIR --direction=smile:2.0

Writes seed0000.png, seed0001.png ... and all of them in grid.png.
"""

from __future__ import annotations

import itertools
import pathlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.errors import file_errors_explained
from sg_keras.flags.generate_options import GENERATE_OPTIONS
from sg_keras.tools.entry import run_tool

if TYPE_CHECKING:
    import numpy as np

    from sg_keras.inference import StyleRenderer
    from sg_keras.models import Generator
    from sg_keras.tools.generated_rows import FileStyles, Name, Row, SeedStyles
    from sg_keras.tools.style_changes import ChangedStyles


def main(argv: Sequence[str] | None = None) -> int:
    """Generate images as the command line says; returns the exit status."""
    return run_tool(_generate, __doc__ or "", GENERATE_OPTIONS, argv)


def _generate(values: dict[str, Any]) -> int:
    from sg_keras.tools.generated_rows import check_options, chosen_rows, chosen_styles, names_of
    from sg_keras.tools.network_option import load_generator
    from sg_keras.tools.shown_images import ShownImages
    from sg_keras.tools.style_changes import with_changes

    check_options(values)
    outdir = pathlib.Path(values["outdir"])
    G = load_generator(values["network"], values["ops"])
    source, rows = with_changes(chosen_styles(values, G), values, G), chosen_rows(values, G)
    renderer = _renderer(values, G)
    images = _images(renderer, source, rows, _transform(values, G.takes_transform))
    names = names_of(source, rows)
    shown = ShownImages(renderer.size, len(rows), len(source.columns))
    with file_errors_explained(outdir):
        outdir.mkdir(parents=True, exist_ok=True)
        for name, (w, image) in zip(names, _with_progress(images, len(names)), strict=True):
            _write_image(outdir, name, w, image, values)
            shown.add(image, name.words)
        files = shown.write(outdir, values["sheet"])
    rest = f" (the first {len(shown.images)}, which fit)" if len(names) > len(shown.images) else ""
    print(f"{len(names)} image{'s' if len(names) > 1 else ''}{files}{rest} in {outdir}")
    return 0


def _renderer(values: dict[str, Any], G: Generator) -> StyleRenderer:
    from sg_keras.config.sizes import ImageSize
    from sg_keras.inference import StyleRenderer

    if values["format"] == "jpeg" and G.img_channels == 4:
        raise ValueError("--format: found jpeg for RGBA images, expected png or webp, which have transparency")
    size = None if values["size"] is None else ImageSize(width=values["size"][0], height=values["size"][1])
    how = {name: values[name] for name in ("noise_mode", "batch", "extend")}
    return StyleRenderer(G, size=size, **how)


def _images(
    renderer: StyleRenderer,
    source: SeedStyles | FileStyles | ChangedStyles,
    rows: Sequence[Row],
    transform: np.ndarray | None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The styles of each image, and the image, row after row."""
    kept, rendered = itertools.tee(itertools.chain.from_iterable(source.of_row(row) for row in rows))
    images = renderer.images(
        rendered,
        transforms=None if transform is None else itertools.repeat(transform),
        noise_seeds=itertools.cycle(column.noise_seed for column in source.columns),
    )
    return zip(kept, images, strict=True)


def _with_progress(
    images: Iterable[tuple[np.ndarray, np.ndarray]], total: int
) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """The same, with a bar on a terminal."""
    if not sys.stderr.isatty():
        return images
    import rich.console
    import rich.progress

    console = rich.console.Console(stderr=True)
    return rich.progress.track(images, "generating", total, transient=True, console=console)


def _write_image(outdir: pathlib.Path, name: Name, w: np.ndarray, image: np.ndarray, values: dict[str, Any]) -> None:
    from sg_keras.files.atomic import atomic_file
    from sg_keras.inference import SUFFIXES, image_bytes, write_styles

    with atomic_file(outdir / f"{name.stem}{SUFFIXES[values['format']]}") as path:
        path.write_bytes(image_bytes(image, values["format"]))
    if values["save_w"]:
        write_styles(outdir / f"{name.stem}.npz", w[None])


def _transform(values: dict[str, Any], takes_transform: bool) -> np.ndarray | None:
    """What --translate and --rotate say, None where neither is given."""
    from sg_keras.inference import inverse_transform

    given = [f"--{name}" for name in ("translate", "rotate") if values[name] is not None]
    if not given:
        return None
    if not takes_transform:
        raise ValueError(f"{given[0]}: found it with StyleGAN2, expected StyleGAN3, which alone can move its images")
    return inverse_transform(values["translate"] or (0.0, 0.0), values["rotate"] or 0.0)


if __name__ == "__main__":
    sys.exit(main())
