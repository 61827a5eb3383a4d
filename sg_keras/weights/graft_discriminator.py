"""What a graft does to a discriminator beside widening its layers, so that its logits stay what they were.

New blocks hand on the image: a rectifier loses nothing where one channel has u and another -u, since lrelu(u) -
lrelu(-u) = (1 + slope) u. So each colour is carried by two channels from the image to the last new block, whose second
convolution has the weights of the old first layer (fromrgb) and makes what that made of the image, reduced by the
network's own filter on the way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sg_keras.layers import Conv2D
from sg_keras.ops import ACTIVATIONS
from sg_keras.weights.graft_channels import input_axis
from sg_keras.weights.graft_layers import Graft, gain_of
from sg_keras.weights.graft_wiring import MAPPED_LABEL, STD_INPUT

_SLOPES = {"lrelu": ACTIVATIONS["lrelu"].default_alpha, "relu": 0.0, "linear": 1.0}
_LONELY = math.sqrt(1e-8)  # what the minibatch standard deviation makes of a channel that is always the same


def keep_logits(graft: Graft) -> list[str]:
    """Change a graft's values so that the logits stay.

    Returns:
        Why they do not, in words; nothing where they do.
    """
    reasons = [*_grow(graft), *_drop(graft)]
    _keep_standard_deviation(graft)
    _keep_label_projection(graft)
    return reasons


# ---- blocks ----------------------------------------------------------------------------------------------------------


def _grow(graft: Graft) -> list[str]:
    D, old = graft.target.network, graft.source.network
    new = [level for level in D.levels if level > old.levels[0]]
    if not new:
        return []
    if D.b4.architecture == "skip":  # each block adds what it makes to what the next one sees in the image itself
        for leaf in ("weight", "bias"):
            name = f"b{new[-1]}.conv1.{leaf}"
            rows = graft.placements[f"x{new[-1] // 2}"].new
            value = _fresh(graft, name)
            value[rows] = 0
            graft.values[name] = value
        return []
    colours, narrow = D.img_channels, min(getattr(D, f"b{level}").mid_channels for level in new)
    act = D.b4.conv.activation
    if act not in _SLOPES or narrow < 2 * colours:
        needed = f"expected {2 * colours} and lrelu to carry {colours} colours"
        return [f"the new blocks of D have {narrow} channels and {act} ({needed}): its logits begin anew"]
    first = f"b{new[0]}.fromrgb"
    pairs = np.stack([np.eye(colours), -np.eye(colours)], axis=1).reshape(2 * colours, colours)
    _set_filters(graft, first, np.arange(2 * colours), pairs / gain_of(D.blocks[0].fromrgb))
    for level in new:
        _carry(graft, level, pairs, level == new[-1])
    return []


def _carry(graft: Graft, level: int, pairs: np.ndarray, is_last: bool) -> None:
    """The filters of a new block: from pairs of channels to pairs, of the last one to the old network's first maps."""
    block: Any = getattr(graft.target.network, f"b{level}")
    slope, scale = _SLOPES[block.conv0.activation], ACTIVATIONS[block.conv0.activation].default_gain
    read = pairs.T / (scale * (1 + slope))  # [colours,2*colours]: colours of what carries them
    gain = math.sqrt(0.5) if block.architecture == "resnet" else 1.0
    _set_filters(graft, f"b{level}.conv0", np.arange(len(pairs)), pairs @ read / gain_of(block.conv0))
    rows, wanted, bias = np.arange(len(pairs)), pairs / gain, None
    if is_last:
        old: Conv2D = graft.source.network.blocks[0].fromrgb
        kept, name = graft.placements[f"x{level // 2}"], f"b{graft.source.network.levels[0]}.fromrgb"
        rows = kept.new
        wanted = graft.weights[f"{name}.weight"][kept.old, :, 0, 0].astype(np.float64) * (gain_of(old) / gain)
        bias = graft.weights[f"{name}.bias"][kept.old].astype(np.float64) / gain
    _set_filters(graft, f"b{level}.conv1", rows, wanted @ read / gain_of(block.conv1), bias)
    if block.architecture == "resnet":
        _set_filters(graft, f"b{level}.skip", rows, np.zeros([len(rows), len(pairs)]))


def _set_filters(
    graft: Graft, layer: str, rows: np.ndarray, values: np.ndarray, bias: np.ndarray | None = None
) -> None:
    """Filters [rows] that read the first channels, at their centre, with these values [rows,columns], and no others."""
    weight = _fresh(graft, f"{layer}.weight")
    centre = weight.shape[2] // 2
    weight[rows] = 0
    weight[rows, : values.shape[1], centre, centre] = values
    graft.values[f"{layer}.weight"] = weight
    if f"{layer}.bias" in graft.fresh:
        own = _fresh(graft, f"{layer}.bias")
        own[rows] = 0 if bias is None else bias
        graft.values[f"{layer}.bias"] = own


