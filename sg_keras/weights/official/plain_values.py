"""The names that an official file may use, and the plain values that take the place of their objects."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from sg_keras.weights.official.bounded_reader import RefusedPickleError
from sg_keras.weights.official.pickle_machine import AllowedName, Names
from sg_keras.weights.official.torch_storages import rebuild_parameter, rebuild_tensor

_NUMBER_TYPES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
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


class TypeRecord:
    """A NumPy type of numbers.

    Args:
        code: as NumPy writes it, such as f4.
        align, copy: said by every file, without meaning here.
    """

    def __init__(self, code: str, align: Any = False, copy: Any = True) -> None:
        del align, copy
        if code not in _NUMBER_TYPES:
            raise RefusedPickleError(f"found an array of type {ascii(code)[:40]}, expected numbers")
        self.dtype = np.dtype(code)

    def set_state(self, state: Any) -> None:
        """Byte order, the second of the values that NumPy writes."""
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise RefusedPickleError("found an unknown byte order, expected < or >")
        self.dtype = self.dtype.newbyteorder(order)


class ArrayRecord:
    """A NumPy array, whose contents come after it was made."""

    array: np.ndarray | None = None

    def set_state(self, state: Any) -> None:
        """(version, shape, type, order, bytes), as NumPy writes them."""
        _, shape, kind, fortran, data = state
        self.array = _array(data, kind, shape, "F" if fortran else "C")


def plain_array(value: Any) -> np.ndarray | None:
    """A tensor, an array or a number of a file as an array; None if it is something else."""
    if isinstance(value, ArrayRecord):
        return value.array
    if isinstance(value, np.ndarray):
        return value
    return np.asarray(value) if type(value) in (int, float) else None


def _array(data: Any, kind: Any, shape: Any, order: str) -> np.ndarray:
    if not isinstance(kind, TypeRecord) or not isinstance(data, bytes | bytearray):
        raise RefusedPickleError(f"found an array of {type(data).__name__}, expected numbers as bytes")
    if type(shape) is not tuple or len(shape) > 8 or not all(type(n) is int and 0 <= n < 2**62 for n in shape):
        raise RefusedPickleError("found an array without a shape, expected its numbers of rows and columns")
    expected = math.prod(shape) * kind.dtype.itemsize
    if len(data) != expected:
        raise RefusedPickleError(f"found {len(data)} bytes for an array of shape {list(shape)}, expected {expected}")
    array = np.frombuffer(data, kind.dtype).reshape(shape, order="F" if order == "F" else "C")
    array.flags.writeable = False
    return array


def _new_array(subtype: Any, shape: Any, code: Any) -> ArrayRecord:
    return ArrayRecord()


def _array_from_buffer(data: Any, kind: Any, shape: Any, order: Any = "C", axes: Any = None) -> np.ndarray:
    if axes is not None:
        raise RefusedPickleError("found an array of another axis order, expected C or F")
    return _array(data, kind, shape, order)


def _number(kind: Any, data: Any) -> int | float | bool:
    return _array(data, kind, (), "C").item()


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


def _named(make: Any, *names: str) -> dict[tuple[str, str], AllowedName]:
    split = [name.rpartition(".") for name in names]
    return {(module, leaf): AllowedName(f"{module}.{leaf}", make) for module, _, leaf in split}


#: The dictionary of state dictionaries.
ORDERED_DICT: Names = _named(_dictionary, "collections.OrderedDict")


def official_names(load_storage: Any) -> Names:
    """The allow-list of an official file.

    Args:
        load_storage: makes the storage of the bytes of one of torch's streams.
    """
    arrays = ("numpy.core.multiarray", "numpy._core.multiarray")
    return {
        **ORDERED_DICT,
        **_named(_dictionary, "dnnlib.util.EasyDict", "dnnlib.EasyDict"),
        **_named(_set, "builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset"),
        **_named(_torch_module, "torch_utils.persistence._reconstruct_persistent_obj"),
        **_named(_tensorflow_network, "dnnlib.tflib.network.Network"),
        **_named(load_storage, "torch.storage._load_from_bytes"),
        **_named(rebuild_tensor, "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"),
        **_named(rebuild_parameter, "torch._utils._rebuild_parameter"),
        **_named(_torch_size, "torch.Size"),
        **_named(_new_array, *(f"{module}._reconstruct" for module in arrays)),
        **_named(_number, *(f"{module}.scalar" for module in arrays)),
        **_named(_array_from_buffer, "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"),
        **_named(TypeRecord, "numpy.dtype"),
        **_named(None, "numpy.ndarray"),
    }
