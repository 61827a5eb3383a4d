"""Networks of PyTorch pickles: trees of modules, told apart and described by their tensors and attributes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from sg_keras.config.channels import block_channels
from sg_keras.weights.network_description import FILTERS, NetworkDescription, description_from_json
from sg_keras.weights.official.plain_values import TORCH_MODULE, ObjectRecord, plain_array
from sg_keras.weights.official.settings import Settings

#: Key of a network's state with its description in our words, in files of ours. Others take no notice of it.
DESCRIPTION = "sg_keras"
_MAX_MODULES, _MAX_TENSORS, _MAX_DEPTH, _MAX_NAME = 10_000, 50_000, 8, 80
#: Constructor arguments of StyleGAN3's synthesis network that shape it, with their published defaults.
_STYLEGAN3_DEFAULTS: dict[str, Any] = {
    "num_layers": 14,
    "num_critical": 2,
    "first_cutoff": 2.0,
    "first_stopband": 2**2.1,
    "last_stopband_rel": 2**0.3,
    "margin_size": 10,
    "output_scale": 0.25,
    "conv_kernel": 3,
    "filter_size": 6,
    "lrelu_upsampling": 2,
    "use_radial_filters": False,
    "magnitude_ema_beta": 0.999,
}
_RADIAL = {"conv_kernel": 1, "use_radial_filters": True}  # what "stylegan3-r" means
_TAPS = [1, 3, 3, 1]


def torch_networks(records: dict[str, ObjectRecord]) -> dict[str, NetworkDescription]:
    """Descriptions of G, D and G_ema.

    Args:
        records: of these, as they stand in the file.

    Raises:
        ValueError: one of them is no such network. The line begins with its name.
    """
    result = {}
    for name, record in records.items():
        try:
            tree = ModuleTree(record)
            found = _discriminator(tree) if name == "D" else _generator(tree)
            result[name] = in_our_words(name, record, found)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return result


def in_our_words(name: str, record: ObjectRecord, found: NetworkDescription) -> NetworkDescription:
    """The description that a file of ours has beside what official files say, or `found`."""
    if DESCRIPTION not in record.state:
        return found
    ours = description_from_json(name, record.state[DESCRIPTION], found.weights)
    return dataclasses.replace(ours, filters=found.filters)


class ModuleTree:
    """All modules and tensors of a network, by dotted name.

    Args:
        root: the network.

    Attributes:
        modules: by name, "" being the root.
        tensors: parameters and buffers, raw, in the published layout.
    """

    def __init__(self, root: ObjectRecord) -> None:
        self.modules: dict[str, ObjectRecord] = {}
        self.tensors: dict[str, np.ndarray] = {}
        left = [("", root)]
        while left:
            prefix, module = left.pop()
            if module.kind != TORCH_MODULE:
                raise ValueError(f"found a {module.kind}, expected a {TORCH_MODULE}")
            too_many = len(self.modules) >= _MAX_MODULES or len(self.tensors) >= _MAX_TENSORS
            if too_many or prefix.count(".") > _MAX_DEPTH:
                raise ValueError(f"found modules without end at {prefix[:40]!a}, expected a network")
            self.modules[prefix.rstrip(".")] = module
            for kind in ("_parameters", "_buffers"):
                self._take_tensors(prefix, _named_parts(module, kind))
            parts = _named_parts(module, "_modules")
            left += [(f"{prefix}{name}.", part) for name, part in parts.items() if isinstance(part, ObjectRecord)]

    def _take_tensors(self, prefix: str, parts: dict[str, Any]) -> None:
        for name, part in parts.items():
            array = plain_array(part)
            if array is not None:
                self.tensors[prefix + name] = array

    def settings(self, *names: str) -> Settings:
        """Constructor arguments and attributes of modules; the first that has one decides."""
        return Settings([self.modules[name].state for name in names if name in self.modules])

    def width(self, name: str, axis: int) -> int:
        """Length of one axis of a tensor.

        Raises:
            ValueError: there is none.
        """
        tensor = self.tensors.get(name)
        if tensor is None or tensor.ndim <= axis:
            raise ValueError(f"found no {name} in it, expected a network of StyleGAN2 or StyleGAN3")
        return tensor.shape[axis]

    def resolutions(self, prefix: str) -> list[int]:
        """Of the blocks <prefix>b4, <prefix>b8 ..., in ascending order."""
        names = [name.removeprefix(f"{prefix}b") for name in self.modules if name.startswith(f"{prefix}b")]
        return sorted(int(name) for name in names if name.isdecimal() and len(name) <= 6)

    def split(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Weights, and filters and such, which follow from the other values."""
        filters = {name: array for name, array in self.tensors.items() if name.endswith(FILTERS)}
        return {name: array for name, array in self.tensors.items() if name not in filters}, filters


