"""Mix styles: a table of images with the coarse or fine styles of others.

    python -m sg_keras.tools.style_mixing --network=RUN_DIR --rows=85,100 --cols=55,821 \\
        --styles=0-6 --outdir=out

Writes ROW-COL.png, each seed's own image as SEED-SEED.png, and the table as grid.png, with the
columns' own images at the top and the rows' on the left.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.errors import file_errors_explained
from sg_keras.flags.style_mixing_options import STYLE_MIXING_OPTIONS
from sg_keras.tools.entry import run_tool

if TYPE_CHECKING:
    import numpy as np

    from sg_keras.models import Generator


def main(argv: Sequence[str] | None = None) -> int:
    """Mix styles as the command line says; returns the exit status."""
    return run_tool(_mix, __doc__ or "", STYLE_MIXING_OPTIONS, argv)


def _mix(values: dict[str, Any]) -> int:
    import numpy as np

    from sg_keras.config.sizes import image_size
    from sg_keras.files.atomic import atomic_file
    from sg_keras.inference import png_bytes
    from sg_keras.tools.network_option import load_generator
    from sg_keras.tools.shown_images import ShownImages

    outdir, rows, columns = pathlib.Path(values["outdir"]), values["rows"], values["cols"]
    G = load_generator(values["network"], values["ops"])
    images = _images(values, G)
    table = ShownImages(image_size(G.image_shape[:2]), 1 + len(rows), 1 + len(columns))
    table.add(np.zeros(G.image_shape, np.uint8), ())
    places = [(seed, seed) for seed in columns]
    for row in rows:
        places += [(row, row), *((row, column) for column in columns)]
    with file_errors_explained(outdir):
        outdir.mkdir(parents=True, exist_ok=True)
        for (row, column), image in zip(places, images, strict=True):
            with atomic_file(outdir / f"{row}-{column}.png") as path:
                path.write_bytes(png_bytes(image))
            table.add(image, ())
        files = table.write(outdir, with_sheet=False)
    print(f"{len(rows)} x {len(columns)} mixed images, those of the seeds{files} in {outdir}")
    return 0


def _images(values: dict[str, Any], G: Generator) -> Iterator[np.ndarray]:
    from sg_keras.inference import mix
    from sg_keras.tools.label_options import chosen_labels
    from sg_keras.tools.network_option import label_facts

    rows, columns = values["rows"], values["cols"]
    try:
        return mix(
            G,
            rows,
            columns,
            values["styles"],
            labels=chosen_labels({**values, "seeds": (*rows, *columns)}, G.c_dim, *label_facts(values["network"])),
            truncation_psi=values["trunc"],
            truncation_cutoff=values["trunc_cutoff"],
            noise_mode=values["noise_mode"],
        )
    except ValueError as error:
        raise ValueError(str(error) if str(error).startswith("--") else f"--{error}") from error


if __name__ == "__main__":
    sys.exit(main())
