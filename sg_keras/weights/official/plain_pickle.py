"""Reads what version 0.1 wrote as .pkl: plain dictionaries and NumPy arrays.

`{"format", "about", "networks": {"G": {"kind", "config", "weights": {name: array}}, ...}}`, the weights under the
published names and in the published layouts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sg_keras.files.network_source import NETWORK_NAMES
from sg_keras.weights.network_description import NetworkDescription, description_from_json
from sg_keras.weights.official.plain_values import plain_array

FORMAT = "sg_keras networks 1"


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
