"""The label file of a data set: where it lies, and what it says of which image."""

from __future__ import annotations

import itertools
import json
from typing import Any, Protocol

from sg_keras.data.faults import first_names, name_some
from sg_keras.data.image_source import ImageSource, suffix
from sg_keras.data.label_names import MatchedLabels, common_folder, match_labels
from sg_keras.data.labels import Labels, labels_of_images, shortened
from sg_keras.data.tfrecord_source import TFRecordSource

LABEL_FILE = "dataset.json"
_EXPECTED = "expected labels there, since conditional training (--cond=1) was asked for"


class HasFiles(Protocol):
    """Names of images and of files beside them."""

    names: list[str]
    other_names: list[str]


def read_labels(source: ImageSource, own_name: str) -> tuple[Labels, str]:
    """The labels of all images of a source.

    Args:
        source: with a label file at its top or in a folder that holds all images.
        own_name: of the folder or zip file, without suffix, with which names in the label file may begin.

    Returns:
        The labels, and what had to be overlooked to find them, "" if nothing.

    Raises:
        OSError: the label file cannot be read; one line.
        ValueError: there are no labels, or they do not go together; one line.
    """
    if isinstance(source, TFRecordSource) and source.has_labels:
        return source.labels(), ""
    name = find_label_file(source)
    if name is None:
        raise ValueError(f"{source.path}: found no {LABEL_FILE}, {_EXPECTED}{_instead(source)}")
    where = f"{source.path}/{name}"
    table = read_label_table(source.read_other(name), where)
    if isinstance(table, str):
        raise ValueError(f"{source.path}: found no labels in {name}, {_EXPECTED} (it holds {table})")
    found = match_labels(table, source.names, name.rpartition("/")[0], own_name)
    if isinstance(found, MatchedLabels):
        return labels_of_images(source.names, found.values, where), found.note and f"{where}: {found.note}"
    raise ValueError(
        f"{where}: found no label for {name_some(found, len(source.names))}, expected one for every image "
        f"(the file's first entry is {next(iter(table))})"
    )


def has_labels(source: ImageSource) -> bool:
    """Whether a source has a label file that can be read. Faults of one that nobody asked for are no errors."""
    if isinstance(source, TFRecordSource) and source.has_labels:
        return True
    name = find_label_file(source)
    try:
        return name is not None and isinstance(read_label_table(source.read_other(name), name), dict)
    except (OSError, ValueError):
        return False


def find_label_file(source: HasFiles) -> str | None:
    """The label file at the top, or else in the deepest of the folders that hold all images, as of a zipped folder."""
    parts = [part for part in common_folder(source.names).split("/") if part]
    folders = ["", *("/".join(parts[:depth]) for depth in range(len(parts), 0, -1))]
    by_name = {name: name for name in _label_files(source)}
    in_any_case = {name.rpartition("/")[0]: name for name in _label_files(source)}
    for folder in folders:
        found = by_name.get(f"{folder}/{LABEL_FILE}".lstrip("/")) or in_any_case.get(folder)
        if found is not None:
            return found
    return None


def is_label_file(name: str) -> bool:
    """Whether a file name is that of a label file, in capital or small letters."""
    return name.rpartition("/")[2].lower() == LABEL_FILE


def _label_files(source: HasFiles) -> list[str]:
    return [name for name in source.other_names if is_label_file(name)]


def _instead(source: ImageSource) -> str:
    """What of its kind there is."""
    others = _label_files(source) or [name for name in source.other_names if suffix(name).lower() in (".json", ".csv")]
    return f" (there is {first_names(others)})" if others else ""


def read_label_table(content: bytes, where: str) -> dict[str, Any] | str:
    """The labels of a label file by file name, or what the file holds instead of any.

    Args:
        content: the file: JSON in any of the encodings that JSON has, with a byte order mark or without.
        where: its name for messages.

    Returns:
        Labels by file name as it stands there, with forward slashes; or, in words, what the file holds.

    Raises:
        ValueError: it is no JSON, or its "labels" are no pairs of file name and label; one line.
    """
    try:
        found = json.loads(content)
    except UnicodeDecodeError as error:
        raise ValueError(f"{where}: found text that is not UTF-8, expected JSON") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f'{where}: found text that is not JSON ({error}), expected an object with "labels"') from error
    if not isinstance(found, dict):
        return f"a {_json_kind(found)}"
    if "labels" not in found:
        return f"an object with {', '.join(map(shortened, itertools.islice(found, 3))) or 'nothing in it'}"
    entries = found["labels"]
    if not entries:
        return f'"labels": {shortened(entries)}'
    if isinstance(entries, dict):  # as good as pairs
        entries = [[name, label] for name, label in entries.items()]
    if not isinstance(entries, list):
        raise ValueError(
            f'{where}: found "labels" of type {_json_kind(entries)}, expected a list of [file name, label] pairs'
        )
    return _table(entries, where)


def _table(entries: list[Any], where: str) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for position, entry in enumerate(entries):
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
            raise ValueError(
                f'{where}: found {shortened(entry)} at position {position} of "labels", '
                "expected a [file name, label] pair"
            )
        name = entry[0].replace("\\", "/")
        if name in table and table[name] != entry[1]:
            raise ValueError(f"{where}: found two different labels for {name}, expected one")
        table[name] = entry[1]
    return table


def _json_kind(value: Any) -> str:
    return {dict: "object", list: "list", str: "text", bool: "truth value"}.get(type(value), "number")
