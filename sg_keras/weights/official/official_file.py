"""Writes networks as files in the official layouts, without the program text that the published trainers add."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

import keras

from sg_keras.config.channels import rule_of
from sg_keras.weights.network_description import NetworkDescription, describe, weight_shapes
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
    with_table = [name for name, description in descriptions.items() if description.config.get("channels")]
    if with_table:
        return f"found {' and '.join(with_table)} with channels by a table that no channel_base and channel_max give"
    return ""


def by_rule(description: NetworkDescription) -> NetworkDescription:
    """The description with channel_base and channel_max in place of a table of channels, where these give the same."""
    config = description.config
    rule = rule_of(config.get("channels"))
    if rule is None:
        return description
    given = {name: value for name, value in config.items() if name != "channels"}
    given |= {"channel_base": rule[0], "channel_max": rule[1]}
    same = weight_shapes(description.kind, given) == weight_shapes(description.kind, config)
    return dataclasses.replace(description, config=given) if same else description


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
    descriptions = {name: by_rule(describe(network)) for name, network in networks.items()}
    if problem := _problem(descriptions):
        raise ValueError(f"{problem}, which official pickles cannot hold, expected {_INSTEAD}")
    is_torch = bool(tensorflow_problem(descriptions))
    content: Any = torch_content(networks, descriptions) if is_torch else tensorflow_content(descriptions)
    with path.open("wb") as file:
        file.writelines(pickled(content))
    return _TORCH if is_torch else _TENSORFLOW
