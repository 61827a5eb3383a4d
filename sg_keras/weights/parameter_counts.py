"""How many numbers the networks of a run hold, worked out without building them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from sg_keras.config import TrainingConfig
from sg_keras.models.from_config import discriminator_arguments, generator_arguments
from sg_keras.weights.network_description import weight_shapes

#: Variables that no optimizer moves, by the last part of their published name.
_BUFFERS = {"w_avg", "noise_const", "freqs", "phases", "magnitude_ema"}


@dataclasses.dataclass(frozen=True, slots=True)
class ParameterCount:
    """How many numbers a network holds.

    Attributes:
        parameters: of what is learnt; what freeze-D holds still is among them.
        buffers: of the rest, such as fixed noise and running means.
    """

    parameters: int
    buffers: int

    def __str__(self) -> str:
        return f"{self.parameters:,} parameters" + (f", {self.buffers:,} in buffers" if self.buffers else "")


def parameter_counts(config: TrainingConfig) -> dict[str, ParameterCount]:
    """The counts of G and D of a run. No memory is taken for them, however large they are.

    Raises:
        ValueError: the configuration gives no networks; one line.
    """
    return {
        "G": _count("Generator", generator_arguments(config)),
        "D": _count("Discriminator", discriminator_arguments(config)),
    }


def _count(kind: str, arguments: Mapping[str, Any]) -> ParameterCount:
    sizes = {name: math.prod(shape) for name, shape in weight_shapes(kind, arguments).items()}
    buffers = sum(size for name, size in sizes.items() if name.rpartition(".")[2] in _BUFFERS)
    return ParameterCount(sum(sizes.values()) - buffers, buffers)
