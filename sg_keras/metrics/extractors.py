"""The networks that see images for scores, by the names and files that options take."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import cast

from sg_keras.config.metric_specs import MetricSpec
from sg_keras.features import BoxAverages, DiscriminatorFeatures, EfficientNetLite0, FeatureExtractor
from sg_keras.features.discriminator import SeesImages
from sg_keras.features.published import open_inception, open_vgg16
from sg_keras.weights import load

_PLAIN: dict[str, type[BoxAverages] | type[EfficientNetLite0]] = {
    "effnetlite0": EfficientNetLite0,
    "boxes": BoxAverages,
}
_DISCRIMINATOR = "discriminator"
EXPECTED = "effnetlite0, boxes or discriminator:RUN, with a run directory or a network snapshot"


def open_extractors(
    specs: Iterable[MetricSpec], features: str = "effnetlite0", inception: str | None = None, vgg16: str | None = None
) -> dict[str, FeatureExtractor]:
    """Those that some scores need, by MetricSpec.seen_by.

    Args:
        specs: of the scores.
        features: as of open_extractor.
        inception, vgg16: files or addresses, None = copies that are kept or can be fetched; see `open_inception`.

    Raises:
        ValueError, OSError: as of opening them; one line.
    """
    opened: dict[str, FeatureExtractor] = {}
    for name in dict.fromkeys(spec.seen_by for spec in specs if spec.seen_by):
        if name == "features":
            try:
                opened[name] = open_extractor(features)
            except ValueError as error:
                raise ValueError(f"--features: {error}") from error
        else:
            opened[name] = open_inception(inception) if name == "inception" else open_vgg16(vgg16)
    return opened


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


def short_name(extractor: FeatureExtractor) -> str:
    """The name by which options know it; that of the network itself where there is none."""
    return next((short for short, kind in _PLAIN.items() if isinstance(extractor, kind)), extractor.name)
