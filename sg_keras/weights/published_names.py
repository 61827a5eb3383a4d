"""Our variables under the published names and layouts, for official files and numeric checks.

A variable's path below its model is its published name with '/' for '.', so only layouts need translating:
convolutions are [out,in,kh,kw] there and [kh,kw,in,out] here, dense weights [out,in] and [in,out], the constant
[C,4,4] and [4,4,C].
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np


def relative_path(model: keras.Model, variable: keras.Variable) -> str:
    """Path of a variable below its model, such as synthesis/b4/conv1/weight."""
    return variable.path.removeprefix(f"{model.name}/")


def published_name(model: keras.Model, variable: keras.Variable) -> str:
    """Name of a variable in official files, such as synthesis.b4.conv1.weight."""
    return relative_path(model, variable).replace("/", ".")


def to_published_layout(name: str, value: np.ndarray) -> np.ndarray:
    """Value of the variable `name` in the published axis order."""
    return np.transpose(value, _axes_to_published(name, value.ndim))


def from_published_layout(name: str, value: np.ndarray) -> np.ndarray:
    """Inverse of to_published_layout."""
    return np.transpose(value, np.argsort(_axes_to_published(name, value.ndim)))


def _axes_to_published(name: str, rank: int) -> tuple[int, ...]:
    leaf = name.rpartition(".")[2]
    if leaf == "weight" and rank == 4:
        return (3, 2, 0, 1)
    if leaf == "weight" and rank == 2:
        return (1, 0)
    if leaf == "const" and rank == 3:
        return (2, 0, 1)
    return tuple(range(rank))


def published_weights(model: keras.Model) -> dict[str, np.ndarray]:
    """All variables of a network, trainable and not, by published name and in published layout."""
    names = {published_name(model, v): v for v in model.variables}
    return {name: to_published_layout(name, np.asarray(v.value)) for name, v in names.items()}


def load_published_weights(model: keras.Model, weights: Mapping[str, np.ndarray]) -> None:
    """Assign every variable of a network from arrays by published name and in published layout.

    Raises:
        ValueError: names missing from `weights`, names that the network lacks, or shapes that differ. Nothing is
            assigned then.
    """
    variables = {published_name(model, v): v for v in model.variables}
    missing, unused = sorted(set(variables) - set(weights)), sorted(set(weights) - set(variables))
    if missing or unused:
        raise ValueError(f"{model.name}: weights do not fit, missing {missing}, unused {unused}")
    values = {name: from_published_layout(name, np.asarray(weights[name])) for name in variables}
    for name, variable in variables.items():
        if values[name].shape != tuple(variable.shape):
            raise ValueError(f"{model.name}: {name} has shape {values[name].shape}, expected {tuple(variable.shape)}")
    for name, variable in variables.items():
        variable.assign(values[name])
