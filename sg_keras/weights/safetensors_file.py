"""Networks in a safetensors file: weights under their published names, and what the networks are as JSON.

Tensors are called G.mapping.fc0.weight, D.b4.conv.weight, G_ema.synthesis.b4.const ..., in the published layout. The
file's metadata has "networks": {"G": {"kind", "config"}, ...} as JSON text.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from sg_keras.files.errors import first_line
from sg_keras.files.network_source import NETWORK_NAMES
from sg_keras.weights.network_description import NetworkDescription, description_from_json

_NETWORKS = "networks"


def write_safetensors(path: pathlib.Path, descriptions: Mapping[str, NetworkDescription]) -> None:
    """Write networks into a safetensors file."""
    tensors = {
        f"{name}.{key}": np.array(array, order="C")
        for name, description in descriptions.items()
        for key, array in description.weights.items()
    }
    networks = {name: {"kind": d.kind, "config": d.config} for name, d in descriptions.items()}
    # One entry alone: the library writes several in any order, and equal networks are to give equal files.
    safetensors.numpy.save_file(tensors, path, metadata={_NETWORKS: json.dumps(networks)})


def read_safetensors(path: pathlib.Path) -> dict[str, NetworkDescription]:
    """The networks of a safetensors file that write_safetensors wrote.

    Raises:
        ValueError: it is something else, or damaged. One line that names the file.
        OSError: it cannot be read.
    """
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            networks = _networks((file.metadata() or {}).get(_NETWORKS))
            names = list(file.keys())
            tensors = {name: file.get_tensor(name) for name in names}
        return {name: _description(name, networks.get(name), tensors) for name in NETWORK_NAMES}
    except safetensors.SafetensorError as error:
        reason = first_line(error)
        raise ValueError(f"{path}: found a damaged file ({reason}), expected a safetensors file") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _networks(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "null")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError("found weights without a description of networks, expected a file that convert wrote")
    return found


def _description(name: str, found: Any, tensors: Mapping[str, np.ndarray]) -> NetworkDescription:
    prefix = f"{name}."
    own = {key.removeprefix(prefix): array for key, array in tensors.items() if key.startswith(prefix)}
    return description_from_json(name, found, own)
