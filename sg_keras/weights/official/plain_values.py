"""The names that an official file may use, and the plain values that take the place of their objects."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from sg_keras.data.pickled_arrays import ArrayRecord, array_names, named
from sg_keras.files.bounded_reader import RefusedPickleError
from sg_keras.files.pickle_machine import Names
from sg_keras.weights.official.torch_storages import rebuild_parameter, rebuild_tensor

TORCH_MODULE, TENSORFLOW_NETWORK = "torch module", "tensorflow network"


@dataclasses.dataclass(eq=False, repr=False)
class ObjectRecord:
    """An object of a file: what it was, and its attributes.

    Attributes:
        kind: TORCH_MODULE or TENSORFLOW_NETWORK.
        class_name: in the file's words. The program text that a file brings along is dropped unread.
        state: attributes by name.
    """

    kind: str
    class_name: str
    state: dict[str, Any] = dataclasses.field(default_factory=dict)

    def set_state(self, state: Any) -> None:
        """Take the attributes over."""
        if type(state) is not dict:
            raise RefusedPickleError(f"found a {type(state).__name__} as the state of {self.kind}, expected attributes")
        self.state = state


def plain_array(value: Any) -> np.ndarray | None:
    """A tensor, an array or a number of a file as an array; None if it is something else."""
    if isinstance(value, ArrayRecord):
        return value.array
    if isinstance(value, np.ndarray):
        return value
    return np.asarray(value) if type(value) in (int, float) else None


def _dictionary(pairs: Iterable[Any] = ()) -> dict[Any, Any]:
    if isinstance(pairs, dict):
        return dict(pairs)
    result = {}
    for key, value in pairs:
        if not isinstance(key, str | int):
            raise RefusedPickleError(f"found a {type(key).__name__} as a key, expected text or a number")
        result[key] = value
    return result


def _set(values: Iterable[Any] = ()) -> set[Any]:
    values = list(values)
    if not all(isinstance(value, str | int | float) for value in values):
        raise RefusedPickleError("found a set of objects, expected text or numbers")
    return set(values)


def _torch_module(meta: Any) -> ObjectRecord:
    name, state = meta["class_name"], meta["state"]
    if meta["type"] != "class" or type(name) is not str or type(state) is not dict:
        raise RefusedPickleError("found an object without class name and state, expected a torch module")
    return ObjectRecord(TORCH_MODULE, name, state)


def _tensorflow_network() -> ObjectRecord:
    return ObjectRecord(TENSORFLOW_NETWORK, "Network")


def _torch_size(values: Iterable[Any] = ()) -> tuple[Any, ...]:
    return tuple(values)


#: The dictionary of state dictionaries.
ORDERED_DICT: Names = named(_dictionary, "collections.OrderedDict")


def official_names(load_storage: Any) -> Names:
    """The allow-list of an official file.

    Args:
        load_storage: makes the storage of the bytes of one of torch's streams.
    """
    return {
        **ORDERED_DICT,
        **named(_dictionary, "dnnlib.util.EasyDict", "dnnlib.EasyDict"),
        **named(_set, "builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset"),
        **named(_torch_module, "torch_utils.persistence._reconstruct_persistent_obj"),
        **named(_tensorflow_network, "dnnlib.tflib.network.Network"),
        **named(load_storage, "torch.storage._load_from_bytes"),
        **named(rebuild_tensor, "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"),
        **named(rebuild_parameter, "torch._utils._rebuild_parameter"),
        **named(_torch_size, "torch.Size"),
        **array_names(),
    }
