"""Networks that begin as what smaller or larger ones were: more channels, more blocks, fewer of either.

What can be kept of a network's function is kept to the last bits of rounding, and what cannot is said in words.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection
from typing import Any

import keras
import numpy as np

from sg_keras.config.sizes import ImageSize, image_size
from sg_keras.models import Discriminator
from sg_keras.weights.graft_channels import place_channels
from sg_keras.weights.graft_colours import in_colours_of
from sg_keras.weights.graft_constant import CONST, keep_constant, takes_constant
from sg_keras.weights.graft_discriminator import keep_logits
from sg_keras.weights.graft_layers import Graft, graft_layer
from sg_keras.weights.graft_wiring import CONSTANT, STYLE, wiring_of
from sg_keras.weights.published_names import published_weights

#: Arguments whose change is undone, or said in other words; others change what a network does with its weights.
_GRAFTED = {
    *("channels", "channel_base", "channel_max", "img_resolution", "img_channels", "z_dim", "w_dim", "c_dim"),
    *("cmap_dim", "no_const", "conv_clamp", "mapping_kwargs.lr_multiplier"),
    *("mapping_kwargs.embed_features", "mapping_kwargs.layer_features"),
}
_BLOCK = re.compile(r"(synthesis\.)?b[0-9]+\..*")


@dataclasses.dataclass(frozen=True, eq=False)
class GraftedNetwork:
    """A network's values after a graft.

    Attributes:
        values: of all variables that come from the source, or are new and must have these values, by published name and
            in published layout, float64.
        origins: name in the source of each tensor that comes from there.
        new: names of those that the source has not; they keep their initial values, or have those in `values`.
        also_used: names in the source of tensors that such values were made of.
        kept: what the network does at the first step, in words.
    """

    values: dict[str, np.ndarray]
    origins: dict[str, str]
    new: tuple[str, ...]
    also_used: tuple[str, ...]
    kept: str


def graft_network(
    source: keras.Model,
    target: keras.Model,
    arguments: Collection[str],
    reference: keras.Model | None = None,
) -> GraftedNetwork:
    """Values for a new network, of those of another one.

    Args:
        source: network to begin with.
        target: a new network with its initial weights. It is not changed.
        arguments: names of its arguments that differ from the source's.
        reference: a network built like the source that decides which channels are left out of narrower ones (G_ema for
            G: both must leave out the same); None = the source.
    """
    here, fresh = wiring_of(target), published_weights(target)
    there, weights = in_colours_of(here, wiring_of(source), published_weights(source))
    chosen_by = weights if reference is None else published_weights(reference)
    graft = Graft(there, here, place_channels(there, here, chosen_by), weights, fresh)
    for key, wire in here.wires.items():
        if key in there.wires:
            graft_layer(graft, there.wires[key], wire)
    _graft_variables_without_layer(graft)
    _keep_embedding(graft)
    reasons = keep_logits(graft) if isinstance(target, Discriminator) else _keep_images(graft)
    new = [name for name in fresh if _is_new(graft, name)]
    reasons += _other_reasons(graft, len(set(fresh) - set(graft.origins) - set(new)), arguments)
    used = tuple(name for name in weights if name not in graft.origins.values() and _is_rebuilt(graft, name))
    return GraftedNetwork(graft.values, graft.origins, tuple(new), used, _in_words(graft, reasons))


def _is_rebuilt(graft: Graft, name: str) -> bool:
    """Whether a tensor of the source went into some of other names: D's first layer, and the constant."""
    network = graft.target.network
    if isinstance(network, Discriminator):
        return network.levels[:1] > graft.source.network.levels[:1] and ".fromrgb." in name
    return name == CONST and takes_constant(graft)


def _graft_variables_without_layer(graft: Graft) -> None:
    """The constant, and the running mean of w."""
    for name, space in ((CONST, CONSTANT), ("mapping.w_avg", STYLE)):
        if name in graft.fresh and name in graft.weights:
            placement, old = graft.placements[space], graft.weights[name]
            value = graft.fresh[name].astype(np.float64)
            if value.shape[1:] == old.shape[1:]:
                value[placement.new] = old[placement.old]
                graft.values[name], graft.origins[name] = value, name


def _keep_embedding(graft: Graft) -> None:
    """A label's embedding is divided by its root mean square, which new zeros lower: what is there is raised."""
    placement = graft.placements.get("embed")
    if placement is None or not len(placement.old) or placement.left_out:
        return
    factor = np.sqrt(placement.width / len(placement.old))
    first = graft.placements["z"].width
    for leaf in ("weight", "bias"):
        if f"mapping.embed.{leaf}" in graft.values:
            graft.values[f"mapping.embed.{leaf}"][placement.new] *= factor
    if "mapping.fc0.weight" in graft.values:
        graft.values["mapping.fc0.weight"][:, first + placement.new] /= factor


