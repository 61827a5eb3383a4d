"""Networks of StyleGAN2-ADA's TensorFlow 1 pickles: variables by name, in other layouts and under other names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from sg_keras.weights.network_description import NetworkDescription
from sg_keras.weights.official.plain_values import ObjectRecord, plain_array
from sg_keras.weights.official.settings import Settings
from sg_keras.weights.official.torch_networks import in_our_words, table_of

_BLOCK = re.compile(r"^(4|8|16|32|64|128|256|512|1024|2048|4096)x\1/(\w{1,12})/(\w{1,16})$")
_NOISE = re.compile(r"^noise(\d{1,2})$")
_DENSE = re.compile(r"^(Dense|Mapping)(\d{1,3})/(weight|bias)$")  # of the mapping: Dense in G, Mapping in D
_EMBED = re.compile(r"^LabelEmbed/(weight|bias)$")
_LAYERS = {
    **{"Conv0_up": "conv0", "Conv0": "conv0", "Conv1": "conv1", "Conv1_down": "conv1"},
    **{"Skip": "skip", "ToRGB": "torgb", "FromRGB": "fromrgb"},
}
_GENERATOR_4X4 = {"Const": "", "Conv": "conv1", "ToRGB": "torgb"}
_DISCRIMINATOR_4X4 = {"Conv": "conv", "Dense0": "fc", "FromRGB": "fromrgb"}
_LEAVES = {"mod_weight": "affine.weight", "mod_bias": "affine.bias"}
_FLIPPED = ("conv0", "skip")  # of the generator: they resample by a convolution that turns its kernel round
_WITHOUT_MEANING = {"lod"}  # of networks that grew
_UNDERSTOOD = {
    *("num_channels", "resolution", "label_size", "latent_size", "dlatent_size", "mapping_layers"),
    *("fmap_base", "fmap_max", "mbstd_group_size", "num_fp16_res", "architecture", "conv_clamp"),
    *("label_fmaps", "mapping_fmaps", "mapping_lrmul"),
}
_G_LR_MULTIPLIER, _D_LR_MULTIPLIER = 0.01, 0.1  # of the mappings, where the file does not say
_W_AVG_BETA = 0.995
_MAX_CHANNELS = 1 << 16


def tensorflow_networks(G: ObjectRecord, D: ObjectRecord, Gs: ObjectRecord) -> dict[str, NetworkDescription]:
    """Descriptions of G, D and G_ema (which is called Gs in the file).

    Raises:
        ValueError: one of them is no such network. The line begins with its name.
    """
    result = {}
    for name, record in (("G", G), ("D", D), ("G_ema", Gs)):
        try:
            found = _discriminator(record) if name == "D" else _generator(record)
            result[name] = in_our_words(name, record, found)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return result


def _arguments(record: ObjectRecord) -> Settings:
    """What a network was made with, and then what its parts were."""
    found = record.state.get("static_kwargs")
    if type(found) is not dict:
        raise ValueError("found no static_kwargs in it, expected a network of StyleGAN2-ADA")
    unknown = sorted(str(name)[:40] for name in found if name not in _UNDERSTOOD)
    if unknown:
        raise ValueError(f"found the setting {unknown[0]!r}, expected one of {', '.join(sorted(_UNDERSTOOD))}")
    components = record.state.get("components")
    parts = list(components.values()) if isinstance(components, dict) else []
    further = [part.state.get("static_kwargs") for part in parts if isinstance(part, ObjectRecord)]
    return Settings([found, *(values for values in further if type(values) is dict)])


def _variables(record: ObjectRecord, *components: str) -> dict[str, np.ndarray]:
    """Variables of a network and of parts of it, by name."""
    parts = record.state.get("components")
    found = [parts.get(name) for name in components] if isinstance(parts, dict) else []
    result: dict[str, np.ndarray] = {}
    for part in [record, *found]:
        listed = part.state.get("variables") if isinstance(part, ObjectRecord) else None
        if not isinstance(listed, list):
            raise ValueError("found a part without variables, expected a network of StyleGAN2-ADA")
        for item in listed:
            name, value = item if isinstance(item, tuple) and len(item) == 2 else (None, None)
            array = plain_array(value)
            if not isinstance(name, str) or array is None:
                raise ValueError("found a variable without name or value, expected a network of StyleGAN2-ADA")
            result[name] = np.float32(array) if array.ndim == 0 else array
    return result


def _generator(record: ObjectRecord) -> NetworkDescription:
    settings = _arguments(record)
    weights: dict[str, np.ndarray] = {}
    for name, value in _variables(record, "synthesis", "mapping").items():
        leaf = name.removeprefix("G_synthesis/").removeprefix("G_mapping/")
        if leaf not in _WITHOUT_MEANING:
            ours, array = _generator_weight(leaf, value)
            weights[ours] = array
    resolution = settings.integer("resolution")
    blocks = [name for name in weights if name.endswith(".torgb.weight")]
    skips = any(name.endswith(".skip.weight") for name in weights)
    widths = _widths(weights, r"synthesis\.b(\d+)\.conv1\.weight")
    config: dict[str, Any] = {
        "z_dim": settings.integer("latent_size", 512),
        "c_dim": settings.integer("label_size", 0),
        "w_dim": settings.integer("dlatent_size", 512),
        "img_resolution": resolution,
        "img_channels": settings.integer("num_channels", 3),
        "cfg": "stylegan2",
        **_channels(settings),
        **table_of(widths, _channels(settings)),
        "mapping_kwargs": {**_mapping(settings, weights), "w_avg_beta": _W_AVG_BETA},
        "architecture": "skip" if len(blocks) > 1 or resolution == 4 else "resnet" if skips else "orig",
        "use_noise": "synthesis.b4.conv1.noise_strength" in weights,
        "conv_clamp": settings.number("conv_clamp", None),
    }
    return NetworkDescription("Generator", config, weights)


def _mapping(settings: Settings, weights: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Arguments of the generator's Mapping. Widths are said where they are not that of w."""
    config: dict[str, Any] = {
        "num_layers": _mapping_layers(weights),
        "lr_multiplier": settings.number("mapping_lrmul", _G_LR_MULTIPLIER),
    }
    if settings.number("mapping_fmaps", None) is not None:
        config["layer_features"] = settings.integer("mapping_fmaps")
    if settings.integer("label_size", 0) > 0 and settings.number("label_fmaps", None) is not None:
        config["embed_features"] = settings.integer("label_fmaps")
    return config


