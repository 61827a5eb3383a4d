"""Where launchers find their arrays: in NumPy's memory for the emulator, in CuPy's on a GPU."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

# Element types by name: their code in the launchers' structs, and NumPy's type of the same bits.
TYPE_CODES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 3}
NUMPY_TYPES: dict[str, Any] = {
    "float32": np.float32,
    "float64": np.float64,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
}


@dataclasses.dataclass(frozen=True)
class Array:
    """An array on a device: `memory` holds the bits of NumPy's `dtype` in `shape`."""

    memory: Any
    pointer: int
    shape: tuple[int, ...]
    dtype: np.dtype


class Device(abc.ABC):
    """Makes, fills and reads arrays. New arrays hold NaN, so that elements that a kernel forgets are seen."""

    stream: int = 0

    def put(self, array: Any, dtype: str) -> Array:
        """A copy of a host array, rounded to a type."""
        return self._copy(np.ascontiguousarray(array, NUMPY_TYPES[dtype]))

    def empty(self, shape: Sequence[int], dtype: str) -> Array:
        """An array of NaN."""
        return self._copy(np.full(shape, np.nan, NUMPY_TYPES[dtype]))

    def bytes(self, count: int) -> Array:
        """Memory without a type, for workspaces and masks; filled with ones."""
        return self._copy(np.full([count], 0xFF, np.uint8))

    @abc.abstractmethod
    def _copy(self, array: np.ndarray) -> Array: ...

    @abc.abstractmethod
    def get(self, array: Array) -> np.ndarray:
        """A copy on the host, in the array's own type."""

    @abc.abstractmethod
    def synchronize(self) -> None:
        """Waits for the kernels.

        Raises:
          RuntimeError: one failed.
        """


class Emulated(Device):
    """This computer's memory, for libraries that emulate CUDA."""

    def _copy(self, array: np.ndarray) -> Array:
        # Just as long as the array, so that AddressSanitizer sees what a kernel does beyond.
        memory = np.frombuffer(array.tobytes(), np.uint8).copy()
        return Array(memory, memory.ctypes.data, array.shape, array.dtype)

    def get(self, array: Array) -> np.ndarray:
        return array.memory.view(array.dtype).reshape(array.shape).copy()

    def synchronize(self) -> None:
        pass


class Cupy(Device):
    """A GPU's memory.

    Raises:
      ImportError: CuPy is not installed.
    """

    def __init__(self) -> None:
        import cupy

        self.cupy = cupy
        self.stream = cupy.cuda.get_current_stream().ptr

    def _copy(self, array: np.ndarray) -> Array:
        memory = self.cupy.asarray(array.reshape(-1).view(np.uint8))
        return Array(memory, int(memory.data.ptr), array.shape, array.dtype)

    def get(self, array: Array) -> np.ndarray:
        return self.cupy.asnumpy(array.memory).view(array.dtype).reshape(array.shape)

    def synchronize(self) -> None:
        self.cupy.cuda.get_current_stream().synchronize()
