"""StyleGAN2-ADA and StyleGAN3 in Keras 3 on TensorFlow.

TensorFlow is loaded at the first use of something that needs it, not by `import sg_keras`.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sg_keras.weights import Networks

__version__ = "0.1.0"

_ROOMS = (
    "augment",
    "checkpoint",
    "config",
    "curation",
    "data",
    "export",
    "features",
    "files",
    "inference",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "training",
    "weights",
)


def load(path: str | os.PathLike[str], ops: str = "auto") -> Networks:
    """The networks G, D and G_ema of a run or a file: see `sg_keras.weights.load`."""
    from sg_keras.weights.load import load as load_networks

    return load_networks(path, ops=ops)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"sg_keras.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
