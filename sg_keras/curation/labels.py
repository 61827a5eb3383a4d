"""Labels of images: from folders, tables and JSON files, or carried over from where the images come from."""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from sg_keras.curation.label_tables import read_csv_labels
from sg_keras.curation.original_source import OriginalSource
from sg_keras.data.description import names_of_classes
from sg_keras.data.faults import name_some
from sg_keras.data.label_file import LABEL_FILE, find_label_file, read_label_table
from sg_keras.data.label_names import MatchedLabels, match_labels
from sg_keras.data.labels import labels_of_images
from sg_keras.files.errors import explain_file_error

_WITHOUT = "--labels=none does without, and convert --unlabelled=drop leaves such images out where others have labels"


@dataclasses.dataclass(frozen=True, slots=True)
class OriginalLabels:
    """Labels of images.

    Attributes:
        by_index: class index or list of numbers of each image that has one; empty = there are none.
        class_names: by class index, or by position in vectors of several classes; empty where nobody named them.
        notes: what people should see.
        unlabelled: images that are used and have none, where others have; only if that is allowed.
    """

    by_index: Mapping[int, Any] = dataclasses.field(default_factory=dict)
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unlabelled: tuple[int, ...] = ()


def read_labels(
    source: OriginalSource, spec: str, separator: str | None, used: Sequence[int], partial: bool = False
) -> OriginalLabels:
    """Labels of the images that are used.

    Args:
        source: of the images.
        spec: folders, csv:FILE[:COLUMN,...], json:FILE, none, or auto: carried over, where there are any.
        separator: between the classes of one image, which then become a vector of zeros and ones.
        used: indices of the images.
        partial: whether images may be without a label, as long as one has some.

    Raises:
        OSError: a file cannot be read; one line.
        ValueError: images are without a label, or labels do not go together; one line.
    """
    if spec == "none":
        return OriginalLabels()
    kind, _, rest = spec.partition(":")
    if kind == "folders":
        return _of_folders(source, used, partial)
    if kind == "csv":
        path, columns = _file_and_columns(rest)
        table = read_csv_labels(_content(path), path, columns, separator)
        return _of_table(source, used, partial, table, (), path)
    if kind == "json":
        table, class_names = _json_table(_content(rest), rest, separator)
        return _of_table(source, used, partial, table, class_names, rest)
    return _carried_over(source, used, partial)


def _carried_over(source: OriginalSource, used: Sequence[int], partial: bool) -> OriginalLabels:
    own = source.own_labels()
    if own is not None:
        return _checked(source, used, [own.values[index] for index in used], own.class_names, source.path)
    file = find_label_file(source)
    if file is None:
        return OriginalLabels()
    where = f"{source.path}/{file}"
    content = source.read_other(file)
    table = read_label_table(content, where)
    if isinstance(table, str):  # it holds none
        return OriginalLabels()
    class_names = names_of_classes(json.loads(content))
    return _of_table(source, used, partial, table, class_names, where, file.rpartition("/")[0])


def _of_table(
    source: OriginalSource,
    used: Sequence[int],
    partial: bool,
    table: Mapping[str, Any],
    class_names: tuple[str, ...],
    where: str,
    folder: str = "",
) -> OriginalLabels:
    order, own_name = sorted(source.names[index] for index in used), pathlib.PurePath(source.path).stem
    found = match_labels(table, order, folder, own_name)
    if partial and not isinstance(found, MatchedLabels) and len(found) < len(order):
        without = set(found)
        order = [name for name in order if name not in without]
        found = match_labels(table, order, folder, own_name)
    if not isinstance(found, MatchedLabels):
        raise ValueError(
            f"{where}: found no label for {name_some(found, len(order))}, expected one for every image (the file's "
            f"first entry is {next(iter(table), 'missing')}); {_WITHOUT}"
        )
    by_name = dict(zip(order, found.values, strict=True))
    labelled = [index for index in used if source.names[index] in by_name]
    labels = _checked(source, labelled, [by_name[source.names[index]] for index in labelled], class_names, where)
    note = (f"{where}: {found.note}",) if found.note else ()
    return dataclasses.replace(labels, notes=(*labels.notes, *note), unlabelled=_others(used, labelled))


