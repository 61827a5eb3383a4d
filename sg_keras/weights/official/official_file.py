"""Writes networks as files in the official layouts, without the program text that the published trainers add."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

import keras

from sg_keras.weights.network_description import NetworkDescription, describe
from sg_keras.weights.official.pickle_writer import pickled
from sg_keras.weights.official.tensorflow_file import tensorflow_content, tensorflow_problem
from sg_keras.weights.official.torch_file import torch_content

_TENSORFLOW = (
    "the TensorFlow 1 layout of official pickles, which this package and whatever converts its variables by name open"
)
_TORCH = "the PyTorch layout of official pickles without program text, which readers of its tensors alone open"


_INSTEAD = "NAME.safetensors, or a folder's name for a network snapshot"


def _problem(descriptions: Mapping[str, NetworkDescription]) -> str:
    """What of networks neither layout has a place for, "" if all can be written."""
    if descriptions["G_ema"].config.get("no_const"):
        return "found a generator without the learnt constant (--no_const)"
    return ""


def write_official_pickle(path: pathlib.Path, networks: Mapping[str, keras.Model]) -> str:
    """Write G, D and G_ema: StyleGAN2 in the layout of TensorFlow 1 where that can hold it, all else in PyTorch's.

    Args:
        path: of the file.
        networks: "G", "D" and "G_ema".

    Returns:
        What was written, in words.

    Raises:
        ValueError: these layouts cannot hold the networks; one line.
    """
    descriptions = {name: describe(network) for name, network in networks.items()}
    if problem := _problem(descriptions):
        raise ValueError(f"{problem}, which official pickles cannot hold, expected {_INSTEAD}")
    is_torch = bool(tensorflow_problem(descriptions))
    content: Any = torch_content(networks) if is_torch else tensorflow_content(descriptions)
    with path.open("wb") as file:
        file.writelines(pickled(content))
    return _TORCH if is_torch else _TENSORFLOW
