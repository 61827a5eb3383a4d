"""A pickle of plain dictionaries and NumPy arrays, which any Python with NumPy reads without anybody's classes.

Official files hold objects of classes whose source text they bring along. That text is not ours to write, so a network
of ours cannot become such a file; its weights, under the published names and in the published layouts, can leave in
this one. `{"format", "about", "networks": {"G": {"kind", "config", "weights": {name: array}}, ...}}`.
"""

from __future__ import annotations

import pathlib
import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np

from sg_keras.files.network_source import NETWORK_NAMES
from sg_keras.weights.network_description import NetworkDescription, description_from_json
from sg_keras.weights.official.plain_values import plain_array

FORMAT = "sg_keras networks 1"
_ABOUT = (
    "Weights by published name in the published layout ([out,in,kh,kw], [out,in]), not yet multiplied by the run-time "
    "gain of the equalised learning rate. Not an official StyleGAN pickle: there are no classes in it."
)
_PROTOCOL = 4  # the newest that holds arrays as bytes


def is_plain_pickle(content: Mapping[Any, Any]) -> bool:
    """Whether a pickle's dictionary says that it is one of these."""
    return isinstance(content.get("format"), str) and "networks" in content


def plain_networks(content: Mapping[Any, Any]) -> dict[str, NetworkDescription]:
    """Descriptions of the networks of such a file.

    Raises:
        ValueError: it is of another version or incomplete.
    """
    networks = content["networks"]
    if content["format"] != FORMAT or not isinstance(networks, dict):
        raise ValueError(f"found the format {ascii(content['format'])[:60]}, expected {FORMAT!r}")
    return {name: _network(name, networks.get(name)) for name in NETWORK_NAMES}


def _network(name: str, found: Any) -> NetworkDescription:
    weights = found.get("weights") if isinstance(found, dict) else None
    if not isinstance(weights, dict):
        raise ValueError(f"{name}: found no weights, expected a network")
    arrays = {key: plain_array(value) for key, value in weights.items()}
    if any(array is None or not isinstance(key, str) for key, array in arrays.items()):
        raise ValueError(f"{name}: found weights that are no arrays, expected a network")
    return description_from_json(name, found, {key: array for key, array in arrays.items() if array is not None})


def write_plain_pickle(path: pathlib.Path, descriptions: Mapping[str, NetworkDescription]) -> None:
    """Write networks into a plain pickle."""
    networks = {
        name: {
            "kind": description.kind,
            "config": description.config,
            "weights": {key: np.asarray(array, order="C") for key, array in description.weights.items()},
        }
        for name, description in descriptions.items()
    }
    with path.open("wb") as file:
        pickle.dump({"format": FORMAT, "about": _ABOUT, "networks": networks}, file, protocol=_PROTOCOL)
