"""Writes pickles instruction by instruction: files as PyTorch would leave them behind, and attacks."""

from __future__ import annotations

import dataclasses
import pathlib
import pickle
from typing import Any

import keras
import numpy as np

from sg_keras.checkpoint.published_names import published_name, published_weights
from sg_keras.models import Discriminator, Generator

NOTHING = object()


@dataclasses.dataclass(frozen=True)
class Name:
    """A reference to module.name."""

    module: str
    leaf: str


@dataclasses.dataclass(frozen=True)
class Call:
    """module.leaf(*arguments), whose result is then given a state."""

    module: str
    leaf: str
    arguments: tuple[Any, ...] = ()
    state: Any = NOTHING


@dataclasses.dataclass(frozen=True)
class PersistentId:
    """A reference to something outside of the pickle."""

    value: Any


@dataclasses.dataclass(frozen=True)
class Raw:
    """Instructions as they are."""

    code: bytes


def instructions(value: Any) -> bytes:
    """What puts a value on the stack."""
    if isinstance(value, Raw):
        return value.code
    if isinstance(value, Name):
        return f"c{value.module}\n{value.leaf}\n".encode()
    if isinstance(value, Call):
        made = instructions(Name(value.module, value.leaf)) + instructions(value.arguments) + b"R"
        return made if value.state is NOTHING else made + instructions(value.state) + b"b"
    if isinstance(value, PersistentId):
        return instructions(value.value) + b"Q"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(instructions, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(instructions, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(instructions(part) for item in value.items() for part in item) + b"u"
    return pickle.dumps(value, 3)[2:-1]


def pickled(value: Any) -> bytes:
    """A whole pickle."""
    return b"\x80\x03" + instructions(value) + b"."


def stream(array: np.ndarray, count: int | None = None, kind: str = "FloatStorage") -> bytes:
    """One of torch's older streams with a storage; `count` where another length is to be said."""
    count = array.size if count is None else count
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    parts = [0x1950A86A20F9469CFC6C, 1001, machine]
    parts += [PersistentId(("storage", Name("torch", kind), "1", "cpu", count, None)), ["1"]]
    return b"".join(map(pickled, parts)) + count.to_bytes(8, "little") + array.tobytes()


def tensor(array: np.ndarray, shape: Any = None, strides: Any = None, offset: int = 0) -> Call:
    """A tensor; other shape and strides than the array's where they are given."""
    array = np.array(array, order="C")
    strides = tuple(step // array.itemsize for step in array.strides) if strides is None else strides
    storage = Call("torch.storage", "_load_from_bytes", (stream(array),))
    arguments = (storage, offset, array.shape if shape is None else shape, strides, False)
    return Call("torch._utils", "_rebuild_tensor_v2", (*arguments, Call("collections", "OrderedDict")))


def torch_module(class_name: str, state: dict[str, Any]) -> Call:
    """A module, as the published trainers pickle it."""
    meta = {"type": "class", "version": 6, "module_src": "# nothing", "class_name": class_name, "state": state}
    return Call("torch_utils.persistence", "_reconstruct_persistent_obj", (meta,))


def torch_network(network: keras.Model, **changed: Any) -> Call:
    """A network of ours as its official counterpart; `changed` are constructor arguments that are to be wrong."""
    config = {**network.get_config(), **changed}
    further = config.pop("synthesis_kwargs", {}) or {}
    said = {key: value for key, value in config.items() if isinstance(value, int | float | str | list | type(None))}
    said.pop("name")
    arguments = {"": said, "synthesis": {**said, **further}, **_block_arguments(network, said)}
    mapping = {"w_avg_beta": 0.998, "lr_multiplier": 0.01, **config["mapping_kwargs"]}
    arguments["mapping"] = {key: said[key] for key in ("z_dim", "c_dim", "w_dim") if key in said} | mapping
    trainable = {published_name(network, v) for v in network.trainable_variables}
    tree: dict[str, Any] = {}
    for name, value in published_weights(network).items():
        *path, leaf = name.split(".")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = (name in trainable, value)
    if isinstance(network, Discriminator):
        tree["b4"]["mbstd"] = {}
    return _torch_tree(type(network).__name__, "", tree, arguments)


def _block_arguments(network: keras.Model, said: dict[str, Any]) -> dict[str, Any]:
    if isinstance(network, Generator):
        return {}
    statistics = {"group_size": said["mbstd_group_size"], "num_channels": said["mbstd_num_channels"]}
    return {"b4.mbstd": statistics, f"b{network.img_resolution}": said}


def _torch_tree(class_name: str, path: str, node: dict[str, Any], arguments: dict[str, Any]) -> Call:
    leaves = {name: value for name, value in node.items() if isinstance(value, tuple)}
    state = {
        "training": False,
        "_parameters": {name: tensor(np.array(a, np.float32)) for name, (trained, a) in leaves.items() if trained},
        "_buffers": {name: tensor(np.array(a, np.float32)) for name, (trained, a) in leaves.items() if not trained},
        "_backward_hooks": Call("collections", "OrderedDict"),
        "_modules": {
            name: _torch_tree("Part", f"{path}.{name}".lstrip("."), part, arguments)
            for name, part in node.items()
            if isinstance(part, dict)
        },
        "_init_args": (),
        "_init_kwargs": arguments.get(path, {}),
    }
    return torch_module(class_name, state)


def write_official(path: pathlib.Path, networks: dict[str, keras.Model], **changed: Any) -> pathlib.Path:
    """A file as the published trainer leaves it behind."""
    content = {name: torch_network(network, **changed) for name, network in networks.items()}
    path.write_bytes(pickled({**content, "augment_pipe": None, "training_set_kwargs": {}}))
    return path
