"""Features of reals in a file that people hand on: what scores need of a data set, without its images."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sg_keras.config.metric_specs import MetricSpec
from sg_keras.features import FeatureExtractor
from sg_keras.files.atomic import atomic_file
from sg_keras.files.errors import file_errors_explained, first_line
from sg_keras.metrics.extractors import short_name
from sg_keras.metrics.feature_blocks import Features, ImageBlock
from sg_keras.metrics.reals import Reals
from sg_keras.metrics.record import versions

_FORMAT = "sg_keras features of reals 1"
_MANIFEST = "manifest"
_EXPECTED = "statistics that --reference made"


@dataclasses.dataclass(frozen=True, slots=True)
class _Entry:
    """Of one network that saw the reals: its name for people, its fingerprint and what the images hold."""

    name: str
    sha256: str
    contents: tuple[tuple[int, str], ...]


def write_reference(path: pathlib.Path, reals: Reals, extractors: Iterable[FeatureExtractor]) -> None:
    """Write what extractors have seen of reals; the file is never seen half-written.

    Args:
        path: of the file, in NumPy's .npz format: float32 [N,D] for each extractor, under its fingerprint, and a
            manifest as JSON, the fingerprint of it all.

    Raises:
        OSError: it cannot be written; one line.
    """
    arrays, entries = dict[str, np.ndarray](), []
    for extractor in extractors:
        seen = reals.seen_by(extractor)
        if seen is not None:
            arrays[extractor.fingerprint] = seen.values
            entries.append(_Entry(short_name(extractor), extractor.fingerprint, seen.contents))
    manifest = {
        "format": _FORMAT,
        "num_images": reals.num_images,
        "copies": reals.copies,
        "seen_by": [dataclasses.asdict(entry) for entry in entries],
        "versions": versions(),
    }
    arrays[_MANIFEST] = np.array(json.dumps(manifest))
    with atomic_file(path) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # its other keyword is no name of ours


def read_reference(
    path: pathlib.Path, specs: Sequence[MetricSpec], extractors: Mapping[str, FeatureExtractor], copies: tuple[str, ...]
) -> Reals:
    """Reals that are known by their features alone.

    Args:
        path: of a file of write_reference.
        specs: scores that they are for.
        extractors: by MetricSpec.seen_by.
        copies: of the images, that are to count.

    Raises:
        ValueError: it is another file, or holds other features than the scores need, or too few; one line.
        OSError: it cannot be read; one line.
    """
    used = {spec.seen_by: extractors[spec.seen_by] for spec in specs if spec.max_real != 0}
    manifest, arrays = _loaded(path, [extractor.fingerprint for extractor in used.values()])
    known = tuple(manifest["copies"])
    if known != copies:
        found, expected = (" and ".join(kinds) or "no" for kinds in (known, copies))
        raise ValueError(f"{path}: found {found} copies among the reals, expected {expected} ones, as --mirror says")
    reals = Reals(_no_blocks, manifest["num_images"], known)
    for spec in specs:
        if spec.seen_by not in used:
            continue
        extractor = used[spec.seen_by]
        if extractor.fingerprint not in arrays:
            there = ", ".join(f"{entry['name']} {entry['sha256'][:12]}" for entry in manifest["seen_by"]) or "none"
            wanted = f"{short_name(extractor)} {extractor.fingerprint[:12]}"
            raise ValueError(f"{path}: found features by {there}, expected those by {wanted} for {spec.name}")
        features = arrays[extractor.fingerprint]
        if len(features.values) < reals.count_for(spec):
            expected = f"{reals.count_for(spec)} for {spec.name}"
            raise ValueError(f"{path}: found features of {len(features.values)} reals, expected {expected}")
        reals.remember(extractor.fingerprint, features)
    return reals


def _loaded(path: pathlib.Path, fingerprints: Sequence[str]) -> tuple[dict[str, Any], dict[str, Features]]:
    """The manifest, and the features by extractors of these fingerprints, as far as they are there."""
    try:
        with file_errors_explained(path), np.load(path, allow_pickle=False) as arrays:
            manifest: dict[str, Any] = json.loads(str(arrays[_MANIFEST]))
            if manifest["format"] != _FORMAT:
                raise ValueError(f"it has the format {manifest['format']!r}")
            contents = {entry["sha256"]: entry["contents"] for entry in manifest["seen_by"]}
            return manifest, {
                sha256: Features(arrays[sha256], tuple((int(count), str(what)) for count, what in contents[sha256]))
                for sha256 in fingerprints
                if sha256 in contents
            }
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        reason = "pickled objects" if "pickle" in str(error) else first_line(error)
        raise ValueError(f"{path}: found another file ({reason}), expected {_EXPECTED}") from error


def _no_blocks() -> Iterable[ImageBlock]:
    raise ValueError("found features of reals alone, expected their images")