def _keep_images(graft: Graft) -> list[str]:
    """Let new blocks add nothing to the image at first, where the architecture has images add up."""
    G, source = graft.target.network, graft.source.network
    if G.takes_transform or source.takes_transform:
        return _other_plan(G, source)
    reasons = keep_constant(graft)
    levels, before = G.synthesis.levels, source.synthesis.levels
    new = [level for level in levels if level > before[-1]]
    if G.synthesis.blocks[0].architecture != "skip":
        if levels != before:
            reasons.append("without the architecture skip, blocks cannot be added to G or left out unnoticed")
        return reasons
    for level in new:
        for leaf in ("weight", "bias"):
            name = f"synthesis.b{level}.torgb.{leaf}"
            graft.values[name] = np.zeros(graft.fresh[name].shape)
    return reasons


def _other_plan(G: Any, source: Any) -> list[str]:
    """Which layers of StyleGAN3 have other rates or frequencies, and therefore do something else."""
    if not (G.takes_transform and source.takes_transform):
        return ["StyleGAN2 and StyleGAN3 have only the mapping network in common"]
    there, here = source.synthesis.alias_free_layers, G.synthesis.alias_free_layers
    changed = [
        f"L{index}"
        for index, (old, new) in enumerate(zip(there, here, strict=False))
        if _signals(old.design) != _signals(new.design)
    ]
    if not changed and len(there) == len(here):
        return []
    count = f"{len(changed)} of {len(here)}"
    return [f"{count} layers of StyleGAN3 have other rates or frequencies there ({changed[0]} to {changed[-1]})"]


def _signals(design: Any) -> dict[str, Any]:
    values = dataclasses.asdict(design)
    return {name: value for name, value in values.items() if name not in ("in_channels", "out_channels")}


def _is_new(graft: Graft, name: str) -> bool:
    """Whether a tensor belongs to a layer that a larger network has and a smaller one has not."""
    layer = next((key for key, wire in graft.target.wires.items() if name.startswith(f"{wire.name}.")), None)
    if layer is None or layer in graft.source.wires:
        return False
    same = getattr(graft.target.network, "takes_transform", None) == getattr(
        graft.source.network, "takes_transform", None
    )
    labels = layer == "mapping.embed" or (layer.startswith("mapping.") and graft.source.network.mapping is None)
    return labels or (same and _BLOCK.fullmatch(layer) is not None)


# ---- what is kept ----------------------------------------------------------------------------------------------------


def _other_reasons(graft: Graft, missing: int, arguments: Collection[str]) -> list[str]:
    left_out = sum(placement.left_out > 0 < placement.width for placement in graft.placements.values())
    reasons = [f"channels are left out in {left_out} place{'s' if left_out > 1 else ''}"] if left_out else []
    widths = graft.source.widths, graft.target.widths
    if widths[0].get("z", 0) != widths[1].get("z", 0):
        reasons.append("latents of another length are normalised otherwise")
    if missing:
        reasons.append(f"{missing} tensors begin anew")
    own = [name for name in arguments if name not in _GRAFTED]
    return reasons + ([f"other arguments: {', '.join(own)}"] if own else [])


def _in_words(graft: Graft, reasons: list[str]) -> str:
    """What the network does at the first step."""
    if reasons:
        return f"begins as something else than the source: {'; '.join(reasons)}"
    there, here = (image_size(w.network.img_resolution) for w in (graft.source, graft.target))
    is_discriminator = isinstance(graft.target.network, Discriminator)
    gray = graft.source.network.img_channels != graft.target.network.img_channels
    if is_discriminator:
        what = f"gives the source's logits{' (of gray images)' if gray else ''}"
    else:
        what = f"makes the source's images{' in gray' if gray else ''}"
    if there == here:
        return f"{what} at first"
    if not _is_doubled(*sorted([there, here], key=lambda size: size.height)):
        return "begins as something else than the source: sizes are no doublings of each other"
    if is_discriminator:
        return f"{what} of the images reduced to {there} by its own filter, at first"
    if here.height > there.height:
        return f"{what} at first, enlarged to {here} by its own filter"
    return f"{what} at first, as they are at {here} before its last blocks"


def _is_doubled(small: ImageSize, large: ImageSize) -> bool:
    factor = large.height // small.height
    same = (small.height * factor, small.width * factor) == (large.height, large.width)
    return same and factor & (factor - 1) == 0
