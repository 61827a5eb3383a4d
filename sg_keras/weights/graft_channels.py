"""Which channels of a network become which of a wider or narrower one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from sg_keras.layers import FourierInput
from sg_keras.weights.graft_wiring import STD_INPUT, STYLE, Segment, Wire, Wiring, is_demodulated

_SILENT = (STD_INPUT, "embed", "c")  # the last are entries of labels, which are 0 in those that there were before
Indices = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, eq=False)
class Placement:
    """Where channels go.

    Attributes:
        old: channels of the source that are kept, in their order.
        new: where each of them is here.
        width: channels here.
        left_out: channels of the source that there is no place for.
        silent: whether the channels that are new here give 0 at first, so that others may read them with random
            weights. Otherwise they give something, and what was there before reads it with weights of 0.
    """

    old: Indices
    new: Indices
    width: int
    left_out: int
    silent: bool = False

    @property
    def added(self) -> Indices:
        """Channels here that the source has not."""
        return np.setdiff1d(np.arange(self.width), self.new)


def place_channels(source: Wiring, target: Wiring, weights: Mapping[str, np.ndarray]) -> dict[str, Placement]:
    """A placement for all channels of the target.

    Args:
        source: where they come from.
        target: a network of the same kind.
        weights: of the source, by published name and in published layout: where there are fewer channels here, those
            stay that the following layers give most weight.
    """
    parts = target.widths.get("std", 0) if target.widths.get("std") == source.widths.get("std") else 0
    return {
        space: _placed(space, source.widths.get(space, 0), width, source, weights, parts)
        for space, width in target.widths.items()
    }


def _placed(
    space: str, before: int, width: int, source: Wiring, weights: Mapping[str, np.ndarray], parts: int
) -> Placement:
    old, new = np.arange(min(before, width)), np.arange(min(before, width))
    if width < before:
        importance = _importance(space, source, weights)
        old = np.sort(np.argsort(-importance, kind="stable")[:width])
    if space == STD_INPUT and parts > 1 and before <= width:  # each part of the channels stays together
        new = old // (before // parts) * (width // parts) + old % (before // parts)
    silent = before > 0 and space in _SILENT
    return Placement(old, new, width, max(before - width, 0), silent)


def _importance(space: str, source: Wiring, weights: Mapping[str, np.ndarray]) -> np.ndarray:
    """How much of the following layers' squared weights each channel has."""
    importance = np.zeros(source.widths[space])
    for wire in source.wires.values():
        if space == STYLE and hasattr(wire.layer, "affine"):
            importance += np.square(weights[f"{wire.name}.affine.weight"].astype(np.float64)).sum(axis=0)
        first = 0
        for segment in wire.reads:
            count = source.widths[segment.space] * segment.repeats
            if segment.space == space:
                own = _squares(wire, weights)[first : first + count]
                importance += own.reshape(-1, segment.repeats).sum(axis=1)
            first += count
    return importance


def _squares(wire: Wire, weights: Mapping[str, np.ndarray]) -> np.ndarray:
    """Share of each input number in a layer's squared weights, with the mean square of its styles."""
    weight = weights[f"{wire.name}.weight"].astype(np.float64)
    energy = np.square(weight).reshape(*weight.shape[:2], -1).sum(axis=2)  # [out,in]
    if f"{wire.name}.affine.bias" in weights and not isinstance(wire.layer, FourierInput):
        energy = energy * np.square(weights[f"{wire.name}.affine.bias"].astype(np.float64))
    total = energy.sum(axis=1, keepdims=True) if is_demodulated(wire.layer) else energy.sum()
    return (energy / np.maximum(total, 1e-30)).sum(axis=0)


@dataclasses.dataclass(frozen=True, eq=False)
class Axis:
    """The same of one axis of a weight, whose parts may be of several kinds.

    Attributes:
        old, new: numbers of the source that are kept, and where they are here.
        unread: numbers here that give something new, which may have no influence at first.
        fits: whether source and target have the parts in common.
    """

    old: Indices
    new: Indices
    unread: Indices
    fits: bool = True


def input_axis(there: Wire, here: Wire, source: Wiring, placements: Mapping[str, Placement]) -> Axis:
    """The axis that a layer reads."""
    old, new, unread, fits = [], [], [], True
    first_old = first_new = 0
    before = {segment.space: segment for segment in there.reads}
    for segment in here.reads:
        placement = placements[segment.space]
        fits &= segment.space in before and before[segment.space].repeats == segment.repeats
        old.append(first_old + repeated(placement.old, segment))
        new.append(first_new + repeated(placement.new, segment))
        if not placement.silent:
            unread.append(first_new + repeated(placement.added, segment))
        first_old += source.widths.get(segment.space, 0) * segment.repeats
        first_new += placement.width * segment.repeats
    return Axis(_joined(old), _joined(new), _joined(unread), fits)


def repeated(channels: Indices, segment: Segment) -> Indices:
    """The numbers that stand for channels of a segment, as many each as it says."""
    return (channels[:, np.newaxis] * segment.repeats + np.arange(segment.repeats)).ravel()


def _joined(parts: Iterable[Indices]) -> Indices:
    return np.concatenate([*parts, np.zeros([0], np.int64)])
