"""Writes what docs/training_configs.md says of recipes from their files: a table for each group of published
configurations, a section for each practice recipe. All else on the page is written by hand.

Usage: python -m docs.recipe_tables
"""

from __future__ import annotations

import itertools
import pathlib
import re
from collections.abc import Callable, Iterator, Sequence

from sg_keras.files.atomic import write_text
from sg_keras.flags.recipes import Measured, Recipe, all_recipes

PAGE = pathlib.Path(__file__).parent / "training_configs.md"
_COLUMNS = ("recipe", "s/kimg V100", "s/kimg A100", "GB a GPU", "options")
_NETWORKS = ("stylegan2", "stylegan3-t", "stylegan3-r")  # in the order of the tables


def with_recipes(page: str, recipes: Sequence[Recipe]) -> str:
    """The page with all between its marks made anew.

    Raises:
        ValueError: a mark is missing.
    """
    published = [(recipe, recipe.measured) for recipe in recipes if recipe.measured is not None]
    practice = [recipe for recipe in recipes if recipe.measured is None]
    for what, lines in (("practice recipes", _sections(practice)), ("published configurations", _tables(published))):
        begin, end = f"<!-- {what}: made by python -m docs.recipe_tables -->", f"<!-- end of {what} -->"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise ValueError(f"{PAGE.name}: found no mark of {what}, expected {begin} and {end}")
        before, _, rest = page.partition(begin)
        after = rest.partition(end)[2]
        page = f"{before}{begin}\n\n" + "\n".join(lines) + f"\n{end}{after}"
    return page


def _sections(recipes: Sequence[Recipe]) -> Iterator[str]:
    for recipe in recipes:
        yield from (f"### `{recipe.name}`", "", f"{recipe.title}.", "")
        for paragraph in recipe.paragraphs:
            yield from (_with_code(paragraph), "")
        yield from ("```text", *recipe.options, "```", "")


def _with_code(text: str) -> str:
    """Options in the words of a comment as code."""
    return re.sub(r"--[a-z][a-zA-Z0-9_=.*-]*[a-zA-Z0-9]", lambda match: f"`{match.group()}`", text)


def _tables(published: Sequence[tuple[Recipe, Measured]]) -> Iterator[str]:
    table: Callable[[tuple[Recipe, Measured]], tuple[int, str]] = lambda pair: pair[1].table  # noqa: E731
    for (_, heading), rows in itertools.groupby(sorted(published, key=table), key=table):
        yield from (f"### {heading}", "", f"| {' | '.join(_COLUMNS)} |", "|---|--:|--:|--:|---|")
        yield from (_row(*pair) for pair in sorted(rows, key=lambda pair: _place(pair[0])))
        yield ""


def _place(recipe: Recipe) -> tuple[int, int, int]:
    """Where a row stands in its table: by network, resolution and number of GPUs."""
    options = dict(line[2:].split("=", 1) for line in recipe.options)
    size = re.search(r"([0-9]+)x[0-9]+|paper([0-9]+)", recipe.title)
    side = int(size[1] or size[2]) if size else 0
    return _NETWORKS.index(options["cfg"]), side, int(options["gpus"])


def _row(recipe: Recipe, measured: Measured) -> str:
    figures = (measured.sec_per_kimg_v100, measured.sec_per_kimg_a100, measured.gpu_mem_gb)
    return f"| `{recipe.name}` | {' | '.join(figures)} | {_options(recipe.options)} |"


def _options(options: Sequence[str]) -> str:
    """Options as code, but the address of a network as a link."""
    address = next((line.removeprefix("--resume=") for line in options if line.startswith("--resume=")), "")
    words = " ".join(line for line in options if not line.startswith("--resume="))
    return f"`{words}`" + (f" `--resume=`[{address.rpartition('/')[2]}]({address})" if address else "")


def main() -> None:
    """Write the page."""
    write_text(PAGE, with_recipes(PAGE.read_text(encoding="utf-8"), all_recipes()))


if __name__ == "__main__":
    main()
