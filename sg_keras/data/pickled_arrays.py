"""NumPy arrays and numbers in pickles, made from their bytes: for `sg_keras.files.pickle_machine`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sg_keras.files.bounded_reader import RefusedPickleError
from sg_keras.files.pickle_machine import AllowedName, Names

_NUMBER_TYPES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")


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


def _array(data: Any, kind: Any, shape: Any, order: str) -> np.ndarray:
    if isinstance(data, str):  # of Python 2, read as Latin-1
        data = data.encode("latin-1")
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


def named(make: Any, *names: str) -> dict[tuple[str, str], AllowedName]:
    """Entries of an allow-list: `make` under each of the names."""
    split = [name.rpartition(".") for name in names]
    return {(module, leaf): AllowedName(f"{module}.{leaf}", make) for module, _, leaf in split}


def array_names() -> Names:
    """The names that a pickle of arrays uses."""
    return {
        **named(_new_array, *(f"{module}._reconstruct" for module in _MODULES)),
        **named(_number, *(f"{module}.scalar" for module in _MODULES)),
        **named(_array_from_buffer, "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"),
        **named(TypeRecord, "numpy.dtype"),
        **named(None, "numpy.ndarray"),
    }
