"""Which layer of a network reads which channels, and which layer makes them: what a graft has to keep together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import keras

from sg_keras.layers import AliasFreeLayer, SynthesisLayer
from sg_keras.models import Discriminator
from sg_keras.models.mapping import Mapping as MappingNetwork

#: Channels of D that its minibatch standard deviation looks at.
STD_INPUT = "x4"
IMAGE, STYLE, MAPPED_LABEL = "image", "w", "cmap"
#: StyleGAN2's constant, or the maps that take its place.
CONSTANT = "constant"


@dataclasses.dataclass(frozen=True)
class Segment:
    """A part of a layer's input: channels of one kind, so many numbers each (pixels, where maps were flattened)."""

    space: str
    repeats: int = 1


@dataclasses.dataclass(frozen=True)
class Wire:
    """A layer with weights, between the channels that it reads and those that it makes.

    Attributes:
        key: what the same layer of another network is found by; of StyleGAN3 without size and channels.
        name: the published one, which begins the names of its variables.
        layer: the layer itself.
        reads: its input's parts, in their order.
        writes: the channels that it makes, as many numbers each as it says.
    """

    key: str
    name: str
    layer: Any
    reads: tuple[Segment, ...]
    writes: Segment


@dataclasses.dataclass(frozen=True)
class Wiring:
    """All layers of a network by key, and the width of all channels by name."""

    network: keras.Model
    wires: dict[str, Wire]
    widths: dict[str, int]

    def writers(self, space: str) -> list[Wire]:
        """The layers that make these channels."""
        return [wire for wire in self.wires.values() if wire.writes.space == space]


def wiring_of(network: keras.Model) -> Wiring:
    """The wiring of a generator or a discriminator."""
    found = list(_discriminator(network) if isinstance(network, Discriminator) else _generator(network))
    widths = {wire.writes.space: int(wire.layer.weight.shape[-1]) // wire.writes.repeats for wire in found}
    widths |= _widths_of_inputs(network)
    return Wiring(network, {wire.key: wire for wire in found}, widths)


def _widths_of_inputs(network: Any) -> dict[str, int]:
    """Widths of what no layer makes."""
    mapping = network.mapping
    widths = {} if mapping is None else {"z": mapping.z_dim, "c": mapping.c_dim}
    if mapping is None or mapping.c_dim == 0:
        widths["embed"] = 0
    if isinstance(network, Discriminator):
        return {**widths, IMAGE: network.img_channels, "std": network.b4.mbstd_num_channels}
    widths |= {STYLE: network.w_dim}
    if network.takes_transform:
        return {**widths, "waves": network.synthesis.input_layer.channels}
    return {**widths, CONSTANT: network.synthesis.blocks[0].out_channels}


def _wire(name: str, layer: Any, reads: str | tuple[Segment, ...], writes: str | Segment, key: str = "") -> Wire:
    reads = (Segment(reads),) if isinstance(reads, str) else reads
    return Wire(key or name, name, layer, reads, Segment(writes) if isinstance(writes, str) else writes)


def _mapping(mapping: MappingNetwork, writes: str) -> Iterator[Wire]:
    reads: tuple[Segment, ...] = (Segment("z"), Segment("embed"))
    if mapping.c_dim > 0:
        yield _wire("mapping.embed", mapping.embed, "c", "embed")
    for index in range(mapping.num_layers):
        made = writes if index == mapping.num_layers - 1 else f"fc{index}"
        yield _wire(f"mapping.fc{index}", getattr(mapping, f"fc{index}"), reads, made)
        reads = (Segment(made),)


def _generator(network: Any) -> Iterator[Wire]:
    yield from _mapping(network.mapping, STYLE)
    yield from _stylegan3(network.synthesis) if network.takes_transform else _stylegan2(network.synthesis)


def _stylegan2(synthesis: Any) -> Iterator[Wire]:
    before = CONSTANT
    for block in synthesis.blocks:
        name, after = f"synthesis.{block.name}", f"synthesis.{block.name}.conv1"
        if block.has_skip:
            yield _wire(f"{name}.skip", block.skip, before, after)
        if block.in_channels > 0:
            yield _wire(f"{name}.conv0", block.conv0, before, f"{name}.conv0")
            before = f"{name}.conv0"
        elif not block.has_const:
            maps = Segment("maps", (block.size.height // 2) * (block.size.width // 2))
            yield _wire(f"{name}.fc", block.fc, STYLE, maps)
            yield _wire(f"{name}.conv0", block.conv0, "maps", CONSTANT)
        yield _wire(f"{name}.conv1", block.conv1, before, after)
        before = after
        if block.has_torgb:
            yield _wire(f"{name}.torgb", block.torgb, before, IMAGE)


def _stylegan3(synthesis: Any) -> Iterator[Wire]:
    before = "synthesis.input"
    yield _wire(before, synthesis.input_layer, "waves", before)
    for index, layer in enumerate(synthesis.alias_free_layers):
        key, made = (
            ("synthesis.torgb", IMAGE) if layer.design.is_torgb else (f"synthesis.L{index}", f"synthesis.L{index}")
        )
        yield _wire(f"synthesis.{layer.name}", layer, before, made, key)
        before = made


def _discriminator(network: Any) -> Iterator[Wire]:
    for block in network.blocks:
        name, here, below = block.name, f"x{block.level}", f"x{block.level // 2}"
        if block.has_fromrgb:
            yield _wire(f"{name}.fromrgb", block.fromrgb, IMAGE, here)
        yield _wire(f"{name}.conv0", block.conv0, here, f"{name}.conv0")
        yield _wire(f"{name}.conv1", block.conv1, f"{name}.conv0", below)
        if block.architecture == "resnet":
            yield _wire(f"{name}.skip", block.skip, here, below)
    last = network.b4
    if last.architecture == "skip":
        yield _wire("b4.fromrgb", last.fromrgb, IMAGE, STD_INPUT)
    yield _wire("b4.conv", last.conv, (Segment(STD_INPUT), Segment("std")), "b4.conv")
    yield _wire("b4.fc", last.fc, (Segment("b4.conv", last.size.height * last.size.width),), "b4.fc")
    yield _wire("b4.out", last.out, "b4.fc", MAPPED_LABEL if network.c_dim > 0 else "logit")
    if network.mapping is not None:
        yield from _mapping(network.mapping, MAPPED_LABEL)


def is_demodulated(layer: Any) -> bool:
    """Whether a layer's filters are normalised as they are used, so that their scale means nothing."""
    return isinstance(layer, SynthesisLayer) or (isinstance(layer, AliasFreeLayer) and not layer.design.is_torgb)
