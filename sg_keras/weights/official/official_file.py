"""Writes networks as files in the official layouts, without the program text that the published trainers add."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

import keras

from sg_keras.weights.network_description import describe
from sg_keras.weights.official.pickle_writer import pickled
from sg_keras.weights.official.tensorflow_file import tensorflow_content, tensorflow_problem
from sg_keras.weights.official.torch_file import torch_content

_TENSORFLOW = (
    "the TensorFlow 1 layout of official pickles, which this package and whatever converts its variables by name open"
)
_TORCH = "the PyTorch layout of official pickles without program text, which readers of its tensors alone open"


def write_official_pickle(path: pathlib.Path, networks: Mapping[str, keras.Model]) -> str:
    """Write G, D and G_ema: StyleGAN2 in the layout of TensorFlow 1 where that can hold it, all else in PyTorch's.

    Args:
        path: of the file.
        networks: "G", "D" and "G_ema".

    Returns:
        What was written, in words.
    """
    descriptions = {name: describe(network) for name, network in networks.items()}
    is_torch = bool(tensorflow_problem(descriptions))
    content: Any = torch_content(networks) if is_torch else tensorflow_content(descriptions)
    with path.open("wb") as file:
        file.writelines(pickled(content))
    return _TORCH if is_torch else _TENSORFLOW
