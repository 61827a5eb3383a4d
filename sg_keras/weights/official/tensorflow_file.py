"""Writes StyleGAN2 networks in the layout of StyleGAN2-ADA's TensorFlow 1 files: the opposite of tensorflow_networks.

That layout is variables by name. The program text that the published trainer adds to it is left out, since it is not
ours to write: readers that convert the variables, as the published PyTorch scripts do, need none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from sg_keras.weights.network_description import NetworkDescription
from sg_keras.weights.official.pickle_writer import Call, Name
from sg_keras.weights.official.torch_networks import DESCRIPTION

_VERSION = 5  # of the layout
_NAMES = {"G": "G", "D": "D", "G_ema": "Gs"}
_G_LAYERS = {"conv0": "Conv0_up", "conv1": "Conv1", "torgb": "ToRGB", "skip": "Skip"}
_D_LAYERS = {"conv0": "Conv0", "conv1": "Conv1_down", "fromrgb": "FromRGB", "skip": "Skip"}
_4X4 = {"conv1": "Conv", "torgb": "ToRGB", "conv": "Conv", "fc": "Dense0", "fromrgb": "FromRGB"}
_FLIPPED = ("conv0", "skip")
_TAPS = [1, 3, 3, 1]


def tensorflow_problem(descriptions: Mapping[str, NetworkDescription]) -> str:
    """Why networks cannot be such a file, "" if they can."""
    G, D = descriptions["G_ema"].config, descriptions["D"].config
    if G.get("cfg", "stylegan2") != "stylegan2":
        return f"found {G['cfg']}, expected StyleGAN2"
    resolution = G["img_resolution"]
    if not isinstance(resolution, int) or resolution & (resolution - 1):
        return f"found images of {resolution}, expected squares of a power of two"
    for config in (G, D):
        if [float(tap) for tap in config.get("resample_filter", _TAPS)] != _TAPS:
            return f"found the filter {config['resample_filter']}, expected {_TAPS}"
        if config.get("activation", "lrelu") != "lrelu":
            return f"found the activation {config['activation']}, expected lrelu"
        if config["channel_base"] % 2:
            return f"found a channel_base of {config['channel_base']}, expected an even number"
    if not G.get("use_noise", True) or "mapping.w_avg" not in descriptions["G_ema"].weights:
        return "found a network without noise or w_avg, expected one with both"
    if D["mbstd_group_size"] is None:
        return "found no group size of the minibatch's deviation, expected one"
    return ""


def tensorflow_content(descriptions: Mapping[str, NetworkDescription]) -> tuple[Call, ...]:
    """What the pickle of networks is made of: (G, D, Gs)."""
    return tuple(
        _discriminator(name, descriptions[name]) if name == "D" else _generator(name, descriptions[name])
        for name in ("G", "D", "G_ema")
    )


def _network(
    name: str, kind: str, said: Mapping[str, Any], variables: Mapping[str, np.ndarray], **further: Any
) -> Call:
    state = {
        "version": _VERSION,
        "name": name,
        "static_kwargs": dict(said),
        "components": {},
        "build_module_src": "",
        "build_func_name": kind,
        "variables": list(variables.items()),
        **further,
    }
    return Call(Name("dnnlib.tflib.network", "Network"), (), state)


def _described(description: NetworkDescription) -> dict[str, Any]:
    return {DESCRIPTION: {"kind": description.kind, "config": description.config}}


def _shared(config: Mapping[str, Any]) -> dict[str, Any]:
    said = {
        "num_channels": config["img_channels"],
        "resolution": config["img_resolution"],
        "label_size": config["c_dim"],
        "fmap_base": config["channel_base"] // 2,
        "fmap_max": config["channel_max"],
        "architecture": config["architecture"],
    }
    return said | ({} if config["conv_clamp"] is None else {"conv_clamp": config["conv_clamp"]})


def _generator(name: str, description: NetworkDescription) -> Call:
    config, mapping = description.config, description.config["mapping_kwargs"]
    said = {
        **_shared(config),
        "latent_size": config["z_dim"],
        "dlatent_size": config["w_dim"],
        "mapping_layers": mapping.get("num_layers", 8),
        "mapping_lrmul": mapping.get("lr_multiplier", 0.01),
        **_widths(mapping, label_fmaps="embed_features", mapping_fmaps="layer_features"),
    }
    parts: dict[str, dict[str, np.ndarray]] = {"synthesis": {}, "mapping": {}}
    weights = dict(description.weights)
    average = {"dlatent_avg": weights.pop("mapping.w_avg")}
    for ours, value in weights.items():
        part, theirs, array = _generator_variable(ours, value)
        parts[part][theirs] = array
    components = {part: _network(f"G_{part}", f"G_{part}", said, held) for part, held in parts.items()}
    return _network(_NAMES[name], "G_main", said, average, components=components, **_described(description))


def _discriminator(name: str, description: NetworkDescription) -> Call:
    config = description.config
    mapping = config["mapping_kwargs"] or {}
    said = {**_shared(config), "mbstd_group_size": config["mbstd_group_size"]}
    if config["c_dim"] > 0:
        said |= {"mapping_layers": mapping.get("num_layers", 8), "mapping_lrmul": mapping.get("lr_multiplier", 0.01)}
        said |= _widths(config, mapping_fmaps="cmap_dim")
    variables = dict(_discriminator_variable(*item) for item in description.weights.items())
    return _network(_NAMES[name], "D_main", said, variables, **_described(description))


def _widths(config: Mapping[str, Any], **names: str) -> dict[str, int]:
    return {theirs: config[ours] for theirs, ours in names.items() if config.get(ours) is not None}


def _generator_variable(name: str, value: np.ndarray) -> tuple[str, str, np.ndarray]:
    """Part, name and value there of a weight by its published name, in its published layout."""
    part, block, *path = name.split(".")
    if part == "mapping":
        return part, f"{block.replace('fc', 'Dense').replace('embed', 'LabelEmbed')}/{path[0]}", value.T
    side = int(block.removeprefix("b"))
    if path == ["const"]:
        return part, "4x4/Const/const", value[np.newaxis]
    layer, leaf = path[0], "_".join(path[1:])
    if leaf == "noise_const":
        return part, f"noise{2 * int(math.log2(side)) - (4 if layer == 'conv1' else 5)}", value[np.newaxis, np.newaxis]
    place = f"{side}x{side}/{(_4X4 if side == 4 else _G_LAYERS)[layer]}"
    if leaf == "affine_bias":
        return part, f"{place}/mod_bias", value.astype(np.float64) - 1  # in float32 the last bit would be lost
    if leaf == "affine_weight":
        return part, f"{place}/mod_weight", value.T
    if value.ndim == 4:
        value = value.transpose(2, 3, 1, 0)
        value = value[::-1, ::-1] if layer in _FLIPPED else value
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
