"""Drag points of an image to other places; the network makes an image that fits.

    python -m sg_keras.tools.drag --network=RUN_DIR --seed=4 --points="10,12>20,12" --outdir=out
    python -m sg_keras.tools.drag --network=RUN_DIR --projected-w=W.npz --points="10,12>20,12;5,5>5,9" --outdir=out

Writes before.png and after.png, arrows.png (both, with the points), dragged_w.npz and the film way.webp.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sg_keras.files.errors import file_errors_explained
from sg_keras.flags.drag_options import DRAG_OPTIONS
from sg_keras.tools.entry import run_tool
from sg_keras.tools.label_options import chosen_labels
from sg_keras.tools.network_option import label_facts, load_generator, named_errors
from sg_keras.tools.shown_progress import ShownProgress, stages

if TYPE_CHECKING:
    from sg_keras.inference.dragging import DragStep
    from sg_keras.models import Generator

_SHOWN_SIDE = 256  # pixels of the shorter side of what is drawn on, at least
_FRAMES_PER_SEC = 20.0


def main(argv: Sequence[str] | None = None) -> int:
    """Drag as the command line says; returns the exit status."""
    return run_tool(_drag, __doc__ or "", DRAG_OPTIONS, argv)


def _drag(values: dict[str, Any]) -> int:
    from sg_keras.inference.dragging import Dragger, DragSettings

    outdir = pathlib.Path(values["outdir"])
    G = load_generator(values["network"], values["ops"])
    names = ("num_steps", "learning_rate", "layers")
    dragger = Dragger(G, DragSettings(**{name: values[name] for name in names}))
    handles, targets = zip(*values["points"], strict=True)
    ws, mask = _ws(values, G), _mask(values, G)
    try:
        steps = dragger.steps(ws, handles, targets, mask)
    except ValueError as error:
        raise ValueError(f"--{error}") from error
    with ShownProgress(unit="steps") as shown:
        tell, way = stages(shown), []
        for step in steps:
            way.append(step)
            tell("dragging", step.done, step.total)
    with file_errors_explained(outdir):
        outdir.mkdir(parents=True, exist_ok=True)
        _write(outdir, G, way, values)
    last = way[-1]
    print(f"{last.done} steps, the farthest point is {last.left:.1f} pixels from its target: {outdir}")
    return 0


def _ws(values: dict[str, Any], G: Generator) -> np.ndarray:
    """[num_ws,w_dim] of the image."""
    from sg_keras.inference import latents, read_styles, styles

    if (values["seed"] is None) == (values["projected_w"] is None):
        found = "neither" if values["seed"] is None else "both"
        raise ValueError(f"--seed, --projected-w: found {found}, expected one of them: the image to begin with")
    if values["projected_w"] is not None:
        path = pathlib.Path(values["projected_w"])
        return named_errors("--projected-w", lambda: read_styles(path, G.num_ws, G.w_dim))[0]
    seeds = (values["seed"],)
    labels = chosen_labels({**values, "seeds": seeds}, G.c_dim, *label_facts(values["network"]))
    return styles(G, latents(seeds, G.z_dim), labels, truncation_psi=values["trunc"])[0]


def _mask(values: dict[str, Any], G: Generator) -> np.ndarray | None:
    from sg_keras.curation.decode import decode_original

    if values["mask"] is None:
        return None
    data = named_errors("--mask", pathlib.Path(values["mask"]).read_bytes)
    image = named_errors("--mask", lambda: decode_original(data)).image.convert("L")
    height, width, _ = G.image_shape
    if image.size != (width, height):
        raise ValueError(f"--mask: found {image.width}x{image.height}, expected {width}x{height}, the images' size")
    return np.asarray(image) >= 128


def _write(outdir: pathlib.Path, G: Generator, way: Sequence[DragStep], values: dict[str, Any]) -> None:
    from sg_keras.files.atomic import atomic_file
    from sg_keras.inference import StyleRenderer, film_bytes, png_bytes, tile, write_styles
    from sg_keras.inference.arrows import with_arrows

    targets = [target for _, target in values["points"]]
    images = list(StyleRenderer(G).images(step.ws for step in way))
    enlarge = max(1, _SHOWN_SIDE // min(G.image_shape[:2]))
    drawn = [with_arrows(image, step.handles, targets, enlarge) for image, step in zip(images, way, strict=True)]
    for name, image in (
        ("before", images[0]),
        ("after", images[-1]),
        ("arrows", tile(np.stack([drawn[0], drawn[-1]]), 2)),
    ):
        with atomic_file(outdir / f"{name}.png") as path:
            path.write_bytes(png_bytes(image))
    write_styles(outdir / "dragged_w.npz", way[-1].ws[np.newaxis])
    if values["save_video"]:
        with atomic_file(outdir / "way.webp") as path:
            path.write_bytes(film_bytes(drawn, ".webp", frames_per_sec=_FRAMES_PER_SEC))


if __name__ == "__main__":
    sys.exit(main())
