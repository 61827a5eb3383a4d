"""Names and shapes of the weights that a network will have, worked out without building it.

A file may say that its network is a billion channels wide. Compared with what it holds, one weight at a time, that
costs nothing; building the network first would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sg_keras.config.channels import ChannelTable, block_channels, check_levels
from sg_keras.config.sizes import ImageSize, block_sizes, doubling_sizes, image_size, no_const_size
from sg_keras.models import plan_synthesis
from sg_keras.models.generator import STYLEGAN3

Shapes = Iterator[tuple[str, tuple[int, ...]]]
_MAX_RESOLUTION, _MAX_LAYERS, _MAX_TAPS = 1 << 14, 64, 1024
_NO_PLAN = ("output_scale", "magnitude_ema_beta")  # of synthesis_kwargs, without influence on shapes


def generator_shapes(config: Mapping[str, Any]) -> Shapes:
    """(name, shape) of every variable of a generator, in the published layout.

    Args:
        config: all constructor arguments of Generator that shape it; no_const and channels may be missing.

    Raises:
        ValueError: the arguments give no network.
    """
    _checked_size(config)
    z_dim, c_dim, w_dim = config["z_dim"], config["c_dim"], config["w_dim"]
    yield from _prefixed(
        "synthesis", _synthesis_stylegan3(config) if config["cfg"] in STYLEGAN3 else _synthesis(config)
    )
    yield from _prefixed("mapping", _mapping(z_dim, c_dim, w_dim, config["mapping_kwargs"]))
    if config["mapping_kwargs"].get("w_avg_beta", 0.998) is not None:
        yield "mapping.w_avg", (w_dim,)


def discriminator_shapes(config: Mapping[str, Any]) -> Shapes:
    """The same of a discriminator."""
    size = _checked_size(config)
    colours, architecture = config["img_channels"], config["architecture"]
    sizes = _channels(config)
    blocks = block_sizes(size)
    check_levels(config.get("channels"), blocks)
    for level in list(blocks)[:0:-1]:
        here, below = block_channels(level, *sizes), block_channels(level // 2, *sizes)
        block = f"b{level}"
        if architecture == "skip" or level == size.level:
            yield from _prefixed(f"{block}.fromrgb", _convolution(here, colours, 1))
        yield from _prefixed(f"{block}.conv0", _convolution(here, here, 3))
        yield from _prefixed(f"{block}.conv1", _convolution(below, here, 3))
        if architecture == "resnet":
            yield f"{block}.skip.weight", (below, here, 1, 1)
    channels = block_channels(4, *sizes)
    mapped = channels if config["cmap_dim"] is None else config["cmap_dim"]
    if architecture == "skip":
        yield from _prefixed("b4.fromrgb", _convolution(channels, colours, 1))
    yield from _prefixed("b4.conv", _convolution(channels, channels + config["mbstd_num_channels"], 3))
    yield from _prefixed("b4.fc", _dense(channels, channels * blocks[4].height * blocks[4].width))
    yield from _prefixed("b4.out", _dense(mapped if config["c_dim"] > 0 else 1, channels))
    if config["c_dim"] > 0:
        yield from _prefixed("mapping", _mapping(0, config["c_dim"], mapped, config["mapping_kwargs"]))


def _channels(config: Mapping[str, Any]) -> tuple[int, int, ChannelTable]:
    """What block_channels takes after the level."""
    return config["channel_base"], config["channel_max"], config.get("channels")


def _checked_size(config: Mapping[str, Any]) -> ImageSize:
    size = image_size(config["img_resolution"], "img_resolution")
    if not 4 <= size.shorter <= max(size.height, size.width) <= _MAX_RESOLUTION:
        found = config["img_resolution"]
        raise ValueError(f"img_resolution: found {found}, expected 4 to {_MAX_RESOLUTION}")
    return size


def _prefixed(prefix: str, shapes: Shapes) -> Shapes:
    for name, shape in shapes:
        yield f"{prefix}.{name}", shape


def _dense(outputs: int, inputs: int) -> Shapes:
    yield "weight", (outputs, inputs)
    yield "bias", (outputs,)


def _convolution(outputs: int, inputs: int, kernel: int) -> Shapes:
    yield "weight", (outputs, inputs, kernel, kernel)
    yield "bias", (outputs,)


def _modulated(outputs: int, inputs: int, kernel: int, w_dim: int) -> Shapes:
    yield from _convolution(outputs, inputs, kernel)
    yield from _prefixed("affine", _dense(inputs, w_dim))


def _mapping(z_dim: int, c_dim: int, w_dim: int, further: Mapping[str, Any]) -> Shapes:
    embedded = w_dim if further.get("embed_features") is None else further["embed_features"]
    hidden = w_dim if further.get("layer_features") is None else further["layer_features"]
    if c_dim > 0:
        yield from _prefixed("embed", _dense(embedded, c_dim))
    width = z_dim + (embedded if c_dim > 0 else 0)
    layers = further["num_layers"]
    for index in range(layers):
        outputs = w_dim if index == layers - 1 else hidden
        yield from _prefixed(f"fc{index}", _dense(outputs, width))
        width = outputs


def _synthesis(config: Mapping[str, Any]) -> Shapes:
    w_dim, colours, architecture = config["w_dim"], config["img_channels"], config["architecture"]
    size, before = image_size(config["img_resolution"]), 0
    blocks = doubling_sizes(size)
    check_levels(config.get("channels"), blocks)
    for level, here in blocks.items():
        channels = block_channels(level, *_channels(config))
        layers = {"conv0": before or channels, "conv1": channels}
        if before == 0 and config.get("no_const"):
            half = no_const_size(size)
            yield from _prefixed("b4.fc", _dense(channels * half.height * half.width, w_dim))
        elif before == 0:
            yield "b4.const", (channels, here.height, here.width)
            del layers["conv0"]
        for name, inputs in layers.items():
            yield from _prefixed(f"b{level}.{name}", _modulated(channels, inputs, 3, w_dim))
            if config["use_noise"]:
                yield f"b{level}.{name}.noise_const", (here.height, here.width)
                yield f"b{level}.{name}.noise_strength", ()
        if architecture == "skip" or level == size.level:
            yield from _prefixed(f"b{level}.torgb", _modulated(colours, channels, 1, w_dim))
        if architecture == "resnet" and before > 0:
            yield f"b{level}.skip.weight", (channels, before, 1, 1)
        before = channels


def _synthesis_stylegan3(config: Mapping[str, Any]) -> Shapes:
    design = {**STYLEGAN3[config["cfg"]], **config["synthesis_kwargs"]}
    design = {name: value for name, value in design.items() if name not in _NO_PLAN}
    if not 1 <= design.get("num_layers", 14) <= _MAX_LAYERS:
        raise ValueError(f"num_layers: found {design['num_layers']}, expected 1 to {_MAX_LAYERS}")
    shared = ("img_resolution", "img_channels", "channel_base", "channel_max")
    design |= {**{name: config[name] for name in shared}, "channels": config.get("channels")}
    plan, w_dim = plan_synthesis(**design), config["w_dim"]
    channels = plan.input.channels
    yield "input.weight", (channels, channels)
    yield "input.freqs", (channels, 2)
    yield "input.phases", (channels,)
    yield from _prefixed("input.affine", _dense(4, w_dim))
    for layer in plan.layers:
        design_ = layer.design
        if max(design_.up_taps, design_.down_taps) > _MAX_TAPS:
            raise ValueError(f"filter_size: found filters of more than {_MAX_TAPS} taps, expected fewer")
        shapes = _modulated(design_.out_channels, design_.in_channels, design_.kernel_size, w_dim)
        yield from _prefixed(layer.name, shapes)
        yield f"{layer.name}.magnitude_ema", ()
