"""Which images of a set are kept, by measures, duplicates, classes and a list, and why the others are not."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sg_keras
from sg_keras.config.face_conditions import FaceCondition
from sg_keras.curation.audit import Audit
from sg_keras.curation.faces import failed_condition
from sg_keras.curation.histograms import Histogram, histogram
from sg_keras.data.faults import first_names
from sg_keras.files.errors import explain_file_error

FORMAT = "sg-keras curation 1"


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """What a list of names says.

    Attributes:
        kept: names of images that no measure drops.
        dropped: reasons by name.
        others: whether images that are not on it may be kept as well.
    """

    kept: frozenset[str] = frozenset()
    dropped: Mapping[str, str] = dataclasses.field(default_factory=dict)
    others: bool = True


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is dropped.

    Attributes:
        max_brisque: images with a higher score; None = none by that. Those of which it says nothing stay.
        min_symmetry: images with less; None = none by that.
        drop_duplicates: all but one of those that are, or look, the same: the one with the most pixels stays.
        outliers: images far from all others.
        faces: conditions on the largest face of an image; images without one are dropped by any but count.
        classes: names or numbers of the classes that stay; empty = all.
        min_per_class: classes with fewer images, once all else is dropped.
        balance: whether all classes are cut down to the rarest one's number, in an order that follows from names.
        listed: decisions by name, which stand above measures.
    """

    max_brisque: float | None = None
    min_symmetry: float | None = None
    drop_duplicates: bool = False
    outliers: bool = False
    faces: tuple[FaceCondition, ...] = ()
    classes: tuple[str, ...] = ()
    min_per_class: int = 0
    balance: bool = False
    listed: Listed = Listed()


@dataclasses.dataclass(frozen=True, slots=True)
class Curation:
    """What is kept of a set, and why the rest is not.

    Attributes:
        path: of the set.
        names: of all images.
        kept: indices, ascending.
        dropped: reasons by index, ascending.
        labels: of kept images by index, with classes numbered anew where some are gone; empty = there are none.
        class_names: of these classes; empty where they have no names.
        histograms: of each measure that drops: what it is called, its limit, and how all images lie.
        rules: as they were asked for.
    """

    path: str
    names: Sequence[str]
    kept: Sequence[int]
    dropped: Mapping[int, str]
    labels: Mapping[int, Any]
    class_names: tuple[str, ...]
    histograms: Sequence[tuple[str, float, Histogram]]
    rules: Rules

    def record(self) -> dict[str, Any]:
        """The content of curation.json, which --list takes again."""
        rules = dataclasses.asdict(self.rules)
        rules["faces"] = "; ".join(map(str, self.rules.faces))
        rules["classes"] = list(self.rules.classes)
        rules["listed"] = len(self.rules.listed.kept) + len(self.rules.listed.dropped)
        return {
            "format": FORMAT,
            "tool": f"sg-keras {sg_keras.__version__}",
            "data": self.path,
            "rules": rules,
            "kept": [self.names[index] for index in self.kept],
            "dropped": {self.names[index]: reason for index, reason in self.dropped.items()},
        }

    def json(self) -> str:
        """curation.json as text."""
        return json.dumps(self.record(), indent=1, ensure_ascii=True) + "\n"

    def lines(self) -> list[str]:
        """What people should see: how many are dropped for which kind of reason."""
        kinds = collections.Counter(reason.partition(":")[0] for reason in self.dropped.values())
        lines = [f"{count} dropped: {kind}" for kind, count in sorted(kinds.items(), key=lambda row: (-row[1], row[0]))]
        return [*lines, f"{len(self.kept)} of {len(self.names)} images kept"]


