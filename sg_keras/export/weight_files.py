"""Generators and their companions as files that programs with this package, or with readers of weights, open."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

import keras

from sg_keras.export.folder import export_folder, write_description
from sg_keras.models import Generator, in_full_precision
from sg_keras.weights.network_file import write_networks

KERAS_FILE = "generator.keras"
FILES = {"safetensors": "networks.safetensors", "pkl": "networks.pkl"}


def export_keras(G: Generator, folder: str | pathlib.Path) -> pathlib.Path:
    """Write a generator as generator.keras, which Keras loads where this package is imported.

    Args:
        G: generator; the file's computes in float32.
        folder: where it goes. What is there already is replaced if it is such an export.

    Returns:
        The folder's absolute path.

    Raises:
        ValueError: the folder holds something else.
    """
    with export_folder(folder, [KERAS_FILE], "the Keras file") as (beside, place):
        in_full_precision(G, "auto").save(beside / KERAS_FILE)
        arguments = "z, c, truncation_psi=0.7" if G.c_dim > 0 else "z, truncation_psi=0.7"
        use = [
            "import keras, sg_keras",
            f"G = keras.saving.load_model('{place.name}/{KERAS_FILE}')",
            f"images = G({arguments})",
        ]
        write_description(beside, G, "Keras", use)
    return place


def export_weights(networks: Mapping[str, keras.Model], folder: str | pathlib.Path, kind: str) -> pathlib.Path:
    """Write G, D and G_ema as one file of weights under their published names.

    Args:
        networks: "G", "D" and "G_ema".
        folder: where it goes. What is there already is replaced if it is such an export.
        kind: "safetensors" or "pkl".

    Returns:
        The folder's absolute path.

    Raises:
        ValueError: the folder holds something else.
    """
    name = FILES[kind]
    with export_folder(folder, [name], "the weights") as (beside, place):
        written = write_networks(beside / name, networks)
        use = ["import sg_keras", f"G = sg_keras.load('{place.name}/{name}')['G_ema']"]
        write_description(beside, networks["G_ema"], kind, use, content=written)
    return place
