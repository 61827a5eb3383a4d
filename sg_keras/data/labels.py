"""Labels of a data set: class indices or vectors, from dataset.json as published for StyleGAN2-ADA."""

from __future__ import annotations

import collections
import hashlib
import json
from typing import Any

import numpy as np

from sg_keras.data.faults import join_some, name_some

_MAX_CLASSES = 1_000_000  # beyond it the indices are something else, and one-hot batches fill the memory
_MAX_FLOAT32 = float(np.finfo(np.float32).max)


class Labels:
    """Labels of all images in their order.

    Args:
        values: int64 [n] class indices, or float32 [n, c_dim] vectors (c_dim 0: no labels).
        num_classes: With class indices, the width of the one-hot vectors.
    """

    def __init__(self, values: np.ndarray, num_classes: int = 0) -> None:
        self._values = values  # class indices stay indices: 1000 classes one-hot are 4 kB an image
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
        """Labels of the given images: float32 [n, c_dim], one-hot for class indices."""
        values = self._values[indices]
        if values.ndim == 2:
            return values
        one_hot = np.zeros((len(values), self.c_dim), np.float32)
        one_hot[np.arange(len(values)), values] = 1.0
        return one_hot

    def listed(self) -> list[Any]:
        """Labels of all images as a label file has them: class indices or lists of numbers."""
        return [] if self.c_dim == 0 else self._values.tolist()

    def classes_without_images(self) -> list[int]:
        """Class indices that no image has; nothing with vectors."""
        if self._values.ndim == 2:
            return []
        return np.flatnonzero(np.bincount(self._values, minlength=self.c_dim) == 0).tolist()

    def digest(self) -> str:
        """Of the labels of all images in their order, whatever file they came from."""
        values = self._values.astype("<i8" if self._values.ndim == 1 else "<f4")
        return hashlib.sha256(f"{values.shape} ".encode() + values.tobytes()).hexdigest()


def class_labels(classes: np.ndarray) -> Labels:
    """Labels from class indices [n]; as many classes as the highest index asks for."""
    classes = classes.astype(np.int64)
    return Labels(classes, int(classes.max()) + 1)


def no_labels(num_images: int) -> Labels:
    """Labels of width 0."""
    return Labels(np.zeros((num_images, 0), np.float32))


def labels_of_images(names: list[str], values: list[Any], where: str) -> Labels:
    """Labels from what a label file has for each image.

    Args:
        names: images, for messages.
        values: class index or list of numbers of each.
        where: name of the label file for messages.

    Raises:
        ValueError: labels that do not go together; one line that counts them and names the first three.
    """
    kinds = [_kind(label) for label in values]
    known = collections.Counter(kind for kind in kinds if kind)
    usual = kinds.index(known.most_common(1)[0][0]) if known else 0  # the many are right, or else the first
    faults: dict[tuple[str, str, str], list[str]] = {}
    for name, label in zip(names, values, strict=True):
        fault = _fault(label, values[usual], names[usual])
        if fault is not None:
            faults.setdefault(fault, []).append(name)
    if faults:
        texts = [
            f"found {found} for {name_some(images, len(names))}{beside}, expected {expected}"
            for (found, beside, expected), images in faults.items()
        ]
        raise ValueError(f"{where}: {join_some(texts, 'kinds of faults')}")
    if _is_class(values[0]):
        return class_labels(np.array(values, np.int64))
    return Labels(np.array(values, np.float32))


def _fault(label: Any, usual_label: Any, usual: str) -> tuple[str, str, str] | None:
    """What is wrong with a label, as (found, beside what, expected); None if nothing is."""
    kind, usual_kind = _kind(label), _kind(usual_label)
    if _is_class(label) and not kind:
        return f"the class index {label}", "", f"0 to {_MAX_CLASSES - 1}"
    if not kind:
        return f"the label {shortened(label)}", "", "a class index or a list of numbers"
    if _is_class(label) != _is_class(usual_label):
        return kind, f" but {usual_kind} for {usual}", "class indices only or vectors only"
    if isinstance(label, list) and len(label) != len(usual_label):
        return kind, "", f"{len(usual_label)} as for {usual}"
    return None


def _kind(label: Any) -> str:
    """What a label is, in words; "" if it is none."""
    if _is_class(label):
        return "a class index" if 0 <= label < _MAX_CLASSES else ""
    if isinstance(label, list) and label and all(map(_is_number, label)):
        return f"a vector of {len(label)} numbers"
    return ""


def _is_class(label: Any) -> bool:
    return isinstance(label, int) and not isinstance(label, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _MAX_FLOAT32


def shortened(value: Any) -> str:
    """A value of a JSON file for messages."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
