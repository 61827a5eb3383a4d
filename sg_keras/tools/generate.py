"""Generate images from seeds.

    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=0-15 --trunc=0.7 --outdir=out
    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=1,4,7-9 --class=3 --outdir=out
    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=0-3 --label=0.1,0,1 --outdir=out
    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=5 --rotate=15 --outdir=out

Writes seed0000.png, seed0001.png ... and all of them in grid.png.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.errors import file_errors_explained
from sg_keras.flags.tool_options import GENERATE_OPTIONS
from sg_keras.tools.entry import run_tool
from sg_keras.tools.label_options import chosen_labels
from sg_keras.tools.network_option import label_facts, load_generator

if TYPE_CHECKING:
    import numpy as np

_LARGEST_GRID = 8192  # pixels a side


def main(argv: Sequence[str] | None = None) -> int:
    """Generate images as the command line says; returns the exit status."""
    return run_tool(_generate, __doc__ or "", GENERATE_OPTIONS, argv)


def _generate(values: dict[str, Any]) -> int:
    from sg_keras.inference import generate

    seeds, outdir = values["seeds"], pathlib.Path(values["outdir"])
    G = load_generator(values["network"], values["ops"])
    images = generate(
        G,
        seeds,
        labels=chosen_labels(values, G.c_dim, *label_facts(values["network"])),
        truncation_psi=values["trunc"],
        truncation_cutoff=values["trunc_cutoff"],
        noise_mode=values["noise_mode"],
        transform=_transform(values, G.takes_transform),
    )
    most = (_LARGEST_GRID // max(G.image_shape[:2])) ** 2
    with file_errors_explained(outdir):
        _write(outdir, seeds, images, most)
    rest = f" (the first {most}, which fit)" if len(seeds) > most else ""
    print(f"{len(seeds)} image{'s' if len(seeds) > 1 else ''} and grid.png{rest} in {outdir}")
    return 0


def _write(outdir: pathlib.Path, seeds: Sequence[int], images: Iterable[np.ndarray], most: int) -> None:
    """A file for each image, and the first `most` in the grid."""
    import numpy as np
    import rich.console
    import rich.progress

    from sg_keras.files.atomic import atomic_file
    from sg_keras.inference import grid_columns, png_bytes, tile, viewable

    outdir.mkdir(parents=True, exist_ok=True)
    in_grid: list[np.ndarray] = []
    shown = rich.progress.track(
        images,
        "generating",
        len(seeds),
        transient=True,
        console=rich.console.Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    for seed, image in zip(seeds, shown, strict=True):
        with atomic_file(outdir / f"seed{seed:04d}.png") as path:
            path.write_bytes(png_bytes(image))
        if len(in_grid) < most:
            in_grid.append(image)
    with atomic_file(outdir / "grid.png") as path:
        path.write_bytes(png_bytes(tile(viewable(np.stack(in_grid)), grid_columns(len(in_grid)))))


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
