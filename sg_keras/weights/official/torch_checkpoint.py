"""State dictionaries in PyTorch's older checkpoint files (.pth), read without PyTorch and without running them.

Unlike in pickles of whole modules, tensors are named before the values of their storages come, at the file's end.
"""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import numpy as np

from sg_keras.files.bounded_reader import Budget
from sg_keras.files.pickle_machine import AllowedName
from sg_keras.weights.official.plain_values import ORDERED_DICT
from sg_keras.weights.official.torch_storages import load_stream, rebuild_tensor

_EXPECTED = "a state dictionary that torch.save wrote in its older format"


@dataclasses.dataclass(frozen=True)
class _PendingTensor:
    """A tensor whose values are not read yet: arguments of rebuild_tensor."""

    arguments: tuple[Any, ...]


def read_torch_checkpoint(path: pathlib.Path) -> dict[str, np.ndarray]:
    """The tensors of a state dictionary, by name.

    Args:
        path: of a file that torch.save wrote before PyTorch 1.6, or with _use_new_zipfile_serialization=False.

    Returns:
        Read-only arrays of any strides, views of the file's values.

    Raises:
        ValueError: it is something else, or damaged. One line that names the file.
        OSError: it cannot be read.
    """
    data = path.read_bytes()
    names = {
        **ORDERED_DICT,
        ("torch._utils", "_rebuild_tensor_v2"): AllowedName("rebuild_tensor", lambda *given: _PendingTensor(given)),
    }
    try:
        content = load_stream(data, Budget(len(data)), names)
        if type(content) is not dict or not all(isinstance(value, _PendingTensor) for value in content.values()):
            raise ValueError(f"found a {type(content).__name__} of other things than tensors, expected {_EXPECTED}")
        return {str(name): rebuild_tensor(*pending.arguments) for name, pending in content.items()}
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    except (LookupError, TypeError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"{path}: found values that no tensor has, expected {_EXPECTED}") from error
