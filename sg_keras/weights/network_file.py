"""Networks in single files of other formats, and snapshots made from them."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Mapping

import keras

from sg_keras.files.atomic import atomic_file
from sg_keras.files.network_source import NETWORK_NAMES, format_of_file
from sg_keras.weights.network_description import build_networks, describe
from sg_keras.weights.official import read_official_pickle
from sg_keras.weights.official.official_file import write_official_pickle
from sg_keras.weights.snapshot import write_snapshot

PICKLES, SAFETENSORS = (".pkl", ".pickle"), ".safetensors"
_FOREIGN = (".pt", ".pth", ".h5", ".hdf5", ".keras", ".onnx", ".npz", ".zip", ".tflite", ".json", ".index")


def read_network_file(path: pathlib.Path, ops: str, names: Iterable[str] = NETWORK_NAMES) -> dict[str, keras.Model]:
    """G, D and G_ema of an official pickle, an older plain pickle of ours or a safetensors file, in full precision.

    Args:
        path: of the file, whose ending or, without a known one, beginning says which kind it is.
        ops: implementation of the fused ops: "auto", "custom" or "reference".
        names: which networks are wanted.

    Raises:
        ValueError: it is something else, damaged, or holds a network that ours cannot be. One line that names the file.
        OSError: it cannot be read.
    """
    if format_of_file(path) == "safetensors":
        from sg_keras.weights.safetensors_file import read_safetensors

        descriptions = read_safetensors(path)
    else:
        descriptions = read_official_pickle(path)
    try:
        return build_networks(descriptions, ops, names)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def check_destination(path: pathlib.Path) -> None:
    """Refuse a place where something is already, and endings of formats that are not written.

    Raises:
        ValueError: it is such a place.
    """
    if path.exists():
        raise ValueError(f"{path}: found it there already, expected a new file or folder")
    if path.suffix.lower() in _FOREIGN:
        raise ValueError(f"{path}: found the ending {path.suffix}, expected .safetensors, .pkl or a folder's name")


def write_networks(path: pathlib.Path, networks: Mapping[str, keras.Model]) -> str:
    """Write networks as a file or a folder, which must not be there yet, and which appears when it is complete.

    Args:
        path: NAME.safetensors, NAME.pkl (an official layout, without program text), or a folder for a network snapshot.
        networks: G, D and G_ema.

    Returns:
        What was written, in words.

    Raises:
        ValueError: there is something already, the name's ending is another format's, or the format cannot hold the
            networks.
    """
    check_destination(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == SAFETENSORS:
        from sg_keras.weights.safetensors_file import write_safetensors

        with atomic_file(path) as beside:
            write_safetensors(beside, {name: describe(network) for name, network in networks.items()})
        return "weights under their published names, and a description of the networks in the metadata"
    if path.suffix.lower() in PICKLES:
        try:
            with atomic_file(path) as beside:
                return write_official_pickle(beside, networks)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
    write_snapshot(path, networks.values(), None)
    return "a network snapshot"
