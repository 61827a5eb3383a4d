"""The examples in docstrings run, and everything public has one."""

import doctest
import importlib
import pkgutil
from types import ModuleType

import keras
import numpy as np
import pytest
import tensorflow as tf

import sg_keras

SUBPACKAGES = ("features", "ops", "layers", "losses", "models")
ALSO = (
    "config.freeze",
    "config.schedule",
    "config.sizes",
    "export.onnx_file",
    "export.parity",
    "planning.traced_step",
    "tools.published_rows",
    *(f"inference.film{name}" for name in ("", "_file", "_formats", "_keyframes", "_path", "_sound")),
    *("inference.activations", "inference.directions", "inference.style_centres", "inference.style_samples"),
    "weights.combine",
    "inference.contact_sheet",
    "inference.latents",
    "inference.sample",
    "inference.style_mixing",
    "inference.style_renderer",
)
#: What an example may use without importing it.
NAMES = {"keras": keras, "np": np, "sg_keras": sg_keras, "tf": tf}


def _modules() -> list[str]:
    names = list(ALSO)
    for subpackage in SUBPACKAGES:
        folder = importlib.import_module(f"sg_keras.{subpackage}").__path__
        names += [f"{subpackage}.{module.name}" for module in pkgutil.iter_modules(folder)]
    return names


def _public(module: ModuleType) -> dict[str, object]:
    values = {name: getattr(module, name) for name in module.__all__}
    return {name: value for name, value in values.items() if callable(value)}


@pytest.mark.parametrize("name", _modules())
def test_examples(name):
    keras.utils.set_random_seed(0)
    module = importlib.import_module(f"sg_keras.{name}")
    result = doctest.testmod(module, extraglobs=NAMES, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


@pytest.mark.parametrize("subpackage", SUBPACKAGES)
def test_everything_public_has_an_example(subpackage):
    module = importlib.import_module(f"sg_keras.{subpackage}")
    without = [name for name, value in _public(module).items() if "Example:\n" not in (value.__doc__ or "")]
    assert not without, f"{without} of sg_keras.{subpackage}: found no `Example:` in the docstring, expected one"