def _mapping_layers(weights: Mapping[str, np.ndarray]) -> int:
    return sum(1 for name in weights if name.startswith("mapping.fc") and name.endswith(".weight"))


def _channels(settings: Settings) -> dict[str, int]:
    """Twice fmap_base: the first version divides by half the resolution."""
    base, most = settings.integer("fmap_base", 16384), settings.integer("fmap_max", 512)
    return {"channel_base": 2 * base, "channel_max": most}


def _widths(weights: Mapping[str, np.ndarray], pattern: str) -> dict[int, int]:
    """Output channels of the kernels of this name, by the level in it."""
    found = [(re.fullmatch(pattern, name), value) for name, value in weights.items() if value.ndim == 4]
    return {int(match[match.lastindex or 1]): value.shape[0] for match, value in found if match is not None}


def _generator_weight(name: str, value: np.ndarray) -> tuple[str, np.ndarray]:
    """Published name and value of a variable of the generator."""
    noise, block = _NOISE.match(name), _BLOCK.match(name)
    if name == "dlatent_avg":
        return "mapping.w_avg", value
    if noise:
        index = int(noise.group(1))  # 0: 4x4; then two for each resolution
        layer = "conv1" if index % 2 == 0 else "conv0"
        return f"synthesis.b{4 << (index + 1) // 2}.{layer}.noise_const", _without_first(value, 2)
    mapping = _mapping_name(name, "Dense")
    if mapping is not None:
        return mapping, value.T
    if block:
        part = (_GENERATOR_4X4 if block.group(1) == "4" else _LAYERS).get(block.group(2))
        if part is not None:
            place = f"synthesis.b{block.group(1)}.{part}".rstrip(".")
            return f"{place}.{_LEAVES.get(block.group(3), block.group(3))}", _value(part in _FLIPPED, block, value)
    raise ValueError(f"found the variable {ascii(name)[1:-1][:60]}, expected those of StyleGAN2-ADA alone")


