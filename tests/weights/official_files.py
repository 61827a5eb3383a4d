"""Writes pickles instruction by instruction: files as PyTorch would leave them behind, and attacks."""

from __future__ import annotations

import dataclasses
import pathlib
import pickle
from typing import Any

import keras
import numpy as np

from sg_keras.models import Discriminator, Generator
from sg_keras.weights.published_names import published_name, published_weights

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


# TensorFlow 1 --------------------------------------------------------------------------------------------------------

_G_LAYERS = {"conv0": "Conv0_up", "conv1": "Conv1", "torgb": "ToRGB", "skip": "Skip"}
_D_LAYERS = {"conv0": "Conv0", "conv1": "Conv1_down", "fromrgb": "FromRGB", "skip": "Skip"}
_4X4 = {"conv1": "Conv", "torgb": "ToRGB", "conv": "Conv", "fc": "Dense0", "fromrgb": "FromRGB"}


def write_tensorflow(
    path: pathlib.Path,
    networks: dict[str, keras.Model],
    of_g: dict[str, Any] | None = None,
    of_d: dict[str, Any] | None = None,
) -> pathlib.Path:
    """Our networks in a file of StyleGAN2-ADA's TensorFlow version.

    Args:
        path: of the file.
        networks: G, D and G_ema.
        of_g, of_d: further settings of the generators and of the discriminator, which files may leave out.
    """
    records = (
        _tensorflow_record(networks[name], (of_d if name == "D" else of_g) or {}) for name in ("G", "D", "G_ema")
    )
    path.write_bytes(pickled(tuple(records)))
    return path


def _tensorflow_record(network: keras.Model, further: dict[str, Any]) -> Call:
    config, weights = network.get_config(), published_weights(network)
    said = {"num_channels": config["img_channels"], "resolution": config["img_resolution"]}
    said |= {"label_size": config["c_dim"], "fmap_base": config["channel_base"] // 2, "fmap_max": config["channel_max"]}
    said |= {"conv_clamp": config["conv_clamp"], **further}
    if isinstance(network, Discriminator):
        variables = dict(_discriminator_variable(*item) for item in weights.items())
        return _tensorflow_network(said | {"mbstd_group_size": config["mbstd_group_size"]}, variables)
    said |= {"latent_size": config["z_dim"], "dlatent_size": config["w_dim"]}
    own = {"dlatent_avg": weights.pop("mapping.w_avg")}
    parts: dict[str, dict[str, np.ndarray]] = {"synthesis": {}, "mapping": {}}
    for name, value in weights.items():
        part, theirs, array = _generator_variable(name, value)
        parts[part][theirs] = array
    return _tensorflow_network(said, own, {part: _tensorflow_network(said, held) for part, held in parts.items()})


def _tensorflow_network(said: dict[str, Any], variables: dict[str, np.ndarray], parts: Any = None) -> Call:
    state = {"version": 4, "name": "N", "static_kwargs": said, "components": parts or {}, "build_module_src": "# no"}
    return Call("dnnlib.tflib.network", "Network", (), {**state, "variables": list(variables.items())})


def _generator_variable(name: str, value: np.ndarray) -> tuple[str, str, np.ndarray]:
    """Part, name and value there of a weight by its published name, in its published layout."""
    part, block, *path = name.split(".")
    if part == "mapping":
        return part, f"{block.replace('fc', 'Dense').replace('embed', 'LabelEmbed')}/{path[0]}", value.T
    side = int(block.removeprefix("b"))
    if path == ["const"]:
        return part, "4x4/Const/const", value[None]
    layer, leaf = path[0], "_".join(path[1:])
    if leaf == "noise_const":
        return part, f"noise{2 * int(np.log2(side)) - (4 if layer == 'conv1' else 5)}", value[None, None]
    place = f"{side}x{side}/{(_4X4 if side == 4 else _G_LAYERS)[layer]}"
    if leaf == "affine_bias":
        return part, f"{place}/mod_bias", value - np.float32(1)
    if leaf == "affine_weight":
        return part, f"{place}/mod_weight", value.T
    if value.ndim == 4:
        value = value.transpose(2, 3, 1, 0)
        value = value[::-1, ::-1] if layer in ("conv0", "skip") else value
    return part, f"{place}/{leaf}", value


def _discriminator_variable(name: str, value: np.ndarray) -> tuple[str, np.ndarray]:
    block, layer, *leaf = name.split(".")
    if block == "mapping":
        return f"{layer.replace('fc', 'Mapping').replace('embed', 'LabelEmbed')}/{leaf[0]}", value.T
    if layer == "out":
        return f"Output/{leaf[0]}", value.T
    side = int(block.removeprefix("b"))
    place = f"{side}x{side}/{(_4X4 if side == 4 else _D_LAYERS)[layer]}/{leaf[0]}"
    return place, value.transpose(2, 3, 1, 0) if value.ndim == 4 else value.T