def _others(used: Sequence[int], labelled: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(set(used) - set(labelled)))


def _checked(
    source: OriginalSource, used: Sequence[int], values: list[Any], class_names: tuple[str, ...], where: str
) -> OriginalLabels:
    """Labels with classes by number, once they go together."""
    names = [source.names[index] for index in used]
    if values and all(isinstance(value, str) for value in values):
        class_names = tuple(sorted(set(values)))
        number = {name: index for index, name in enumerate(class_names)}
        values = [number[value] for value in values]
    elif any(isinstance(value, frozenset) for value in values):
        class_names = tuple(sorted(set().union(*values)))
        values = [[int(name in value) for name in class_names] for value in values]
    labels = labels_of_images(names, values, where)
    empty = labels.classes_without_images()
    notes = (f"{where}: {len(empty)} of {labels.c_dim} classes have no images",) if empty else ()
    return OriginalLabels(dict(zip(used, values, strict=True)), class_names, notes)


def _of_folders(source: OriginalSource, used: Sequence[int], partial: bool) -> OriginalLabels:
    inside = [index for index in used if "/" in source.names[index]]
    outside = _others(used, inside)
    if outside and not (partial and inside):
        names = [source.names[index] for index in outside]
        raise ValueError(
            f"--labels=folders: found no folder for {name_some(names, len(used))} of {source.path}, expected each "
            f"image in the folder of its class; {_WITHOUT}"
        )
    values = [source.names[index].partition("/")[0] for index in inside]
    labels = _checked(source, inside, values, (), f"{source.path}: folders")
    return dataclasses.replace(labels, unlabelled=outside)


def _file_and_columns(text: str) -> tuple[str, tuple[str, ...]]:
    """FILE[:COLUMN,...]; a file whose name has a colon in it is taken as it is."""
    if pathlib.Path(text).exists() or ":" not in text:
        return text, ()
    path, _, columns = text.rpartition(":")
    return path, tuple(column.strip() for column in columns.split(","))


def _content(path: str) -> bytes:
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise OSError(explain_file_error(error, path)) from error


def _json_table(content: bytes, path: str, separator: str | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Labels by name of a file such as dataset.json, or of a plain object of names and labels."""
    table: dict[str, Any] | str = read_label_table(content, path)
    found = json.loads(content)
    if isinstance(table, str):
        if not isinstance(found, dict) or "labels" in found or not found:
            raise ValueError(f"{path}: found {table}, expected labels by file name")
        table = found
    return {name: _json_label(label, separator) for name, label in table.items()}, names_of_classes(found)


def _json_label(label: Any, separator: str | None) -> Any:
    if isinstance(label, str) and separator:
        return frozenset(part.strip() for part in label.split(separator) if part.strip())
    if isinstance(label, list) and label and all(isinstance(part, str) for part in label):
        return frozenset(label)
    if isinstance(label, float) and math.isfinite(label):
        return [label]
    return label


def dataset_json(
    labels: list[list[Any]] | None, class_names: Sequence[str], conversion: Mapping[str, Any], crops: Mapping[str, Any]
) -> bytes:
    """The content of dataset.json: what the published tools read, `labels`, and what was done.

    Args:
        labels: [name, label] of each image, None where there are none.
        class_names: of the classes, if they have any.
        conversion: what was done.
        crops: where images were cut out, by name: [original, left, top, width, height].
    """
    content: dict[str, Any] = {"labels": labels}
    if labels is not None and class_names:
        content["class_names"] = list(class_names)
    content["conversion"] = conversion
    if crops:
        content["crops"] = crops
    return json.dumps(content, ensure_ascii=True).encode("ascii")


__all__ = ["LABEL_FILE", "OriginalLabels", "dataset_json", "read_labels"]
