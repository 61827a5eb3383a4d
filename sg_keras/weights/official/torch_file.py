"""Writes networks in the layout of the PyTorch files of StyleGAN2-ADA and StyleGAN3: the opposite of torch_networks.

The published trainers add the program text of every class, which is not ours to write: it is left empty. Readers of the
tensors do without; the published scripts, which run that text, cannot open such a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from sg_keras.models import Discriminator, Generator
from sg_keras.models.generator import STYLEGAN3
from sg_keras.weights.network_description import NetworkDescription
from sg_keras.weights.official.pickle_writer import Call, Name, PersistentId, pickled
from sg_keras.weights.official.torch_networks import DESCRIPTION
from sg_keras.weights.published_names import published_name

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of torch's older stream
_MACHINE = {"protocol_version": _PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
_META_VERSION = 6
_ORDERED = Call(Name("collections", "OrderedDict"))
_CLASSES = {
    **{"mapping": "MappingNetwork", "synthesis": "SynthesisNetwork", "input": "SynthesisInput"},
    **{"torgb": "ToRGBLayer", "skip": "Conv2dLayer", "fromrgb": "Conv2dLayer", "conv": "Conv2dLayer"},
    **{"affine": "FullyConnectedLayer", "embed": "FullyConnectedLayer", "out": "FullyConnectedLayer"},
    "mbstd": "MinibatchStdLayer",
}
Tree = dict[str, Any]


def torch_content(
    networks: Mapping[str, keras.Model], descriptions: Mapping[str, NetworkDescription]
) -> dict[str, Any]:
    """What the pickle of networks is made of: G, D and G_ema by name, and what the trainers put beside them.

    Args:
        networks: by name.
        descriptions: theirs, with channels by channel_base and channel_max.
    """
    found = {name: _network(network, descriptions[name]) for name, network in networks.items()}
    return {**found, "augment_pipe": None}


def _network(network: keras.Model, description: NetworkDescription) -> Call:
    trainable = {published_name(network, variable) for variable in network.trainable_variables}
    tree: Tree = {}
    for name, value in {**description.weights, **_filters(network)}.items():
        *path, leaf = name.split(".")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = ("_parameters" if name in trainable else "_buffers", np.array(value, np.float32, order="C"))
    if isinstance(network, Discriminator) and description.config["mbstd_num_channels"]:
        tree["b4"].setdefault("mbstd", {})
    said = _said(network, description.config)
    own = {DESCRIPTION: {"kind": description.kind, "config": description.config}}
    return _module(network, "", tree, said, own)


def _filters(network: keras.Model) -> dict[str, np.ndarray]:
    """Buffers of StyleGAN3 that follow from its arguments."""
    if not isinstance(network, Generator) or network.cfg not in STYLEGAN3:
        return {}
    found: dict[str, np.ndarray | None] = {"synthesis.input.transform": np.eye(3)}
    for layer in network.synthesis.alias_free_layers:
        found[f"synthesis.{layer.name}.up_filter"] = layer.design.up_filter()
        found[f"synthesis.{layer.name}.down_filter"] = layer.design.down_filter()
    return {name: value for name, value in found.items() if value is not None}


def _said(network: keras.Model, config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Constructor arguments by module."""
    groups = ("mapping_kwargs", "synthesis_kwargs")
    own = {name: value for name, value in config.items() if name not in (*groups, "cfg")}
    mapping = {"w_avg_beta": 0.998, "lr_multiplier": 0.01, **(config.get("mapping_kwargs") or {})}
    sizes = {name: own[name] for name in ("z_dim", "c_dim", "w_dim") if name in own}
    said = {"": own, "mapping": {**sizes, **mapping}}
    if isinstance(network, Generator):
        further = {**STYLEGAN3.get(network.cfg, {}), **(config["synthesis_kwargs"] or {})}
        return {**said, "synthesis": {**own, **further}}
    statistics = {"group_size": config["mbstd_group_size"], "num_channels": config["mbstd_num_channels"]}
    return {**said, "b4.mbstd": statistics, f"b{network.levels[0]}": own}


def _module(network: keras.Model, path: str, node: Tree, said: Mapping[str, Any], further: Mapping[str, Any]) -> Call:
    tensors: dict[str, dict[str, Call]] = {"_parameters": {}, "_buffers": {}}
    parts = {}
    for name, held in node.items():
        if isinstance(held, dict):
            parts[name] = _module(network, f"{path}.{name}".lstrip("."), held, said, {})
        else:
            tensors[held[0]][name] = _tensor(held[1])
    arguments = dict(said.get(path, {}))
    state = {"training": False, **tensors, "_modules": parts, "_init_args": (), "_init_kwargs": arguments, **further}
    meta = {
        "type": "class",
        "version": _META_VERSION,
        "module_src": "",
        "class_name": _class_name(network, path),
        "state": state,
    }
    return Call(Name("torch_utils.persistence", "_reconstruct_persistent_obj"), (meta,))


def _class_name(network: keras.Model, path: str) -> str:
    if not path:
        return type(network).__name__
    leaf = path.rpartition(".")[2]
    if leaf in _CLASSES:
        return _CLASSES[leaf]
    if leaf.startswith("fc"):
        return "FullyConnectedLayer"
    if isinstance(network, Generator):
        return "SynthesisBlock" if leaf.startswith("b") else "SynthesisLayer"
    if leaf.startswith("b"):
        return "DiscriminatorEpilogue" if leaf == "b4" else "DiscriminatorBlock"
    return "Conv2dLayer"


def _tensor(value: np.ndarray) -> Call:
    strides = tuple(step // value.itemsize for step in value.strides)
    storage = Call(Name("torch.storage", "_load_from_bytes"), (_stream(value),))
    return Call(Name("torch._utils", "_rebuild_tensor_v2"), (storage, 0, value.shape, strides, False, _ORDERED))


def _stream(value: np.ndarray) -> bytes:
    """One of torch's older streams, with a storage of float32 values."""
    storage = PersistentId(("storage", Name("torch", "FloatStorage"), "0", "cpu", value.size, None))
    parts = [_MAGIC, _PROTOCOL, _MACHINE, storage, ["0"]]
    pieces = [piece for part in parts for piece in pickled(part)]
    return b"".join([*pieces, value.size.to_bytes(8, "little"), value.astype("<f4").tobytes()])
