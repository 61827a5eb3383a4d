"""Writes pickles of objects whose classes are not here, instruction by instruction: the opposite of pickle_machine."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np

_PROTOCOL = 3
_NOTHING = object()


@dataclasses.dataclass(frozen=True)
class Name:
    """A reference to module.leaf, which whoever reads the file looks up."""

    module: str
    leaf: str


@dataclasses.dataclass(frozen=True, eq=False)
class Call:
    """function(*arguments), whose result is then given a state."""

    function: Name
    arguments: tuple[Any, ...] = ()
    state: Any = _NOTHING


@dataclasses.dataclass(frozen=True, eq=False)
class PersistentId:
    """A reference to something outside of the pickle."""

    value: Any


def pickled(value: Any) -> Iterator[bytes]:
    """A pickle of a value of these, containers, arrays, text and numbers, piece by piece."""
    yield pickle.PROTO + bytes([_PROTOCOL])
    yield from _instructions(value)
    yield pickle.STOP


def _instructions(value: Any) -> Iterator[bytes]:
    """What puts a value on the stack."""
    if isinstance(value, Name):
        yield pickle.GLOBAL + f"{value.module}\n{value.leaf}\n".encode()
    elif isinstance(value, Call):
        yield from _instructions(value.function)
        yield from _instructions(value.arguments)
        yield pickle.REDUCE
        if value.state is not _NOTHING:
            yield from _instructions(value.state)
            yield pickle.BUILD
    elif isinstance(value, PersistentId):
        yield from _instructions(value.value)
        yield pickle.BINPERSID
    elif isinstance(value, np.ndarray):
        yield from _instructions(_array(value))
    elif isinstance(value, tuple | list):
        yield pickle.MARK if isinstance(value, tuple) else pickle.EMPTY_LIST + pickle.MARK
        for item in value:
            yield from _instructions(item)
        yield pickle.TUPLE if isinstance(value, tuple) else pickle.APPENDS
    elif isinstance(value, dict):
        yield pickle.EMPTY_DICT + pickle.MARK
        for pair in value.items():
            for item in pair:
                yield from _instructions(item)
        yield pickle.SETITEMS
    else:
        yield pickle.dumps(value, _PROTOCOL)[2:-1]  # without its beginning and its end


def _array(value: np.ndarray) -> Call:
    """An array under the names that every version of NumPy knows."""
    value = np.array(value, order="C")
    code, order = value.dtype.str[1:], value.dtype.str[0]
    dtype = Call(Name("numpy", "dtype"), (code, False, True), (3, order, None, None, None, -1, -1, 0))
    empty = (Name("numpy", "ndarray"), (0,), b"b")
    state = (1, value.shape, dtype, False, value.tobytes())
    return Call(Name("numpy.core.multiarray", "_reconstruct"), empty, state)
