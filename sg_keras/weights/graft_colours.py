"""Gray images of a network of RGB images, and the other way round.

A gray image is the mean of the colours; a gray image in RGB has three times the same.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from sg_keras.weights.graft_wiring import IMAGE, Wiring

_GRAY_AND_RGB = ({1, 3}, {3, 1})


def in_colours_of(
    target: Wiring, source: Wiring, weights: dict[str, np.ndarray]
) -> tuple[Wiring, dict[str, np.ndarray]]:
    """The source's wiring and weights with the target's image channels; as they are where that cannot be.

    Args:
        target, source: wiring of networks of one kind.
        weights: of the source, by published name and in published layout.
    """
    before, after = source.widths[IMAGE], target.widths[IMAGE]
    if {before, after} not in _GRAY_AND_RGB:
        return source, weights
    mixed = dict(weights)
    for wire in source.wires.values():
        weight = weights[f"{wire.name}.weight"]
        if wire.writes.space == IMAGE:
            mixed[f"{wire.name}.weight"] = _spread(weight.mean(axis=0, keepdims=True), after, axis=0)
            bias = weights[f"{wire.name}.bias"]
            mixed[f"{wire.name}.bias"] = _spread(bias.mean(axis=0, keepdims=True), after, axis=0)
        elif wire.reads[0].space == IMAGE:
            mixed[f"{wire.name}.weight"] = _spread(weight.sum(axis=1, keepdims=True), after, axis=1) / after
    return dataclasses.replace(source, widths={**source.widths, IMAGE: after}), mixed


def _spread(values: np.ndarray, count: int, axis: int) -> np.ndarray:
    return np.repeat(values.astype(np.float64), count, axis=axis)
