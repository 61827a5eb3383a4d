"""Labels of a data set: class indices or vectors, from dataset.json as published for StyleGAN2-ADA."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

LABEL_FILE = "dataset.json"
_MAX_CLASSES = 1_000_000  # beyond it the indices are something else, and one-hot batches fill the memory
_MAX_FLOAT32 = float(np.finfo(np.float32).max)


class Labels:
    """Labels of all pictures in their order.

    Args:
        values: int64 [n] class indices, or float32 [n, c_dim] vectors (c_dim 0: no labels).
        num_classes: With class indices, the width of the one-hot vectors.
    """

    def __init__(self, values: np.ndarray, num_classes: int = 0) -> None:
        self._values = values  # class indices stay indices: 1000 classes one-hot are 4 kB a picture
        self.c_dim = num_classes if values.ndim == 1 else values.shape[1]

    @property
    def kind(self) -> str:
        """What a label is: "classes", "vectors", or "" where there are none."""
        if self.c_dim == 0:
            return ""
        return "classes" if self._values.ndim == 1 else "vectors"

    def examples(self, most: int) -> np.ndarray:
        """Some different vectors of images from all over the set, float32 [up to `most`, c_dim]; none with classes."""
        if self.kind != "vectors":
            return np.zeros((0, self.c_dim), np.float32)
        spread = self._values[np.linspace(0, len(self._values) - 1, min(len(self._values), 8 * most)).astype(int)]
        _, first = np.unique(spread, axis=0, return_index=True)
        different = spread[np.sort(first)]
        return different[np.linspace(0, len(different) - 1, min(len(different), most)).astype(int)]

    def __len__(self) -> int:
        return len(self._values)

    def rows(self, indices: np.ndarray) -> np.ndarray:
        """Labels of the given pictures: float32 [n, c_dim], one-hot for class indices."""
        values = self._values[indices]
        if values.ndim == 2:
            return values
        one_hot = np.zeros((len(values), self.c_dim), np.float32)
        one_hot[np.arange(len(values)), values] = 1.0
        return one_hot


def class_labels(classes: np.ndarray) -> Labels:
    """Labels from class indices [n]; as many classes as the highest index asks for."""
    classes = classes.astype(np.int64)
    return Labels(classes, int(classes.max()) + 1)


def no_labels(num_images: int) -> Labels:
    """Labels of width 0."""
    return Labels(np.zeros((num_images, 0), np.float32))


def read_label_entries(text: str | None, where: str) -> list[Any] | None:
    """The "labels" list of a dataset.json file, None if there is none.

    Args:
        text: Contents of the file; None if there is no file.
        where: Its name for messages.

    Raises:
        ValueError: Not JSON, or "labels" is not a list.
    """
    if text is None:
        return None
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f'{where}: found text that is not JSON ({error}), expected an object with "labels"') from error
    entries = content.get("labels") if isinstance(content, dict) else None
    if entries is not None and not isinstance(entries, list):
        raise ValueError(
            f'{where}: found "labels" of type {type(entries).__name__}, expected a list of [file name, label] pairs'
        )
    return entries or None


def labels_from_entries(entries: list[Any], names: list[str], where: str) -> Labels:
    """Labels of the pictures `names`, in that order. Entries of other files are ignored.

    Args:
        entries: `[file name, class index or list of numbers]` pairs.
        names: Pictures, relative to the folder or zip file.
        where: Name of the label file for messages.

    Raises:
        ValueError: A picture without a label, or labels that do not go together; names a picture.
    """
    table = _table(entries, where)
    for name in names:
        if table.get(name) is None:
            raise ValueError(
                f"{where}: found no label for {name}, expected one for every image "
                f"(the file's first entry is {entries[0][0]})"
            )
    first = names[0]
    for name in names:
        _check_label(table[name], name, table[first], first, where)
    values = [table[name] for name in names]
    if isinstance(values[0], int):
        return class_labels(np.array(values, np.int64))
    return Labels(np.array(values, np.float32))


def _table(entries: list[Any], where: str) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for position, entry in enumerate(entries):
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
            raise ValueError(
                f'{where}: found {_short(entry)} at position {position} of "labels", expected a [file name, label] pair'
            )
        name = entry[0].replace("\\", "/")
        if name in table and table[name] != entry[1]:
            raise ValueError(f"{where}: found two different labels for {name}, expected one")
        table[name] = entry[1]
    return table


def _check_label(label: Any, name: str, first_label: Any, first: str, where: str) -> None:
    if _is_class(label):
        if not 0 <= label < _MAX_CLASSES:
            raise ValueError(f"{where}: found the class index {label} for {name}, expected 0 to {_MAX_CLASSES - 1}")
    elif not (isinstance(label, list) and label and all(map(_is_number, label))):
        raise ValueError(
            f"{where}: found the label {_short(label)} for {name}, expected a class index or a list of numbers"
        )
    if _is_class(label) != _is_class(first_label):
        raise ValueError(
            f"{where}: found {_kind(label)} for {name} but {_kind(first_label)} for {first}, expected "
            "class indices only or vectors only"
        )
    if isinstance(label, list) and len(label) != len(first_label):
        raise ValueError(
            f"{where}: found a vector of {len(label)} numbers for {name}, expected {len(first_label)} as for {first}"
        )


def _is_class(label: Any) -> bool:
    return isinstance(label, int) and not isinstance(label, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _MAX_FLOAT32


def _kind(label: Any) -> str:
    return "a class index" if _is_class(label) else "a vector"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
