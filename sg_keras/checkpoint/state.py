"""The named variables of a checkpoint file, read without building anything.

A checkpoint holds one dictionary from names such as G/synthesis/b4/const to variables (StyleGAN.state_variables), so
nothing in it depends on the order in which layers or optimizers were made.
"""

from __future__ import annotations

import errno
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras.files import plain_prefix
from sg_keras.files.errors import error_number, explain_file_error, first_line

ROOT = "state"
#: Errors that say nothing about a file's content: going back to an older checkpoint because of them would lose work.
_NO_DAMAGE = frozenset(
    {errno.EACCES, errno.EPERM, errno.ESTALE, errno.ETIMEDOUT, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


class DamagedCheckpointError(OSError):
    """A checkpoint file is incomplete or its contents do not match their checksums."""


def _key(name: str) -> str:
    """Name of a variable inside the file: TensorFlow writes '.' as '..' and '/' as '.S'."""
    return f"{ROOT}/{name.replace('.', '..').replace('/', '.S')}{_VALUE}"


def _name(key: str) -> str:
    return key.removeprefix(ROOT + "/").removesuffix(_VALUE).replace(".S", "/").replace("..", ".")


class SavedState:
    """The variables in a checkpoint file.

    Args:
        prefix: path without ".index".

    Raises:
        FileNotFoundError: there is no such checkpoint.
        DamagedCheckpointError: it cannot be read.
    """

    def __init__(self, prefix: pathlib.Path) -> None:
        self.prefix = prefix
        if not index_path(prefix).is_file():
            raise FileNotFoundError(f"{prefix}: found no {index_path(prefix).name}, expected a checkpoint")
        self._plain = plain_prefix(prefix)  # as long as the reader, which opens files as it needs them
        self._reader = self._reading(tf.train.load_checkpoint, self._plain.path)
        keys = self._reader.get_variable_to_shape_map()
        self.shapes = {_name(key): tuple(shape) for key, shape in keys.items() if key.startswith(ROOT + "/")}
        if "cur_nimg" not in self.shapes:
            raise ValueError(f"{prefix}: found {len(keys)} other entries, expected the state of a training run")

    def names(self) -> list[str]:
        """Names of all variables, sorted."""
        return sorted(self.shapes)

    def value(self, name: str) -> np.ndarray:
        """One variable's value, checked against its checksum."""
        return np.asarray(self._reading(self._reader.get_tensor, _key(name)))

    def values(self) -> Iterator[tuple[str, np.ndarray]]:
        """All variables in the order of their names."""
        for name in self.names():
            yield name, self.value(name)

    @property
    def nimg(self) -> int:
        """Real images seen when it was saved."""
        return int(self.value("cur_nimg"))

    def check(self) -> None:
        """Read everything, so that damage is found before anything relies on it."""
        for key in self._reader.get_variable_to_shape_map():
            self._reading(self._reader.get_tensor, key)

    def _reading(self, function: Any, argument: str) -> Any:
        try:
            return function(argument)
        except (tf.errors.OpError, RuntimeError, ValueError, LookupError) as error:  # as TensorFlow translates them
            if error_number(error) in _NO_DAMAGE:
                raise OSError(explain_file_error(error, self.prefix)) from error
            reason = first_line(error)
            raise DamagedCheckpointError(
                f"{self.prefix}: found a damaged or incomplete checkpoint ({reason}), expected a whole one"
            ) from error


def index_path(prefix: pathlib.Path) -> pathlib.Path:
    """The file that makes a checkpoint one: written last."""
    return prefix.with_name(prefix.name + ".index")


def check_same_variables(saved: SavedState, variables: Mapping[str, tf.Variable]) -> None:
    """Make sure that a checkpoint holds exactly these variables.

    Raises:
        ValueError: names or shapes differ; one line with some of them.
    """
    wanted = {name: tuple(variable.shape) for name, variable in variables.items()}
    missing, unused = sorted(set(wanted) - set(saved.shapes)), sorted(set(saved.shapes) - set(wanted))
    if missing or unused:
        raise ValueError(
            f"{saved.prefix}: found other variables than this version and configuration have, missing "
            f"{_some(missing)}, unknown {_some(unused)}"
        )
    for name, shape in wanted.items():
        if saved.shapes[name] != shape:
            raise ValueError(f"{saved.prefix}: found shape {saved.shapes[name]} of {name}, expected {shape}")


def _some(names: list[str]) -> str:
    return (", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")) or "none"
