"""The folder of an export: what may be replaced, and the description that lies in it."""

from __future__ import annotations

import contextlib
import fnmatch
import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

import sg_keras
from sg_keras.files.atomic import atomic_folder, write_text
from sg_keras.models import Generator

DESCRIPTION_FILE = "description.json"
# How our code would run the network.
_NOT_DESCRIBED = ("name", "dtype", "trainable", "impl", "num_fp16_res", "half_dtype")


@contextlib.contextmanager
def export_folder(
    folder: str | pathlib.Path, own: Sequence[str], what: str
) -> Iterator[tuple[pathlib.Path, pathlib.Path]]:
    """Gives a new folder to fill and its place, which it takes when the block ends without an error.

    Args:
        folder: its place. What is there already is replaced if it is an export of the same kind.
        own: patterns of the names that such an export has, beside the description's.
        what: it is, for errors.

    Raises:
        ValueError: there is something else at the place.
    """
    place = pathlib.Path(folder).absolute().resolve()
    _check_replaceable(place, own, what)
    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(place) as beside:
        yield beside, place


def _check_replaceable(folder: pathlib.Path, own: Sequence[str], what: str) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"{folder}: found a file, expected a folder for {what}, or nothing yet")
    patterns = [DESCRIPTION_FILE, *own]
    names = sorted(entry.name for entry in folder.iterdir())
    others = [name for name in names if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    if others:
        raise ValueError(f"{folder}: found {others[0]} in it, expected an empty folder, an older export or nothing yet")


def write_description(folder: pathlib.Path, G: Generator, what: str, use: Sequence[str], **further: Any) -> None:
    """Write what people want to know of an export without opening it.

    Args:
        folder: of the export.
        G: the generator.
        what: format of the export.
        use: lines of a program that makes images with it.
        further: facts of the format.
    """
    description = {
        "format": what,
        **further,
        "use": list(use),
        "network": network_facts(G),
        "made_with": {"sg_keras": sg_keras.__version__, "tensorflow": tf.__version__, "keras": keras.__version__},
    }
    write_text(folder / DESCRIPTION_FILE, json.dumps(description, indent=2) + "\n")


def network_facts(G: Generator) -> dict[str, Any]:
    """The constructor arguments of a generator that say what it is, as JSON values."""
    return {key: value for key, value in G.get_config().items() if key not in _NOT_DESCRIBED}


def typed_latents(G: Generator) -> str:
    """The inputs of "generate" as a program in Python writes them into a dictionary of NumPy arrays."""
    labels = ["'c': c"] if G.c_dim > 0 else []
    return ", ".join(["'z': z", *labels, "'truncation_psi': np.array(0.7, np.float32)"])


def described_signatures(G: Generator, any_rank: bool = False) -> dict[str, Any]:
    """Inputs and outputs of each function of `GeneratorSignatures`, in words."""
    images = ["N", *G.image_shape]
    latents = {"z": f"float32 [N, {G.z_dim}], standard normal"}
    if G.c_dim > 0:
        latents["c"] = f"float32 [N, {G.c_dim}], the label: one-hot for classes"
    latents["truncation_psi"] = "float32 [], 1 for no truncation"
    ws = f"float32 [N, {G.num_ws}, {G.w_dim}]"
    outputs = {
        "images": f"float32 {images}, nominally -1..1".replace("'", ""),
        "images_uint8": f"uint8 {images}, 0..255".replace("'", ""),
    }
    signatures = {
        "mapping": {"inputs": latents, "outputs": {"ws": ws}},
        "synthesis": {"inputs": {"ws": ws}, "outputs": outputs},
        "generate": {"inputs": latents, "outputs": outputs},
    }
    if G.takes_transform:
        shape = "[3, 3] or [N, 3, 3]" if any_rank else "[N, 3, 3]"
        transform = f"float32 {shape}, the inverse of what the image does: x right, y down, shorter side 1"
        signatures["synthesis_transformed"] = {"inputs": {"ws": ws, "transform": transform}, "outputs": outputs}
    return signatures
