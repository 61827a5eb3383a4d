"""The weights of a layer in a network of other widths.

A filter that was there before reads new channels with weights of 0, so it makes what it made; a new filter keeps the
random weights of a new network, so that it makes something: as soon as the zeros have moved, gradients flow through
both. Demodulation (arXiv:1912.04958, section 2.2) does not notice a filter's zeros, and would bring a filter of nothing
but small numbers to full size, which is why new filters are never 0 in a generator. Weights are stored without the gain
of the equalised learning rate (arXiv:1710.10196, section 4.1), which depends on how many numbers a filter reads, so
they are multiplied by what that changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sg_keras.layers import Dense, FourierInput
from sg_keras.weights.graft_channels import Axis, Placement, input_axis, repeated
from sg_keras.weights.graft_wiring import IMAGE, STYLE, Wire, Wiring, is_demodulated

Weights = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Graft:
    """What a graft works on.

    Attributes:
        source, target: the networks' wiring.
        placements: of the target's channels.
        weights: of the source, by published name and in published layout.
        fresh: of the target before, likewise.
        values: of the target after, of those tensors that are known by now, in float64.
        origins: name in the source of each tensor that comes from there.
    """

    source: Wiring
    target: Wiring
    placements: dict[str, Placement]
    weights: Weights
    fresh: Weights
    values: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    origins: dict[str, str] = dataclasses.field(default_factory=dict)


def graft_layer(graft: Graft, there: Wire, here: Wire) -> None:
    """Note the values of a layer's tensors; not of those whose shape leaves nothing to be kept."""
    if there.writes != here.writes:
        _copy_whole(graft, there, here)
        return
    rows, columns = _rows(graft, here), input_axis(there, here, graft.source, graft.placements)
    if not columns.fits or not _same_kind(graft, there, here):
        return
    for leaf, value in _tensors(graft, there, here, rows, columns):
        name = f"{here.name}.{leaf}"
        if value.shape == graft.fresh[name].shape:
            graft.values[name], graft.origins[name] = value, f"{there.name}.{leaf}"


def _copy_whole(graft: Graft, there: Wire, here: Wire) -> None:
    """Take a layer that means something else there, where it fits: the last one of a shorter mapping network."""
    for leaf in ("weight", "bias"):
        name, value = f"{here.name}.{leaf}", graft.weights[f"{there.name}.{leaf}"].astype(np.float64)
        if value.shape == graft.fresh[name].shape:
            graft.values[name], graft.origins[name] = value, f"{there.name}.{leaf}"


def _same_kind(graft: Graft, there: Wire, here: Wire) -> bool:
    """Whether a layer's filters are as large as there, and images have as many channels."""
    kernels = [graft.weights[f"{there.name}.weight"].shape[2:], graft.fresh[f"{here.name}.weight"].shape[2:]]
    of_image = IMAGE in (here.writes.space, *(segment.space for segment in here.reads))
    same_image = graft.source.widths.get(IMAGE) == graft.target.widths.get(IMAGE)
    return type(there.layer) is type(here.layer) and kernels[0] == kernels[1] and (same_image or not of_image)


def _rows(graft: Graft, here: Wire) -> Axis:
    placement, written = graft.placements[here.writes.space], here.writes
    silent = placement.added if placement.silent else placement.added[:0]
    return Axis(repeated(placement.old, written), repeated(placement.new, written), repeated(silent, written))


def _tensors(graft: Graft, there: Wire, here: Wire, rows: Axis, columns: Axis) -> Iterator[tuple[str, np.ndarray]]:
    """Leaves of names, and values."""
    factor = gain_of(there.layer) / gain_of(here.layer)
    yield "weight", _matrix(graft, there, here, "weight", rows, columns, factor)
    if f"{here.name}.bias" in graft.fresh and f"{there.name}.bias" in graft.weights:
        factor = _lr_multiplier(there.layer) / _lr_multiplier(here.layer)
        yield "bias", _vector(graft, there, here, "bias", rows, factor)
    if hasattr(here.layer, "affine"):
        yield from _affine(graft, there, here, columns)
    if isinstance(here.layer, FourierInput):
        for leaf in ("freqs", "phases"):
            yield leaf, _vector(graft, there, here, leaf, columns)
    for leaf in ("noise_const", "noise_strength", "magnitude_ema"):
        if f"{there.name}.{leaf}" in graft.weights and f"{here.name}.{leaf}" in graft.fresh:
            yield leaf, graft.weights[f"{there.name}.{leaf}"].astype(np.float64)


def _affine(graft: Graft, there: Wire, here: Wire, columns: Axis) -> Iterator[tuple[str, np.ndarray]]:
    """The styles of the channels that a layer reads: those of new channels scale what is not read."""
    style = graft.placements[STYLE]
    factor = gain_of(there.layer.affine) / gain_of(here.layer.affine)
    rows = columns
    if isinstance(here.layer, FourierInput):  # a direction and an offset
        rows = Axis(np.arange(4), np.arange(4), np.arange(0))
    rows = dataclasses.replace(rows, unread=rows.unread[:0])
    read = Axis(style.old, style.new, style.added)
    yield "affine.weight", _matrix(graft, there, here, "affine.weight", rows, read, factor)
    yield "affine.bias", _vector(graft, there, here, "affine.bias", rows)


def _matrix(graft: Graft, there: Wire, here: Wire, leaf: str, rows: Axis, columns: Axis, factor: float) -> np.ndarray:
    """A weight [out,in,...] with the source's in its place."""
    old, value = graft.weights[f"{there.name}.{leaf}"], graft.fresh[f"{here.name}.{leaf}"].astype(np.float64)
    value[rows.unread] = 0
    value[np.ix_(rows.new, columns.unread)] = 0
    value[np.ix_(rows.new, columns.new)] = factor * old[np.ix_(rows.old, columns.old)].astype(np.float64)
    return value


def _vector(graft: Graft, there: Wire, here: Wire, leaf: str, rows: Axis, factor: float = 1.0) -> np.ndarray:
    """A bias [out], or whatever else has one entry each along its first axis."""
    old, value = graft.weights[f"{there.name}.{leaf}"], graft.fresh[f"{here.name}.{leaf}"].astype(np.float64)
    value[rows.unread] = 0
    value[rows.new] = factor * old[rows.old].astype(np.float64)
    return value


def gain_of(layer: Any) -> float:
    """What a layer's stored weights are multiplied by when it runs; 1 where their scale means nothing."""
    if isinstance(layer, FourierInput):
        return float(1 / np.sqrt(layer.channels))
    return 1.0 if is_demodulated(layer) else float(layer.weight_gain)


def _lr_multiplier(layer: Any) -> float:
    return float(layer.lr_multiplier) if isinstance(layer, Dense) else 1.0
