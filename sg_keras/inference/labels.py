"""Labels for generated images: one-hot for classes, or vectors of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sg_keras.models import Generator


def class_label(class_index: int, c_dim: int) -> np.ndarray:
    """One-hot label float32 [1,c_dim].

    Raises:
        ValueError: there is no such class, or there are none at all.
    """
    if c_dim == 0:
        raise ValueError(f"class: found {class_index}, expected none, since the network is not conditional")
    if not 0 <= class_index < c_dim:
        raise ValueError(f"class: found {class_index}, expected 0 to {c_dim - 1}, the classes of the network")
    return np.eye(c_dim, dtype=np.float32)[class_index : class_index + 1]


def vector_label(numbers: Sequence[float], c_dim: int) -> np.ndarray:
    """A label of any numbers, float32 [1,c_dim].

    Raises:
        ValueError: there are more or fewer than the network's labels have, or these have none at all.
    """
    found = f"{len(numbers)} number{'s' if len(numbers) != 1 else ''}"
    if c_dim == 0:
        raise ValueError(f"label: found {found}, expected none, since the network is not conditional")
    if len(numbers) != c_dim:
        raise ValueError(f"label: found {found}, expected {c_dim}, the width of the network's labels")
    return np.array([numbers], np.float32)


def cycled_classes(seeds: Sequence[int], c_dim: int) -> list[int] | None:
    """A class for each seed, its remainder, so that a row of seeds shows all classes; None where there are none."""
    return [seed % c_dim for seed in seeds] if c_dim > 0 else None


def labels_of(G: Generator, count: int, classes: Sequence[int] | None, labels: np.ndarray | None) -> np.ndarray:
    """Labels of some images, float32 [count,c_dim].

    Args:
        G: generator.
        count: of the images.
        classes: class of each, None for a network without labels or where `labels` are given.
        labels: [count,c_dim], any labels in place of classes.

    Raises:
        ValueError: they do not fit the network or the count, or a conditional generator has none; one line.
    """
    if labels is not None:
        if classes is not None or labels.shape != (count, G.c_dim):
            raise ValueError(f"labels: found {list(labels.shape)}, expected [{count}, {G.c_dim}] and no classes beside")
        return labels.astype(np.float32)
    if classes is None:
        if G.c_dim > 0:
            raise ValueError(f"class: found none, expected 0 to {G.c_dim - 1}, since the network is conditional")
        return np.zeros([count, 0], np.float32)
    return np.concatenate([class_label(index, G.c_dim) for index in classes])
