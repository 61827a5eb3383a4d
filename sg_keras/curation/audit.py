"""What a data set is like before it is trained on: all measures of all images, and what follows from them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import sg_keras
from sg_keras.curation.advice import Advice, advise, label_counts
from sg_keras.curation.collected import Collected, Space
from sg_keras.curation.duplicates import exact_groups, near_groups
from sg_keras.curation.feature_space import (
    Map,
    MirrorFinding,
    far_ones,
    map_of,
    outlier_scores,
    principal_components,
)
from sg_keras.curation.kept_looks import LookMemory, looks
from sg_keras.curation.labels import OriginalLabels, read_labels
from sg_keras.curation.original_source import OriginalSource
from sg_keras.curation.progress import Progress, clock
from sg_keras.curation.quality import FLAWS, Looked, LookJob, Measures, flaws, look_at

if TYPE_CHECKING:
    from sg_keras.features import FeatureExtractor


@dataclasses.dataclass(frozen=True, slots=True)
class Audit:
    """What a data set is like. Indices are those of images in `names`.

    Attributes:
        path: of the set, as it was typed.
        names: of all images.
        measures: of those that can be read, by index, ascending.
        bad: why the others cannot be read.
        thumbnails: WebP files by index.
        exact: groups of images that are the same to the last bit.
        near: groups of images that look the same; of `exact` groups the first alone is in them.
        places: (x, y) on the map, 0 to 1, by index.
        map_method: how the map was made.
        outlier_scores: distance to the nearest others by index, 1 = as usual.
        outliers: indices of those out of the ordinary, the farthest first.
        mirror: what mirroring would do; None where there are too few images.
        labels: of the images by index.
        class_counts: images by class; empty where there are no classes.
        network: whose features were taken; "" = none, small gray copies stand in.
        advice: what to do with the set; None where no image can be read.
        notes: what people should know.
    """

    path: str
    names: Sequence[str]
    measures: Mapping[int, Measures]
    bad: Mapping[int, str]
    thumbnails: Mapping[int, bytes]
    exact: Sequence[Sequence[int]]
    near: Sequence[Sequence[int]]
    places: Mapping[int, tuple[float, float]]
    map_method: str
    outlier_scores: Mapping[int, float]
    outliers: Sequence[int]
    mirror: MirrorFinding | None
    labels: OriginalLabels
    class_counts: Mapping[str, int]
    network: str
    advice: Advice | None
    notes: Sequence[str]

    def odd(self) -> dict[int, str]:
        """What is out of the ordinary about single files, in words."""
        return {index: ", ".join(found.notes) for index, found in self.measures.items() if found.notes}

    def record(self) -> dict[str, Any]:
        """The content of audit.json."""
        images = [
            {"name": self.names[index], **dataclasses.asdict(found), "perceptual_hash": f"{found.perceptual_hash:016x}"}
            | {"outlier_score": self.outlier_scores.get(index), "place": self.places.get(index)}
            | {"label": self.labels.by_index.get(index)}
            for index, found in self.measures.items()
        ]

        def named(groups: Sequence[Sequence[int]]) -> list[list[str]]:
            return [[self.names[index] for index in group] for group in groups]

        return {
            "tool": f"sg-keras {sg_keras.__version__}",
            "data": self.path,
            "images": len(self.names),
            "unreadable": {self.names[index]: reason for index, reason in self.bad.items()},
            "exact_duplicates": named(self.exact),
            "near_duplicates": named(self.near),
            "outliers": [self.names[index] for index in self.outliers],
            "mirror": None if self.mirror is None else dataclasses.asdict(self.mirror) | {"ok": self.mirror.is_natural},
            "map": self.map_method,
            "classes": dict(self.class_counts),
            "network": self.network,
            "advice": None if self.advice is None else dataclasses.asdict(self.advice),
            "notes": list(self.notes),
            "measures": images,
        }

    def flags(self) -> dict[int, tuple[str, ...]]:
        """What stands out about images that can be read: flaws, "copy", "near", "outlier", "odd"."""
        sets = {
            "copy": {index for group in self.exact for index in group},
            "near": {index for group in self.near for index in group},
            "outlier": set(self.outliers),
            "odd": set(self.odd()),
        }
        return {
            index: (*flaws(found), *(flag for flag, members in sets.items() if index in members))
            for index, found in self.measures.items()
        }

    def lines(self) -> list[str]:
        """What people should see at the end: flaws with their counts, then what to do."""
        lines = [f"{len(self.names)} images in {self.path}, {len(self.bad)} of them unreadable", *self.notes]
        if self.advice is None:
            return lines
        lines += [*self.advice.cautions]
        lines += [f"{choice.option}={choice.value}: {choice.reason}" for choice in self.advice.choices]
        return [*lines, *self.advice.commands]

    def symmetries(self) -> dict[int, float]:
        """Of all images that can be read, by index."""
        return {index: found.symmetry for index, found in self.measures.items()}

    def with_symmetries(self, found: Mapping[int, float]) -> Audit:
        """The same with other symmetries, such as those of silhouettes."""
        measures = {i: dataclasses.replace(one, symmetry=found[i]) for i, one in self.measures.items()}
        return dataclasses.replace(self, measures=measures)

    def json(self) -> str:
        """audit.json as text."""
        return json.dumps(self.record(), indent=1, ensure_ascii=True) + "\n"


def audit(
    source: OriginalSource,
    path: str,
    extractor: FeatureExtractor | None,
    *,
    workers: int = 1,
    max_images: int | None = None,
    labels: str = "auto",
    map_method: str = "auto",
    memory: LookMemory | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda line: None,
) -> Audit:
    """Look at all images of a source. With a memory, killed and called again, it looks at those that are left.

    Args:
        source: of the images.
        path: of it, as people typed it.
        extractor: gives features; None = small gray copies stand in for them.
        workers: processes that decode and measure.
        max_images: how many images to look at, from the first on; None = all.
        labels: as of `read_labels`.
        map_method: as of `map_of`.
        memory: of looks at the same files, which changes nothing but the time it takes; None = nothing is kept.
        on_progress: is told how far it is.
        tell: is told lines that people should see meanwhile.

    Raises:
        OSError, ValueError: as of `read_labels` with other than auto labels, `map_of` and `looks`. One line.
    """
    count = len(source.names) if max_images is None else min(max_images, len(source.names))
    memory = memory or LookMemory()
    network = "" if extractor is None else extractor.fingerprint
    collected = Collected(extractor, count, memory, lambda index: _seen(source, index))
    tick = clock("looking at", count, 0, on_progress)
    with memory:  # what ends this on its way loses nothing that was seen
        for looked in looks(source, count, workers, memory, network):
            collected.add(looked)
            tick(looked.index + 1)
        if memory.taken:
            tell(f"{path}: {memory.taken} of {count} images were looked at before and are taken from the cache")
        read, notes = _labels(source, labels, list(collected.measures))
        space = collected.space(_classes(read, list(collected.measures)))
    found = _concluded(source.names[:count], path, collected, space, map_method, read, notes)
    counts = list(found.class_counts.values())
    if not found.measures:
        return found
    advice = advise(path, list(found.measures.values()), found.mirror, counts, _spoiling(found), labels)
    return dataclasses.replace(found, advice=advice)


def _seen(source: OriginalSource, index: int) -> np.ndarray:
    """What networks see of an image that was looked at before. OSError: it cannot be read any more; one line."""
    looked = look_at(LookJob(index, source.names[index], source.read(index), known=Looked(index)))
    if looked.seen is None:
        raise OSError(f"{source.path}/{source.names[index]}: {looked.reason}")
    return looked.seen


def _labels(source: OriginalSource, spec: str, used: list[int]) -> tuple[OriginalLabels, list[str]]:
    """Labels, and what people should know; of labels that are carried over, what is wrong with them is a note."""
    try:
        found = read_labels(source, spec, None, used)
        return found, [*source.notes, *found.notes]
    except (OSError, ValueError) as error:
        if spec != "auto":
            raise
        return OriginalLabels(), [*source.notes, f"labels cannot be used: {error}"]


def _classes(labels: OriginalLabels, used: list[int]) -> list[int] | None:
    values = [labels.by_index.get(index) for index in used]
    return [value for value in values if isinstance(value, int)] if all(isinstance(v, int) for v in values) else None


def _concluded(
    names: Sequence[str],
    path: str,
    collected: Collected,
    space: Space,
    map_method: str,
    labels: OriginalLabels,
    notes: Sequence[str],
) -> Audit:
    """All but the advice."""
    good, found = list(collected.measures), list(collected.measures.values())
    components = principal_components(space.vectors) if good else np.zeros([0, 2])
    drawn = map_of(components, map_method) if good else Map("none", np.zeros([0, 2]))
    scores = outlier_scores(components)
    exact = [[good[place] for place in group] for group in exact_groups([one.pixel_hash for one in found])]
    return Audit(
        path=path,
        names=names,
        measures=collected.measures,
        bad=collected.bad,
        thumbnails=collected.thumbnails,
        exact=exact,
        near=_near(good, found, exact, space),
        places={i: (round(float(x), 4), round(float(y), 4)) for i, (x, y) in zip(good, drawn.places, strict=True)},
        map_method=drawn.method,
        outlier_scores={index: round(float(score), 4) for index, score in zip(good, scores, strict=True)},
        outliers=[good[place] for place in far_ones(scores)] if good else [],
        mirror=space.mirror,
        labels=labels,
        class_counts=label_counts(list(labels.by_index.values()), labels.class_names),
        network=collected.network,
        advice=None,
        notes=notes,
    )


def _near(good: list[int], found: list[Measures], exact: list[list[int]], space: Space) -> list[list[int]]:
    again = {index for group in exact for index in group[1:]}
    places = [place for place, index in enumerate(good) if index not in again]
    groups = near_groups(
        [found[place].perceptual_hash for place in places],
        space.smalls[places],
        space.vectors[places] if space.has_features else None,
    )
    return [[good[places[number]] for number in group] for group in groups]


def _spoiling(audit: Audit) -> list[tuple[int, str]]:
    """How many images have what kind of flaw."""
    flags = [flag for flags in audit.flags().values() for flag in flags]
    return [
        (len(audit.bad), "cannot be read"),
        (sum(len(group) - 1 for group in audit.exact), "are copies of others, to the last bit"),
        (sum(len(group) - 1 for group in audit.near), "look like others"),
        (len(audit.outliers), "are far from all others"),
        *((flags.count(flaw), what) for flaw, what in FLAWS.items()),
    ]
