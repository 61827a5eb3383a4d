"""Find directions in W along which a network's images change, and show them on a sheet.

    python -m sg_keras.tools.directions --network=RUN_DIR --outdir=directions
    python -m sg_keras.tools.directions --network=RUN_DIR --outdir=directions --name=3:smile,5:age
    python -m sg_keras.tools.directions --network=RUN_DIR --outdir=pose --method=pca --layers=0-3 --seeds=0-4
    python -m sg_keras.tools.generate --network=RUN_DIR --seeds=0-15 --outdir=out \\
        --directions=directions/directions.json --direction=smile:2.0

Writes directions.json and directions.npz, and sheet-seed0000.png ...: a row for each direction, a
column for each amount in standard deviations of w, the image itself in the middle. Directions can
be named with --name, or in directions.json, where some can also be taken out.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.errors import file_errors_explained
from sg_keras.flags.direction_options import DIRECTIONS_OPTIONS
from sg_keras.tools.entry import run_tool
from sg_keras.tools.label_options import chosen_labels, spread_labels
from sg_keras.tools.network_option import label_facts, load_generator, named_errors
from sg_keras.tools.shown_progress import ShownProgress, stages

if TYPE_CHECKING:
    import numpy as np

    from sg_keras.inference import Direction
    from sg_keras.models import Generator

_COLUMNS = 7


def main(argv: Sequence[str] | None = None) -> int:
    """Find directions as the command line says; returns the exit status."""
    return run_tool(_directions, __doc__ or "", DIRECTIONS_OPTIONS, argv)


def _directions(values: dict[str, Any]) -> int:
    from sg_keras.inference import latents, renamed, styles, write_directions
    from sg_keras.metrics.fakes import network_digest

    outdir = pathlib.Path(values["outdir"])
    G = load_generator(values["network"], values["ops"])
    facts = label_facts(values["network"])
    labels = chosen_labels(values, G.c_dim, *facts)
    found = _found(values, G, spread_labels(values, G.c_dim, *facts))
    before = named_errors("--outdir", lambda: _names_before(outdir, found))
    directions = named_errors("--name", lambda: renamed(found, {**before, **(values["name"] or {})}))
    ws = styles(
        G,
        latents(values["seeds"], G.z_dim),
        labels,
        truncation_psi=values["trunc"],
        truncation_cutoff=values["trunc_cutoff"],
    )
    with file_errors_explained(outdir):
        outdir.mkdir(parents=True, exist_ok=True)
        path = write_directions(outdir, directions, network_digest(G))
        _write_sheets(values, G, ws, directions)
    sheets = f"sheet-seed{values['seeds'][0]:04d}.png{' and so on' if len(ws) > 1 else ''}"
    print(f"{len(directions)} directions in {path}, and {sheets}, with {directions[0].name} in the first row")
    return 0


def _found(values: dict[str, Any], G: Generator, labels: np.ndarray | None) -> list[Direction]:
    """What the method finds."""
    from sg_keras.inference import closed_form_directions, principal_directions, sampled_styles

    find: Callable[..., list[Direction]] = principal_directions
    if values["method"] == "closed-form":
        find = closed_form_directions
    w = sampled_styles(G, seed=values["seed"], labels=labels)
    try:
        return find(G, values["count"], layers=values["layers"], w=w)
    except ValueError as error:
        raise ValueError(f"--{error}") from error


def _names_before(outdir: pathlib.Path, found: Sequence[Direction]) -> dict[int, str]:
    """Names, by number, that the same directions have in the folder already.

    Raises:
        ValueError: the folder holds other directions with names of their own, which would be lost; one line.
    """
    import numpy as np

    from sg_keras.inference import DIRECTIONS_FILE, read_directions

    path = outdir / DIRECTIONS_FILE
    if not path.exists():
        return {}
    earlier = read_directions(path).directions
    names = {
        number: one.name
        for number, direction in enumerate(found)
        for one in earlier
        if one.layers == direction.layers and np.allclose(one.vector, direction.vector, atol=1e-4)
    }
    given = [one.name for one in earlier if not one.name.startswith(f"{one.method}-")]
    lost = [name for name in given if name not in names.values()]
    if lost:
        raise ValueError(
            f"found {path} with other directions that were given names ({', '.join(lost[:3])}), expected another folder"
        )
    return names


def _write_sheets(values: dict[str, Any], G: Generator, ws: np.ndarray, directions: Sequence[Direction]) -> None:
    """A sheet for each of the styles [N,num_ws,w_dim]."""
    import numpy as np

    from sg_keras.files.atomic import atomic_file
    from sg_keras.inference import StyleRenderer, labelled_sheet, png_bytes, sheet_styles

    amounts = np.linspace(-values["amount"], values["amount"], _COLUMNS).tolist()
    columns = [f"{amount:+.3g}" if amount else "0" for amount in amounts]
    rows = [direction.name for direction in directions]
    renderer = StyleRenderer(G)
    with ShownProgress() as shown:
        tell, made, total = stages(shown), 0, len(ws) * len(rows) * len(columns)
        for seed, base in zip(values["seeds"], ws, strict=True):
            images = []
            for image in renderer.images(sheet_styles(base, directions, amounts)):
                images.append(image)
                made += 1
                tell("sheets", made, total)
            with atomic_file(pathlib.Path(values["outdir"]) / f"sheet-seed{seed:04d}.png") as path:
                path.write_bytes(png_bytes(labelled_sheet(images, rows, columns)))


if __name__ == "__main__":
    sys.exit(main())
