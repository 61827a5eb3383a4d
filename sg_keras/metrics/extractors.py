"""Extractors by the names that --features takes."""

from __future__ import annotations

import difflib
from typing import cast

from sg_keras.features import BoxAverages, DiscriminatorFeatures, EfficientNetLite0, FeatureExtractor
from sg_keras.features.discriminator import SeesImages
from sg_keras.weights import load

_PLAIN: dict[str, type[BoxAverages] | type[EfficientNetLite0]] = {
    "effnetlite0": EfficientNetLite0,
    "boxes": BoxAverages,
}
_DISCRIMINATOR = "discriminator"
EXPECTED = "effnetlite0, boxes or discriminator:RUN, with a run directory or a network snapshot"


def open_extractor(spec: str) -> FeatureExtractor:
    """The extractor of a name.

    Args:
        spec: "effnetlite0"; "boxes"; or "discriminator:" and whatever `sg_keras.load` takes, such as a run directory.

    Raises:
        ValueError: there is none of that name, or no discriminator there. One line.
        OSError: files are missing or damaged.
    """
    name, colon, place = spec.partition(":")
    if not colon and name in _PLAIN:
        return _PLAIN[name]()
    if name == _DISCRIMINATOR and place:
        return DiscriminatorFeatures(cast(SeesImages, load(place, names=("D",))["D"]))
    near = difflib.get_close_matches(name, [*_PLAIN, _DISCRIMINATOR], n=1)
    hint = f" (did you mean {near[0]}?)" if near and near[0] != name else ""
    raise ValueError(f"found {spec!r}, expected {EXPECTED}{hint}")