def curate(audit: Audit, rules: Rules, faces: Mapping[int, Mapping[str, float]] | None = None) -> Curation:
    """Decide on all images of a set.

    Args:
        audit: of the set.
        rules: what is dropped.
        faces: measures by index, as of `faces.all_faces`; needed where rules ask for faces.

    Raises:
        ValueError: the list names images, or the rules classes, that are not there. One line.
    """
    dropped: dict[int, str] = {index: f"unreadable: {reason}" for index, reason in audit.bad.items()}
    _check_names(audit, rules)
    _by_list(audit, rules.listed, dropped)
    _by_measures(audit, rules, dropped)
    faces = faces or {}
    _by_faces(audit, rules, faces, dropped)
    _by_class(audit, rules, dropped)
    if rules.drop_duplicates:
        _by_likeness(audit, rules.listed, dropped)
    _by_number(audit, rules, dropped)
    kept = [index for index in range(len(audit.names)) if index not in dropped]
    labels, class_names = _renumbered(audit, kept)
    ordered = dict(sorted(dropped.items()))
    return Curation(
        audit.path, audit.names, kept, ordered, labels, class_names, _histograms(audit, rules, faces), rules
    )


def _check_names(audit: Audit, rules: Rules) -> None:
    unknown = sorted({*rules.listed.kept, *rules.listed.dropped} - set(audit.names))
    if unknown:
        raise ValueError(f"--list: found {len(unknown)} names that {audit.path} does not have ({first_names(unknown)})")
    missing = [name for name in rules.classes if name not in audit.class_counts and name not in _numbers(audit)]
    if missing:
        there = ", ".join(list(audit.class_counts)[:20]) or "no classes"
        raise ValueError(f"--classes: found {missing[0]!r}, expected some of {there}")
    if (rules.balance or rules.min_per_class) and not audit.class_counts:
        raise ValueError(f"--balance, --min_per_class: found no classes in {audit.path}, expected labels (--labels)")


def _numbers(audit: Audit) -> dict[str, int]:
    """Class indices by number as people type it."""
    return {str(number): number for number in range(len(audit.class_counts))}


def _by_list(audit: Audit, listed: Listed, dropped: dict[int, str]) -> None:
    for index, name in enumerate(audit.names):
        if name in listed.dropped:
            dropped.setdefault(index, f"by the list: {listed.dropped[name]}")
        elif not listed.others and name not in listed.kept:
            dropped.setdefault(index, "not on the list")


def _by_measures(audit: Audit, rules: Rules, dropped: dict[int, str]) -> None:
    far = set(audit.outliers) if rules.outliers else set()
    for index, found in audit.measures.items():
        if audit.names[index] in rules.listed.kept:
            continue
        if rules.max_brisque is not None and found.brisque is not None and found.brisque > rules.max_brisque:
            dropped.setdefault(index, f"BRISQUE above {rules.max_brisque:g}: {found.brisque:.2f}")
        elif rules.min_symmetry is not None and found.symmetry < rules.min_symmetry:
            dropped.setdefault(index, f"symmetry below {rules.min_symmetry:g}: {found.symmetry:.3f}")
        elif index in far:
            dropped.setdefault(index, f"far from all others: {audit.outlier_scores[index]:.2f} times as usual")


def _by_faces(audit: Audit, rules: Rules, faces: Mapping[int, Mapping[str, float]], dropped: dict[int, str]) -> None:
    for index, measured in faces.items():
        reason = failed_condition(rules.faces, measured)
        if reason and audit.names[index] not in rules.listed.kept:
            dropped.setdefault(index, reason)


def _by_class(audit: Audit, rules: Rules, dropped: dict[int, str]) -> None:
    if not rules.classes:
        return
    names, numbers = list(audit.class_counts), _numbers(audit)
    wanted = {names.index(name) if name in names else numbers[name] for name in rules.classes}
    for index in audit.measures:
        label = audit.labels.by_index.get(index)
        if not isinstance(label, int):
            raise ValueError(f"--classes: found labels of {audit.path} that are vectors, expected a class each")
        if label not in wanted:
            dropped.setdefault(index, f"another class: {names[label]}")


def _by_likeness(audit: Audit, listed: Listed, dropped: dict[int, str]) -> None:
    """Of each group one stays: the first of those with the most pixels, or all that the list keeps."""
    for groups, what in ((audit.exact, "a copy to the last bit: of"), (audit.near, "looks like another: like")):
        for group in groups:
            left = [index for index in group if index not in dropped]
            if len(left) < 2:
                continue
            fixed = [index for index in left if audit.names[index] in listed.kept]
            sizes = {index: audit.measures[index].width * audit.measures[index].height for index in left}
            best = min(fixed or left, key=lambda index: (-sizes[index], index))
            for index in left:
                if index != best and index not in fixed:
                    dropped[index] = f"{what} {audit.names[best]}"


