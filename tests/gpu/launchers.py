"""The launchers by ctypes. Their structs are read from the headers, so that there is one definition of each."""

from __future__ import annotations

import ctypes
import functools
import pathlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.gpu import build
from tests.gpu.devices import Array, Device

_C_TYPES: dict[str, Any] = {
    "int32_t": ctypes.c_int32,
    "int64_t": ctypes.c_int64,
    "float": ctypes.c_float,
    "double": ctypes.c_double,
}
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_STRUCT = re.compile(r"struct (\w+) \{(.*?)\};", re.DOTALL)
_FIELD = re.compile(r"^(?:const )?(\w+)\s*(\*?)\s*(\w+)(?:\[(\d+)\])?$")
_LAUNCHER = re.compile(r"int (sg_keras_cuda_\w+)\(const struct (\w+)\s*\*")


class LaunchError(RuntimeError):
    """A launcher returned an error code."""


def _structure(name: str, body: str) -> type[ctypes.Structure]:
    fields: list[tuple[str, Any]] = []
    for line in filter(None, (part.strip() for part in body.split(";"))):
        match = _FIELD.match(line)
        if match is None:
            raise ValueError(f"struct {name}: found '{line}', expected one plain field")
        kind, pointer, field, count = match.groups()
        c_type = ctypes.c_void_p if pointer else _C_TYPES[kind]
        fields.append((field, c_type * int(count) if count else c_type))
    return type(name, (ctypes.Structure,), {"_fields_": fields})


@functools.cache
def declarations() -> dict[str, type[ctypes.Structure]]:
    """The struct of each launcher, by the launcher's name without its prefix."""
    text = "\n".join(_COMMENT.sub("", path.read_text(encoding="utf-8")) for path in build.headers())
    structs = {name: _structure(name, body) for name, body in _STRUCT.findall(text) if name.startswith("SgKeras")}
    return {name.removeprefix("sg_keras_cuda_"): structs[struct] for name, struct in _LAUNCHER.findall(text)}


class Launchers:
    """The launchers of a library, called with arrays of a device.

    Args:
      path: a library made by `build.build`.
      device: where the arrays are: `devices.Emulated` for an emulated library, else `devices.Cupy`.
    """

    def __init__(self, path: pathlib.Path, device: Device):
        self.library = ctypes.CDLL(str(path))
        self.device = device
        self.library.sg_keras_cuda_error_text.restype = ctypes.c_char_p

    def call(self, name: str, **fields: Any) -> None:
        """Calls sg_keras_cuda_<name> and waits: see `prepare`."""
        self.prepare(name, **fields)()
        self.device.synchronize()

    def prepare(self, name: str, **fields: Any) -> Callable[[], None]:
        """A call of sg_keras_cuda_<name>, which can be made any number of times and does not wait.

        Fields are numbers, pairs, device arrays, or NumPy arrays of doubles for host memory. The workspace, where the
        launcher wants one, is made here. The call raises LaunchError where the launcher refuses.
        """
        call = declarations()[name]()
        kept = [_assign(call, field, value) for field, value in fields.items()]
        workspace_bytes = getattr(self.library, f"sg_keras_cuda_{name}_workspace", None)
        if workspace_bytes is not None:
            workspace_bytes.restype = ctypes.c_int64
            kept.append(_assign(call, "workspace", self.device.bytes(workspace_bytes(ctypes.byref(call)))))
        function = getattr(self.library, f"sg_keras_cuda_{name}")

        def launch() -> None:
            error = function(ctypes.byref(call), ctypes.c_void_p(self.device.stream))
            if error:
                text = self.library.sg_keras_cuda_error_text(ctypes.c_int(error)).decode()
                raise LaunchError(f"sg_keras_cuda_{name}: error {error}, {text}")

        launch.arrays = kept  # type: ignore[attr-defined]  # which live as long as the call can be made
        return launch

    def launch_in_descending_order(self, descending: bool) -> None:
        """Run threads and blocks from the last to the first; on a GPU this does nothing."""
        self._emulation("set_descending", ctypes.c_int(descending))

    def launch_at_most(self, blocks: int | None) -> None:
        """Cut grids to so many blocks, for kernels that loop over the rest; None: do not. On a GPU it does nothing."""
        self._emulation("set_most_blocks", ctypes.c_int64(2**32 - 1 if blocks is None else blocks))

    def _emulation(self, switch: str, value: Any) -> None:
        if hasattr(self.library, f"sg_keras_emulation_{switch}"):
            getattr(self.library, f"sg_keras_emulation_{switch}")(value)


def _assign(call: ctypes.Structure, field: str, value: Any) -> Any:
    """Sets a field; returns what has to live as long as the call."""
    if isinstance(value, Array):
        setattr(call, field, value.pointer)
    elif isinstance(value, np.ndarray):
        value = np.ascontiguousarray(value, np.float64)
        setattr(call, field, value.ctypes.data)
    elif isinstance(value, (tuple, list)):
        setattr(call, field, type(getattr(call, field))(*value))
    else:
        setattr(call, field, value)
    return value
