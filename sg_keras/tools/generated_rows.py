"""What `generate` makes: rows of images, one for each class and truncation, and what each image is called."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from sg_keras.tools.label_options import chosen_labels, is_every_class
from sg_keras.tools.network_option import label_facts, named_errors

if TYPE_CHECKING:
    from sg_keras.inference import StyleMaker
    from sg_keras.models import Generator


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """One seed, or one of the styles of a file.

    Attributes:
        stem: what its files' names begin with.
        words: below its images.
        noise_seed: of random noise.
    """

    stem: str
    words: str
    noise_seed: int


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """Images of all columns with the same truncation and, where it was asked for, the same class.

    Attributes:
        labels: of the columns [n,c_dim].
        psi: of truncation.
        suffix: of the files' names.
        classes: what each column's class is called; none where labels are vectors, or there are none.
        words: below all its images.
    """

    labels: np.ndarray
    psi: float
    suffix: str
    classes: tuple[str, ...]
    words: tuple[str, ...]


class HasColumns(Protocol):
    """Styles by columns and rows."""

    @property
    def columns(self) -> list[Column]:
        """What the images are called."""


class Name(NamedTuple):
    """What an image is called: the beginning of its files' names, and lines below it."""

    stem: str
    words: tuple[str, ...]


def names_of(source: HasColumns, rows: Sequence[Row]) -> list[Name]:
    """Names of all images, row after row."""
    return [
        Name(column.stem + row.suffix, (column.words, *row.classes[index : index + 1], *row.words))
        for row in rows
        for index, column in enumerate(source.columns)
    ]


def check_options(values: dict[str, Any]) -> None:
    """Refuse options that exclude each other, or that are missing; before a network is read.

    Raises:
        ValueError: one line that names the option.
    """
    if values["projected_w"] is None and values["seeds"] is None:
        raise ValueError("--seeds: found nothing, expected seeds such as 0-15, or --projected-w=FILE.npz; required")
    for name in ("seeds", "class", "label"):
        if values["projected_w"] is not None and values[name] is not None:
            raise ValueError(f"--{name}: found it beside --projected-w, expected seeds, or styles of a file")
    if values["truncs"] is not None and values["trunc"] != 1:
        raise ValueError("--trunc: found it beside --truncs, expected one of them")


def chosen_rows(values: dict[str, Any], G: Generator) -> list[Row]:
    """The rows that --class, --label, --trunc and --truncs ask for; one where none asks for more.

    Raises:
        ValueError: an option does not fit the network; one line that names it.
    """
    if values["projected_w"] is not None:
        labelled: list[tuple[np.ndarray, str, tuple[str, ...]]] = [(np.zeros([0, G.c_dim], np.float32), "", ())]
    else:
        labelled = list(_labels(values, G.c_dim))
    psis: list[tuple[float, str, tuple[str, ...]]] = [(values["trunc"], "", ())]
    if values["truncs"] is not None:
        psis = [(psi, f"-{psi:g}", (f"psi {psi:g}",)) for psi in values["truncs"]]
    return [
        Row(labels, psi, of_class + of_psi, classes, words)
        for labels, of_class, classes in labelled
        for psi, of_psi, words in psis
    ]


def _labels(values: dict[str, Any], c_dim: int) -> Iterator[tuple[np.ndarray, str, tuple[str, ...]]]:
    """Labels of a row's columns, what is added to their files' names, and what their classes are called."""
    kind, examples, class_names = label_facts(values["network"])
    if not is_every_class(values["class"], class_names):
        labels = chosen_labels(values, c_dim, kind, examples, class_names)
        yield labels, "", () if kind == "vectors" or c_dim == 0 else _called(labels, class_names)
        return
    if c_dim == 0:
        raise ValueError("--class: found 'all', expected none, since the network is not conditional")
    for index in range(c_dim):
        labels = chosen_labels({**values, "class": index}, c_dim, kind, examples, class_names)
        yield labels, f"-class{index}", _called(labels, class_names)


def _called(labels: np.ndarray, class_names: Sequence[str]) -> tuple[str, ...]:
    """The classes of labels, none where one is no class."""
    if not np.array_equal(labels, np.eye(labels.shape[1])[labels.argmax(axis=1)]):
        return ()
    return tuple(class_names[index] if class_names else f"class {index}" for index in labels.argmax(axis=1))


@dataclasses.dataclass(frozen=True, slots=True)
class SeedStyles:
    """Styles that the mapping network makes of seeds."""

    maker: StyleMaker
    seeds: Sequence[int]
    cutoff: int | None

    @property
    def columns(self) -> list[Column]:
        """What the images are called."""
        return [Column(f"seed{seed:04d}", f"seed {seed}", seed) for seed in self.seeds]

    def of_row(self, row: Row) -> Iterator[np.ndarray]:
        """Styles [num_ws,w_dim] of the columns of a row."""
        return self.maker.of_seeds(self.seeds, row.labels, truncation_psi=row.psi, truncation_cutoff=self.cutoff)


@dataclasses.dataclass(frozen=True, slots=True)
class FileStyles:
    """Styles of a file."""

    G: Generator
    ws: np.ndarray  # [N,num_ws,w_dim]
    cutoff: int | None

    @property
    def columns(self) -> list[Column]:
        """What the images are called."""
        return [Column(f"w{index:04d}", f"w {index}", index) for index in range(len(self.ws))]

    def of_row(self, row: Row) -> Iterator[np.ndarray]:
        """Styles [num_ws,w_dim] of the columns of a row."""
        from sg_keras.inference import truncated

        return iter(truncated(self.G, self.ws, row.psi, self.cutoff))


def chosen_styles(values: dict[str, Any], G: Generator) -> SeedStyles | FileStyles:
    """The styles that --seeds or --projected-w asks for.

    Raises:
        ValueError: the file has other styles, or none; one line that names the option.
    """
    from sg_keras.inference import StyleMaker, read_styles

    path, seeds, cutoff = values["projected_w"], values["seeds"], values["trunc_cutoff"]
    if path is None:
        return SeedStyles(StyleMaker(G), seeds, cutoff)
    ws = named_errors("--projected-w", lambda: read_styles(pathlib.Path(path), G.num_ws, G.w_dim))
    return FileStyles(G, ws, cutoff)