def _by_number(audit: Audit, rules: Rules, dropped: dict[int, str]) -> None:
    if not (rules.min_per_class or rules.balance):
        return
    members: dict[int, list[int]] = collections.defaultdict(list)
    for index in audit.measures:
        label = audit.labels.by_index[index]
        if not isinstance(label, int):
            raise ValueError(f"--balance, --min_per_class: found labels of {audit.path} that are vectors")
        if index not in dropped:
            members[label].append(index)
    for label, indices in list(members.items()):
        if len(indices) < rules.min_per_class:
            dropped.update(dict.fromkeys(indices, f"a class with fewer than {rules.min_per_class}: {len(indices)}"))
            del members[label]
    if not rules.balance or not members:
        return
    least = min(map(len, members.values()))
    for indices in members.values():
        ordered = sorted(indices, key=lambda index: (audit.names[index] not in rules.listed.kept, _mixed(audit, index)))
        dropped.update(dict.fromkeys(ordered[least:], f"to balance classes: at {least} each"))


def _mixed(audit: Audit, index: int) -> str:
    """Sorts images in an order that has nothing to do with what they show, and is the same each time."""
    return hashlib.sha256(audit.names[index].encode("utf-8", "surrogateescape")).hexdigest()


def _renumbered(audit: Audit, kept: Iterable[int]) -> tuple[dict[int, Any], tuple[str, ...]]:
    """Labels of kept images, and names of classes: without classes that are all gone."""
    labels = {index: audit.labels.by_index[index] for index in kept if index in audit.labels.by_index}
    names = audit.labels.class_names
    if not labels or not all(isinstance(label, int) for label in labels.values()):
        return labels, names
    left = sorted(set(labels.values()))
    number = {label: place for place, label in enumerate(left)}
    renumbered = {index: number[label] for index, label in labels.items()}
    return renumbered, tuple(names[label] for label in left) if names else ()


def _histograms(
    audit: Audit, rules: Rules, faces: Mapping[int, Mapping[str, float]]
) -> list[tuple[str, float, Histogram]]:
    measures = audit.measures.items()
    columns: list[tuple[str, float | None, dict[int, float | None]]] = [
        ("BRISQUE (above is dropped)", rules.max_brisque, {index: found.brisque for index, found in measures}),
        ("symmetry (below is dropped)", rules.min_symmetry, {index: found.symmetry for index, found in measures}),
    ]
    if rules.outliers:
        limit = min((audit.outlier_scores[index] for index in audit.outliers), default=float("inf"))
        columns.append(("distance to others (from here on is dropped)", limit, dict(audit.outlier_scores)))
    for asked in rules.faces:
        column = {index: measured.get(asked.measure) for index, measured in faces.items()}
        columns.append((f"{asked.measure} of faces ({asked} stays)", asked.limit, column))
    found = [(label, limit, histogram(column)) for label, limit, column in columns if limit is not None]
    return [(label, limit, one) for label, limit, one in found if one is not None]


def read_list(path: str) -> Listed:
    """A list of images: curation.json, or a text file with the name of an image that is kept on each line.

    Raises:
        OSError: it cannot be read; one line.
        ValueError: it is something else; one line.
    """
    expected = "curation.json, or names of images, one on each line"
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise OSError(explain_file_error(error, path)) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: found a file that is not text, expected {expected}") from error
    if not path.lower().endswith(".json"):
        return Listed(frozenset(line.strip() for line in text.splitlines() if line.strip()), {}, others=False)
    try:
        found = json.loads(text)
        kept, dropped = found["kept"], found["dropped"]
        if found["format"] != FORMAT or not all(isinstance(name, str) for name in kept):
            raise ValueError
        return Listed(frozenset(kept), {str(name): str(reason) for name, reason in dropped.items()})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: found something else in it, expected {expected}") from error