def _fresh(graft: Graft, name: str) -> np.ndarray:
    return graft.values.get(name, graft.fresh[name]).astype(np.float64)


def _drop(graft: Graft) -> list[str]:
    levels = graft.target.network.levels
    dropped = bool(levels) and levels[0] < graft.source.network.levels[0]
    if not dropped:
        return []
    if graft.target.network.b4.architecture == "skip":
        return ["D has lost its highest blocks, and with them what they added"]
    return [f"D has lost its highest blocks, and b{levels[0]}.fromrgb, which takes their place, is new"]


# ---- 4x4 -------------------------------------------------------------------------------------------------------------


def _keep_standard_deviation(graft: Graft) -> None:
    """Undo what new channels do to the mean over channels of the minibatch standard deviation.

    Channels that give 0 have a deviation of sqrt(1e-8), which is averaged with the others. One of the new channels
    gives 1 everywhere instead, so that what the average is off by can be taken away, at the borders, too.
    """
    placement = graft.placements[STD_INPUT]
    before, added = len(placement.old), placement.added
    name, parts = "b4.conv.weight", graft.target.widths["std"]
    if not placement.silent or placement.left_out or not len(added) or not parts or name not in graft.values:
        return
    writer = _writer(graft)
    weight = graft.values[name]
    rows, deviations = graft.placements["b4.conv"].new, slice(placement.width, placement.width + parts)
    weight[rows, deviations] *= placement.width / before
    too_much = (placement.width - before) / placement.width * _LONELY
    constant, value = int(added[0]), 1.0
    weight[rows, constant] = -too_much * weight[rows, deviations].sum(axis=1) / value
    bias = _fresh(graft, f"{writer}.bias")
    bias[constant] = value / _gain_at_4(graft, writer)
    graft.values[f"{writer}.bias"] = bias


def _writer(graft: Graft) -> str:
    """The layer with a bias that makes, or adds to, what the standard deviation is taken of."""
    names: Sequence[str] = [wire.name for wire in graft.target.writers(STD_INPUT) if wire.layer.use_bias]
    return names[0]


def _gain_at_4(graft: Graft, writer: str) -> float:
    D = graft.target.network
    gain = math.sqrt(0.5) if writer.startswith("b8.") and D.b8.architecture == "resnet" else 1.0
    return ACTIVATIONS[D.b4.conv.activation].default_gain * gain


def _keep_label_projection(graft: Graft) -> None:
    """A wider mapped label is divided by the root of a larger number; what is new in it is not read at first."""
    placement = graft.placements.get(MAPPED_LABEL)
    if placement is not None and graft.source.network.c_dim == 0:
        _add_labels(graft)
    if placement is None or not len(placement.old):
        return
    for leaf in ("weight", "bias"):
        value = graft.values.get(f"b4.out.{leaf}")
        if value is not None:
            value[placement.new] *= math.sqrt(placement.width / (len(placement.old) + placement.left_out))
            value[placement.added] = 0


def _add_labels(graft: Graft) -> None:
    """Multiply the logit by a first entry of the mapped label that is constant; the others are not read at first."""
    mapping, there, here = graft.target.network.mapping, graft.source.wires["b4.out"], graft.target.wires["b4.out"]
    if mapping.num_layers == 0:
        return
    width, columns = graft.placements[MAPPED_LABEL].width, input_axis(there, here, graft.source, graft.placements)
    weight, bias = np.zeros(graft.fresh["b4.out.weight"].shape), np.zeros(width)
    factor = gain_of(there.layer) / gain_of(here.layer)
    weight[0, columns.new] = factor * graft.weights["b4.out.weight"][0, columns.old]
    bias[0] = graft.weights["b4.out.bias"][0]
    last = f"mapping.fc{mapping.num_layers - 1}"
    mapped, constant = _fresh(graft, f"{last}.weight"), _fresh(graft, f"{last}.bias")
    mapped[0] = 0
    layer = graft.target.wires[last].layer
    constant[0] = math.sqrt(width) / ACTIVATIONS[layer.activation].default_gain / layer.lr_multiplier
    graft.values.update({"b4.out.weight": weight, "b4.out.bias": bias})
    graft.values.update({f"{last}.weight": mapped, f"{last}.bias": constant})
    graft.origins.update({name: name for name in ("b4.out.weight", "b4.out.bias")})
