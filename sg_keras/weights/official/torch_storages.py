"""Tensors of PyTorch's older stream, as pickles of whole modules hold them, and checkpoint files.

A stream is a row of pickles (a magic number, the protocol, facts about the machine, the object, the list of storages'
keys), then each storage as an int64 count and raw values. A tensor is a view of a storage: offset, sizes, strides.
"""

from __future__ import annotations

import dataclasses
import io
import math
from typing import Any

import numpy as np

from sg_keras.files.bounded_reader import BoundedReader, Budget, RefusedPickleError
from sg_keras.files.pickle_machine import AllowedName, Names, unpickle

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_MAX_RANK = 8
_TYPES = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "b1",
}
_NAMES = {("torch", name): AllowedName(f"torch.{name}") for name in _TYPES}


@dataclasses.dataclass(eq=False, repr=False)
class Storage:
    """Values of one type in a row, of which tensors are views.

    Attributes:
        code: NumPy's code of the type.
        count: number of values.
        values: [count], None until they are read.
    """

    code: str
    count: int
    values: np.ndarray | None = None


def load_storage(data: Any, budget: Budget) -> Storage:
    """The storage in a stream.

    Args:
        data: bytes of the stream.
        budget: of the file.

    Raises:
        RefusedPickleError: it is no such stream, holds something else than one storage, or is too short.
    """
    if not isinstance(data, bytes):
        raise RefusedPickleError(f"found a {type(data).__name__} as a storage, expected bytes")
    result = load_stream(data, budget, {})
    if not isinstance(result, Storage):
        raise RefusedPickleError(f"found a {type(result).__name__} in one of torch's streams, expected a storage")
    if result.values is None:
        raise RefusedPickleError("found a storage without values, expected them at the end of the stream")
    return result


def load_stream(data: bytes, budget: Budget, names: Names) -> Any:
    """The object in a stream. Its storages have their values only now, not while the object is being made.

    Args:
        data: bytes of the stream.
        budget: of the file.
        names: what the object's pickle may use, beside torch's storages.

    Raises:
        RefusedPickleError: it is no such stream, uses other names, or is too short.
    """
    if data.startswith(b"PK\x03\x04"):
        raise RefusedPickleError("found a tensor in torch's zip format, expected its older stream")
    reader = BoundedReader(io.BytesIO(data), len(data), budget)
    storages: dict[str, Storage] = {}
    if unpickle(reader, {}) != _MAGIC or unpickle(reader, {}) != _PROTOCOL:
        raise RefusedPickleError("found a tensor without torch's magic number, expected one of torch's older streams")
    machine = unpickle(reader, {})
    order = ">" if isinstance(machine, dict) and machine.get("little_endian") is False else "<"
    result = unpickle(reader, {**_NAMES, **names}, lambda found: _new_storage(found, storages))
    keys = unpickle(reader, {})
    if type(keys) is not list:
        raise RefusedPickleError(f"found a {type(keys).__name__} in one of torch's streams, expected storages' keys")
    position = reader.tell()
    for key in keys:
        if type(key) is not str or key not in storages:
            raise RefusedPickleError("found values of an unknown storage, expected those that the stream names")
        position = _read_values(storages[key], data, position, order)
    return result


def _new_storage(found: Any, storages: dict[str, Storage]) -> Storage:
    """Of a persistent id ('storage', type, key, location, count[, view])."""
    kind, named, key, _, count, *view = found
    leaf = named.name.rpartition(".")[2] if isinstance(named, AllowedName) else ""
    if kind != "storage" or leaf not in _TYPES or type(key) is not str or type(count) is not int or count < 0:
        raise RefusedPickleError("found an unknown persistent id, expected a storage's")
    if view not in ([], [None]):
        raise RefusedPickleError("found a view of a storage, expected a whole one")
    storage = storages.setdefault(key, Storage(_TYPES[leaf], count))
    if (storage.code, storage.count) != (_TYPES[leaf], count):
        raise RefusedPickleError("found two storages of the same key, expected one")
    return storage


def _read_values(storage: Storage, data: bytes, position: int, order: str) -> int:
    """Read a storage's values; returns the position behind them."""
    count = int.from_bytes(data[position : position + 8], "little" if order == "<" else "big", signed=True)
    dtype = np.dtype(order + storage.code)
    start = position + 8
    if count != storage.count or len(data) - start < count * dtype.itemsize:
        raise RefusedPickleError(
            f"found a storage of {count} values in {max(len(data) - start, 0)} bytes, expected {storage.count} values "
            f"of {dtype.itemsize} bytes"
        )
    storage.values = np.frombuffer(data, dtype, count, start)
    return start + count * dtype.itemsize


def rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *further: Any) -> np.ndarray:
    """A tensor as a read-only view of its storage.

    Args:
        storage: of its values.
        offset: of its first value.
        size, stride: of each axis, in values.
        further: whether it has a gradient, and hooks: without meaning here.
    """
    del further
    if not isinstance(storage, Storage):
        raise RefusedPickleError(f"found a tensor of a {type(storage).__name__}, expected a storage")
    if storage.values is None:
        raise RefusedPickleError("found a tensor whose storage has no values, expected them at the end of the stream")
    numbers = [offset, *size, *stride]
    if len(size) != len(stride) or len(size) > _MAX_RANK or not all(type(n) is int and 0 <= n < 2**62 for n in numbers):
        raise RefusedPickleError("found a tensor without sizes and strides, expected one of each for every axis")
    count = math.prod(size)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    # A view with steps of 0 repeats values: a small storage would be a tensor of any size.
    if count > storage.count or (count and last >= storage.count):
        raise RefusedPickleError(
            f"found a tensor of shape {list(size)} at {offset} in a storage of {storage.count} values, "
            "expected it inside"
        )
    if not count:
        return np.zeros([min(n, storage.count) for n in size], storage.values.dtype)
    steps = [step * storage.values.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage.values[offset:], size, steps, writeable=False)


def rebuild_parameter(tensor: Any, *further: Any) -> np.ndarray:
    """A trainable tensor is a tensor."""
    del further
    if not isinstance(tensor, np.ndarray):
        raise RefusedPickleError(f"found a parameter of {type(tensor).__name__}, expected a tensor")
    return tensor
