"""The labels that --class and --label choose, and what is shown without them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np

EVERY_CLASS = "all"


def chosen_labels(
    values: dict[str, Any], c_dim: int, kind: str, examples: np.ndarray, class_names: Sequence[str] = ()
) -> np.ndarray:
    """Label of each seed.

    Args:
        values: of the options; seeds, class and label are read.
        c_dim: width of the network's labels.
        kind: what they are: "classes", "vectors", or "" where that is not known.
        examples: label vectors of the training images, [n,c_dim].
        class_names: of the classes, by index; empty where they have none.

    Returns:
        float32 [seeds,c_dim].

    Raises:
        ValueError: an option does not fit the network, or one is missing; one line that names it.
    """
    from sg_keras.inference import class_label, vector_label

    seeds, class_index, numbers = values["seeds"], _class_index(values["class"], class_names), values["label"]
    if class_index is not None and numbers is not None:
        raise ValueError("--label: found it beside --class, expected one of them")
    if class_index is not None and kind == "vectors":
        raise ValueError(
            f"--class: found {class_index}, expected {_typed_label(c_dim, examples)}: the network's labels are "
            "vectors, not classes"
        )
    try:
        if numbers is not None:
            return np.repeat(vector_label(numbers, c_dim), len(seeds), axis=0)
        if class_index is not None:
            return np.repeat(class_label(class_index, c_dim), len(seeds), axis=0)
    except ValueError as error:
        raise ValueError(f"--{error}") from error
    return _by_turns(seeds, c_dim, kind, examples)


def spread_labels(
    values: dict[str, Any], c_dim: int, kind: str, examples: np.ndarray, class_names: Sequence[str] = ()
) -> np.ndarray | None:
    """Labels of random latents by which the spread of w is measured: the one that options choose, else all.

    Args, raises: as of `chosen_labels`; seeds are not read.

    Returns:
        [n,c_dim], to be taken by turns; None = all classes.
    """
    every_class = values["class"] is None or is_every_class(values["class"], class_names)
    if not every_class or values["label"] is not None:
        return chosen_labels({**values, "seeds": (0,)}, c_dim, kind, examples, class_names)
    return examples if kind == "vectors" and len(examples) else None


def is_every_class(typed: int | str | None, class_names: Sequence[str]) -> bool:
    """Whether --class asks for all classes; where one is called so, it is that one."""
    return typed == EVERY_CLASS and EVERY_CLASS not in class_names


def _class_index(typed: int | str | None, class_names: Sequence[str]) -> int | None:
    """The index of a class by its index or name."""
    if not isinstance(typed, str):
        return typed
    if typed in class_names:
        return list(class_names).index(typed)
    if not class_names:
        raise ValueError(f"--class: found {typed!r}, expected a whole number: the network's classes have no names")
    near = difflib.get_close_matches(typed, class_names, n=3, cutoff=0.6) or list(class_names[:3])
    dots = ", ..." if len(class_names) > len(near) else ""
    raise ValueError(f"--class: found {typed!r}, expected the index or name of a class ({', '.join(near)}{dots})")


def _by_turns(seeds: tuple[int, ...], c_dim: int, kind: str, examples: np.ndarray) -> np.ndarray:
    """Labels without options: those that the network has seen, by turns."""
    if c_dim == 0:
        return np.zeros([len(seeds), 0], np.float32)
    indices = np.array(seeds, np.int64)
    if kind == "vectors":
        if not len(examples):
            raise ValueError(
                f"--label: found nothing, expected {_typed_label(c_dim, examples)}: the network's labels are vectors"
            )
        print(
            f"Note: seed k has the label of number k modulo {len(examples)} of {len(examples)} labels of the training "
            f"images; {_typed_label(c_dim, examples)} shows one label"
        )
        return examples[indices % len(examples)]
    vectors = "" if kind == "classes" else "; if labels are vectors, --label=V,V,... shows one"
    print(f"Note: seed k shows class k modulo {c_dim}; --class=N (0 to {c_dim - 1}) shows one class{vectors}")
    return np.eye(c_dim, dtype=np.float32)[indices % c_dim]


def _typed_label(c_dim: int, examples: np.ndarray) -> str:
    """How a label is typed, with one that works where one is known."""
    numbers = f"{c_dim} number{'s' if c_dim > 1 else ''}"
    if not len(examples):
        return f"--label=V,V,... with {numbers}"
    return f"--label={','.join(f'{number:g}' for number in examples[0])} or other {numbers}"