def _named_parts(module: ObjectRecord, kind: str) -> dict[str, Any]:
    parts = module.state.get(kind, {})
    if type(parts) is not dict or not all(type(name) is str and len(name) <= _MAX_NAME for name in parts):
        raise ValueError(f"found a module without {kind}, expected a network")
    if len(parts) > _MAX_MODULES:
        raise ValueError(f"found a module with {len(parts)} {kind}, expected a network")
    return parts


def _generator(tree: ModuleTree) -> NetworkDescription:
    config: dict[str, Any] = {
        "z_dim": tree.settings("mapping", "").integer("z_dim"),
        "c_dim": tree.settings("mapping", "").integer("c_dim"),
        "w_dim": tree.settings("synthesis", "").integer("w_dim"),
        "img_resolution": tree.settings("synthesis", "").integer("img_resolution"),
        "img_channels": tree.settings("synthesis", "").integer("img_channels"),
        **_rule(tree.settings("synthesis", "")),
        "mapping_kwargs": _mapping(tree),
    }
    # The classes of both generations have the same names. Only StyleGAN3 begins with Fourier features.
    config |= _stylegan3(tree) if "synthesis.input.freqs" in tree.tensors else _stylegan2(tree)
    return NetworkDescription("Generator", config, *tree.split())


def _mapping(tree: ModuleTree) -> dict[str, Any]:
    """Arguments of a Mapping. Widths are said where they are not that of w."""
    layers = [name for name in tree.tensors if name.startswith("mapping.fc") and name.endswith(".weight")]
    settings, layer = tree.settings("mapping"), tree.settings("mapping.fc0")
    config: dict[str, Any] = {
        "num_layers": len(layers),
        "activation": tree.settings("mapping.fc0", "mapping").text("activation", "lrelu"),
        # A bias is multiplied by nothing but the learning rate multiplier.
        "lr_multiplier": layer.number("bias_gain", None) or settings.number("lr_multiplier", 0.01),
        "w_avg_beta": settings.number("w_avg_beta", None),
    }
    if not layers and "mapping.embed.weight" in tree.tensors:  # of a discriminator: the embedded label is all
        return config
    last = tree.width(f"mapping.fc{max(len(layers) - 1, 0)}.weight", 0)
    for argument, name in (("layer_features", "mapping.fc0.weight"), ("embed_features", "mapping.embed.weight")):
        if name in tree.tensors and tree.width(name, 0) != last:
            config[argument] = tree.width(name, 0)
    return config


def _stylegan2(tree: ModuleTree) -> dict[str, Any]:
    first = "synthesis.b4.conv1"
    tree.width(f"{first}.weight", 3)
    resolutions = tree.resolutions("synthesis.")
    lower = [r for r in resolutions if r < resolutions[-1]]
    if any(f"synthesis.b{r}.torgb.weight" in tree.tensors for r in lower):
        architecture = "skip"
    else:
        skips = any(f"synthesis.b{r}.skip.weight" in tree.tensors for r in resolutions)
        architecture = "resnet" if skips else "orig"
    settings = tree.settings(first, "synthesis.b4", "synthesis")
    widths = {r: tree.width(f"synthesis.b{r}.conv1.weight", 0) for r in resolutions}
    return {
        "cfg": "stylegan2",
        **table_of(widths, _rule(tree.settings("synthesis", ""))),
        "architecture": architecture,
        "resample_filter": tree.settings("synthesis", "synthesis.b4").numbers("resample_filter", _TAPS),
        "use_noise": f"{first}.noise_strength" in tree.tensors,
        "activation": settings.text("activation", "lrelu"),
        "conv_clamp": settings.number("conv_clamp", None),
    }