def _mapping_name(name: str, layers: str) -> str | None:
    """Published name of a variable of a mapping whose layers are called so in the file, None if it is another's."""
    dense, embed = _DENSE.match(name), _EMBED.match(name)
    if embed:
        return f"mapping.embed.{embed.group(1)}"
    return f"mapping.fc{dense.group(2)}.{dense.group(3)}" if dense and dense.group(1) == layers else None


def _without_first(value: np.ndarray, axes: int) -> np.ndarray:
    """Without so many axes of length 1 at the front; as it is if it has others, for the shapes to be compared."""
    return value.reshape(value.shape[axes:]) if value.shape[:axes] == (1,) * axes else value


def _value(flipped: bool, block: re.Match[str], value: np.ndarray) -> np.ndarray:
    leaf = block.group(3)
    if leaf == "const":
        return _without_first(value, 1)
    if leaf == "mod_bias":
        if value.size > _MAX_CHANNELS:
            raise ValueError(f"found {value.size} channels, expected {_MAX_CHANNELS} at most")
        return value + np.float32(1)
    if value.ndim == 4:
        value = value[::-1, ::-1] if flipped else value
        return value.transpose(3, 2, 0, 1)
    return value.T


def _discriminator(record: ObjectRecord) -> NetworkDescription:
    settings = _arguments(record)
    weights: dict[str, np.ndarray] = {}
    for name, value in _variables(record).items():
        if name not in _WITHOUT_MEANING:
            weights[_discriminator_name(name)] = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value.T
    channels = _channels(settings)
    widths = _widths(weights, r"b(4)\.conv\.weight|b(\d+)\.conv0\.weight")
    statistics = weights.get("b4.conv.weight", np.zeros([0, 0])).shape[1] - widths.get(4, 0)
    skips = any(name.endswith(".skip.weight") for name in weights)
    config: dict[str, Any] = {
        "c_dim": settings.integer("label_size", 0),
        "img_resolution": settings.integer("resolution"),
        "img_channels": settings.integer("num_channels", 3),
        "architecture": "skip" if "b4.fromrgb.weight" in weights else "resnet" if skips else "orig",
        **channels,
        **table_of(widths, channels),
        "conv_clamp": settings.number("conv_clamp", None),
        "mbstd_group_size": settings.integer("mbstd_group_size", 4),
        "mbstd_num_channels": max(statistics, 0),
    }
    if config["c_dim"] > 0:
        config["mapping_kwargs"] = {
            "num_layers": _mapping_layers(weights),
            "lr_multiplier": settings.number("mapping_lrmul", _D_LR_MULTIPLIER),
        }
        if settings.number("mapping_fmaps", None) is not None:  # the width of embedding, layers and projection alike
            config["cmap_dim"] = settings.integer("mapping_fmaps")
    return NetworkDescription("Discriminator", config, weights)


def _discriminator_name(name: str) -> str:
    block = _BLOCK.match(name)
    mapping = _mapping_name(name, "Mapping")
    if mapping is not None:
        return mapping
    if name in ("Output/weight", "Output/bias"):
        return f"b4.out.{name.rpartition('/')[2]}"
    if block:
        layer = (_DISCRIMINATOR_4X4 if block.group(1) == "4" else _LAYERS).get(block.group(2))
        if layer is not None:
            return f"b{block.group(1)}.{layer}.{block.group(3)}"
    raise ValueError(f"found the variable {ascii(name)[1:-1][:60]}, expected those of StyleGAN2-ADA alone")
