"""What is written of a projected image, and whether it is there already."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sg_keras.files.atomic import atomic_file, write_text

if TYPE_CHECKING:
    from sg_keras.tools.projection_targets import Target

DISTANCES_FILE = "distances.json"  # written last: what has it is complete
_ENLARGED = 128  # pixels of a film's shorter side, at least
_FRAMES_PER_SEC = 30.0


def is_done(folder: pathlib.Path, record: Mapping[str, Any]) -> bool:
    """Whether an image has been projected into a folder, in the same way.

    Raises:
        ValueError: it has been, but otherwise; one line.
        OSError: what is there cannot be read.
    """
    path = folder / DISTANCES_FILE
    if not path.is_file():
        return False
    try:
        before = json.loads(path.read_text(encoding="utf-8"))["projection"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"--outdir: {path}: found something else, expected distances of a projection") from error
    changed = [name for name in record if before.get(name) != record[name]]
    if changed:
        raise ValueError(
            f"--outdir: {folder}: found a projection with another {changed[0]} ({before.get(changed[0])}), expected "
            f"{record[changed[0]]}, or an --outdir without it"
        )
    return True


def write_projection(
    folder: pathlib.Path,
    target: Target,
    image: np.ndarray,
    ws: np.ndarray,
    distances: Mapping[str, Any],
    tuned: np.ndarray | None = None,
) -> None:
    """Write target.png, proj.png, tuned.png, comparison.png, projected_w.npz, and last distances.json.

    Args:
        folder: exists.
        target: what was projected.
        image: uint8 [H,W,C] that the network makes of ws.
        ws: styles [num_ws,w_dim].
        distances: for distances.json.
        tuned: what the tuned network makes of ws.
    """
    from sg_keras.inference import write_styles

    images = {"target": target.pixels, "proj": image, **({} if tuned is None else {"tuned": tuned})}
    for name, pixels in images.items():
        _write_png(folder / f"{name}.png", pixels)
    _write_png(folder / "comparison.png", side_by_side(list(images.values())))
    write_styles(folder / "projected_w.npz", ws[np.newaxis])
    write_text(folder / DISTANCES_FILE, json.dumps(distances, indent=2) + "\n")


def write_way(folder: pathlib.Path, target: Target, frames: Iterable[np.ndarray]) -> None:
    """Write way.webp, the film of a projection beside its target, of images uint8 [H,W,C]."""
    from sg_keras.inference import film_bytes

    enlarge = max(1, _ENLARGED // min(target.pixels.shape[:2]))
    pairs = (side_by_side([target.pixels, frame]) for frame in frames)
    with atomic_file(folder / "way.webp") as path:
        path.write_bytes(film_bytes(pairs, ".webp", frames_per_sec=_FRAMES_PER_SEC, enlarge=enlarge))


def side_by_side(images: Sequence[np.ndarray]) -> np.ndarray:
    """Images uint8 [H,W,C] in a row, as people can look at them."""
    from sg_keras.inference import tile, viewable

    return tile(viewable(np.stack(images)), len(images))


def _write_png(path: pathlib.Path, image: np.ndarray) -> None:
    from sg_keras.inference import png_bytes

    with atomic_file(path) as beside:
        beside.write_bytes(png_bytes(image))