def _stylegan3(tree: ModuleTree) -> dict[str, Any]:
    first = next((name for name in tree.modules if name.startswith("synthesis.L0_")), "synthesis")
    settings = tree.settings("synthesis", first)
    found: dict[str, Any] = {}
    for name, default in _STYLEGAN3_DEFAULTS.items():
        if isinstance(default, bool):
            found[name] = settings.boolean(name, default)
        else:
            found[name] = (
                settings.integer(name, default) if isinstance(default, int) else settings.number(name, default)
            )
    radial = all(found[name] == value for name, value in _RADIAL.items())
    implied = _STYLEGAN3_DEFAULTS | (_RADIAL if radial else {})
    return {
        "cfg": "stylegan3-r" if radial else "stylegan3-t",
        "conv_clamp": settings.number("conv_clamp", None),
        "synthesis_kwargs": {name: value for name, value in found.items() if value != implied[name]},
    }


def _discriminator(tree: ModuleTree) -> NetworkDescription:
    resolutions = [r for r in tree.resolutions("") if r > 4]
    if not resolutions:
        raise ValueError("found no blocks in it, expected a discriminator of StyleGAN2 or StyleGAN3")
    block = f"b{resolutions[-1]}"
    settings = tree.settings("", block)
    config: dict[str, Any] = {
        "c_dim": settings.integer("c_dim"),
        "img_resolution": settings.integer("img_resolution"),
        "img_channels": settings.integer("img_channels"),
        "architecture": _architecture(tree, block),
        **_rule(settings),
        "resample_filter": tree.settings(block).numbers("resample_filter", _TAPS),
        "activation": tree.settings(f"{block}.conv0", block).text("activation", "lrelu"),
        "conv_clamp": tree.settings(f"{block}.conv0", block, "").number("conv_clamp", None),
        "mbstd_group_size": None,
        "mbstd_num_channels": 0,
        "freeze_layers": tree.settings(block).integer("freeze_layers", 0),
    }
    widths = {r: tree.width(f"b{r}.conv0.weight", 0) for r in resolutions} | {4: tree.width("b4.conv.weight", 0)}
    config |= table_of(widths, config)
    if "b4.mbstd" in tree.modules:
        statistics = tree.settings("b4.mbstd")
        group = statistics.number("group_size", None)
        config["mbstd_group_size"] = None if group is None else statistics.integer("group_size")
        config["mbstd_num_channels"] = statistics.integer("num_channels", 1)
    if config["c_dim"] > 0:
        config["cmap_dim"] = tree.width("b4.out.weight", 0)
        config["mapping_kwargs"] = _mapping(tree)
    return NetworkDescription("Discriminator", config, *tree.split())


def _rule(settings: Settings) -> dict[str, int]:
    return {
        "channel_base": settings.integer("channel_base", 32768),
        "channel_max": settings.integer("channel_max", 512),
    }


def table_of(widths: Mapping[int, int], rule: Mapping[str, Any]) -> dict[str, Any]:
    """The table of a network's channels by level where its channel_base and channel_max do not give them.

    Larger networks are made in practice by editing the published programs, which leaves these as they were.
    """
    if all(block_channels(level, rule["channel_base"], rule["channel_max"]) == n for level, n in widths.items()):
        return {}
    return {"channels": [[level, widths[level]] for level in sorted(widths)]}


def _architecture(tree: ModuleTree, block: str) -> str:
    if "b4.fromrgb.weight" in tree.tensors:
        return "skip"
    return "resnet" if f"{block}.skip.weight" in tree.tensors else "orig"
