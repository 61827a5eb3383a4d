"""The recipes that come with the package: what their files say of themselves.

A recipe is a flag file. Its first comment says in a line what it is for. A published configuration has two more lines,
"Published code:" with what was measured and "Table N:" with where it stands in docs/training_configs.md; the comment of
a practice recipe says where it comes from and what has to be added.
"""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import re
from collections.abc import Iterator

from sg_keras.flags.option_files import recipe_names, recipe_path

_MEASURED = re.compile(r"Published code: ([0-9.]+) s/kimg on V100, ([0-9.]+) s/kimg on A100, ([0-9.]+) GB per GPU")
_TABLE = re.compile(r"Table ([0-9]+): (.+)")


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a configuration with the published code.

    Attributes:
        sec_per_kimg_v100, sec_per_kimg_a100: seconds for a thousand real images, as text.
        gpu_mem_gb: peak memory of each GPU in GB, as text.
        table: number and heading of the table that it stands in.
    """

    sec_per_kimg_v100: str
    sec_per_kimg_a100: str
    gpu_mem_gb: str
    table: tuple[int, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """What a recipe's file says.

    Attributes:
        name: its file's, without the ending.
        title: what it is for, in a line.
        paragraphs: of the comment of a practice recipe.
        options: its lines, "--name=value".
        measured: of a published configuration; None: a practice recipe.
    """

    name: str
    title: str
    paragraphs: tuple[str, ...]
    options: tuple[str, ...]
    measured: Measured | None


def all_recipes() -> list[Recipe]:
    """Those that come with the package, by name.

    Example:
        >>> recipes = all_recipes()
        >>> sum(recipe.measured is not None for recipe in recipes)
        66
        >>> next(recipe for recipe in recipes if recipe.name == "small-gpu").options[:2]
        ('--cfg=stylegan2', '--capacity=small')
    """
    return [read_recipe(recipe_path(name)) for name in recipe_names()]


def read_recipe(path: pathlib.Path) -> Recipe:
    """What a recipe's file says.

    Raises:
        ValueError: its comment is not that of a recipe; one line that names it.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    head = [line[1:].strip() for line in itertools.takewhile(lambda line: line.startswith("#"), lines)]
    if not head:
        raise ValueError(f"{path}: found no comment in its first line, expected one that says what it is for")
    options = tuple(line for line in lines if line.startswith("--"))
    measured = _measured(head[1:])
    paragraphs = "\n".join(head[1:]).split("\n\n") if measured is None else []
    return Recipe(path.stem, head[0], tuple(" ".join(part.split()) for part in paragraphs), options, measured)


def _measured(comment: list[str]) -> Measured | None:
    if len(comment) != 2:
        return None
    figures, table = _MEASURED.fullmatch(comment[0]), _TABLE.fullmatch(comment[1])
    if figures is None or table is None:
        return None
    return Measured(figures[1], figures[2], figures[3], (int(table[1]), table[2]))


def recipe_lines() -> Iterator[str]:
    """What --recipe=list prints: each recipe's name and what it is for, practice recipes first."""
    recipes = all_recipes()
    width = max(len(recipe.name) for recipe in recipes)
    for heading, published in (("Practice recipes", False), ("Published configurations", True)):
        yield f"{heading}:"
        for recipe in recipes:
            if (recipe.measured is not None) == published:
                yield f"  {recipe.name:<{width}}  {recipe.title}"
        yield ""
    yield "Add --data and --outdir; what is typed beside --recipe=NAME counts more: docs/training_configs.md"
