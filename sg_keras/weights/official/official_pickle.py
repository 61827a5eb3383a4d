"""Reads an official network file of any kind into descriptions of its networks."""

from __future__ import annotations

import pathlib
from typing import Any

from sg_keras.files.bounded_reader import BoundedReader, Budget
from sg_keras.files.network_source import NETWORK_NAMES
from sg_keras.files.pickle_machine import unpickle
from sg_keras.weights.network_description import NetworkDescription
from sg_keras.weights.official.plain_pickle import is_plain_pickle, plain_networks
from sg_keras.weights.official.plain_values import TENSORFLOW_NETWORK, ObjectRecord, official_names
from sg_keras.weights.official.tensorflow_networks import tensorflow_networks
from sg_keras.weights.official.torch_networks import torch_networks
from sg_keras.weights.official.torch_storages import load_storage

_MAX_FILE_BYTES = 8 << 30
_MAX_SHARING = 4  # half precision doubles; G and G_ema may be one and the same object
_ZIP, _GZIP, _HDF5 = b"PK\x03\x04", b"\x1f\x8b", b"\x89HDF"
_EXPECTED = "a pickle of StyleGAN2-ADA or StyleGAN3 with G, D and G_ema"


def read_official_pickle(path: pathlib.Path) -> dict[str, NetworkDescription]:
    """The networks of an official file, or of a plain pickle that `convert` wrote.

    Nothing in the file is imported or run, whatever it says, and memory stays within a few times its length.

    Args:
        path: of a pickle of StyleGAN2-ADA (PyTorch or TensorFlow 1) or StyleGAN3, with G, D and G_ema.

    Returns:
        {"G", "D", "G_ema"}: what they are, and their weights.

    Raises:
        ValueError: it is something else, damaged, or holds a network that ours cannot be. One line that names the file.
        OSError: it cannot be read.
    """
    try:
        networks = _networks(read_records(path))
        _check_total(networks, path.stat().st_size)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    except (LookupError, TypeError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"{path}: found values that no network has, expected {_EXPECTED}") from error
    return networks


def read_records(path: pathlib.Path) -> Any:
    """The plain values of a pickle: records, arrays, containers, text and numbers.

    Raises:
        ValueError: it is no pickle, is damaged, or uses names that official files do not need.
    """
    size = path.stat().st_size
    if size > _MAX_FILE_BYTES:
        raise ValueError(f"found a file of {size >> 30} GiB, expected {_MAX_FILE_BYTES >> 30} GiB at most")
    with path.open("rb") as file:
        _check_beginning(file.read(4))
        file.seek(0)
        budget = Budget(size)
        return unpickle(BoundedReader(file, size, budget), official_names(lambda data: load_storage(data, budget)))


def _check_beginning(beginning: bytes) -> None:
    """Say plainly what people give by mistake."""
    if not beginning:
        raise ValueError(f"found an empty file, expected {_EXPECTED}")
    for mark, kind in (
        (_ZIP, "a zip file, as torch.save writes it (.pt, .pth)"),
        (_GZIP, "a gzip file"),
        (_HDF5, "an HDF5 file"),
        (b"<", "a web page or XML"),
        (b"version http"[:4], "a Git LFS pointer"),
    ):
        if beginning.startswith(mark):
            raise ValueError(f"found {kind}, expected {_EXPECTED}")


def _check_total(networks: dict[str, NetworkDescription], file_bytes: int) -> None:
    """Refuse weights that share memory: they take none here, but each would in the networks."""
    total = sum(4 * weight.size for network in networks.values() for weight in network.weights.values())
    if total > _MAX_SHARING * file_bytes:
        raise ValueError(
            f"found {total >> 10} kB of weights in a file of {file_bytes >> 10} kB, expected each weight by itself"
        )


def _is_tensorflow_network(value: Any) -> bool:
    return isinstance(value, ObjectRecord) and value.kind == TENSORFLOW_NETWORK


def _networks(content: Any) -> dict[str, NetworkDescription]:
    if type(content) is tuple and len(content) == 3 and all(_is_tensorflow_network(part) for part in content):
        return tensorflow_networks(*content)
    if type(content) is not dict:
        raise ValueError(f"found a pickle of a {type(content).__name__}, expected {_EXPECTED}")
    if is_plain_pickle(content):
        return plain_networks(content)
    missing = [name for name in NETWORK_NAMES if not isinstance(content.get(name), ObjectRecord)]
    if missing:
        raise ValueError(f"found no network {' and no '.join(missing)} in it, expected {_EXPECTED}")
    return torch_networks({name: content[name] for name in NETWORK_NAMES})
