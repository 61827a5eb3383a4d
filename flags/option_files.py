"""Options kept in files: a flag file, a recipe by name, schedules. What is typed beside them counts more."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import json
import pathlib
import re
from collections.abc import Iterator, Sequence

import sg_keras
from sg_keras.config.options.declaration import Option
from sg_keras.config.options.kinds import TRUE_WORDS
from sg_keras.config.options.schedule_kinds import Freeze, ScheduleOf
from sg_keras.files.errors import file_errors_explained
from sg_keras.flags.arguments import Argument, normalise

SUFFIX = ".flags"
_EXAMPLE = 'an object of schedules such as {"glr": "2e-3; 2e-4 from 10000", "gamma": 5}'
_RECIPES = pathlib.Path(sg_keras.__file__).parent / "recipes"  # a link to the folder beside the package
_IN_FILES = ("flagfile", "recipe", "schedule")  # which themselves name files


def with_option_files(arguments: Sequence[Argument], options: Sequence[Option]) -> list[Argument]:
    """The arguments of the files that a command line names, a recipe's first, then its own, which count in the end.

    Args:
        arguments: of the command line.
        options: those that there are.

    Raises:
        ValueError: a file cannot be used; one line that names it.
    """
    last = {argument.option.key: argument for argument in arguments}
    last = {key: argument for key, argument in last.items() if not argument.option.is_none(argument.value)}
    found: list[Argument] = []
    if "recipe" in last and last["recipe"].value != "list":
        found = [*_of_file(recipe_file(last["recipe"]), options)]
    if "flagfile" in last:
        found = _followed(found, [*_of_file(pathlib.Path(last["flagfile"].value).expanduser(), options)])
    if "schedule" in last:
        found = _followed(found, [*_of_schedules(last["schedule"], options)])
    return _followed(found, arguments)


def _followed(before: Sequence[Argument], after: Sequence[Argument]) -> list[Argument]:
    """Arguments of a file and those that count more. A gamma, chosen or given, takes the place of one in the file."""
    chosen = any(one.option.key == "auto_gamma" and one.value.lower() in TRUE_WORDS for one in after)
    if chosen or any(one.option.key == "gamma" for one in after):
        before = [one for one in before if one.option.key not in ("gamma", "auto_gamma")]
    return [*before, *after]


def list_requested(argv: Sequence[str]) -> bool:
    """Whether a command line asks for the names of all recipes, whatever else it says."""
    pairs = itertools.pairwise([*argv, ""])
    return "--recipe=list" in argv or ("--recipe", "list") in pairs


def recipe_names() -> list[str]:
    """Names of the recipes that come with the package."""
    return sorted(path.stem for path in _RECIPES.glob(f"*{SUFFIX}"))


def recipe_path(name: str) -> pathlib.Path:
    """The file of one of these."""
    return _RECIPES / f"{name}{SUFFIX}"


def recipe_file(argument: Argument) -> pathlib.Path:
    """The file of the recipe that an argument names.

    Raises:
        ValueError: there is none of this name.
    """
    name = argument.value.lower()
    if name not in recipe_names():
        near = difflib.get_close_matches(name, recipe_names(), n=3, cutoff=0.4)
        hint = f"{' or '.join(near)} (--recipe=list shows all)" if near else "a name that --recipe=list shows"
        raise ValueError(f"{argument.typed}: found {argument.value!r}, expected {hint}")
    return recipe_path(name)


def words_of_file(path: pathlib.Path) -> Iterator[tuple[int, list[str]]]:
    """Words of each line of a flag file that holds an option, with the line's number.

    One option per line, as --name=value, --name value or without the dashes; no quotes are needed. What begins with #
    is for people.
    """
    with file_errors_explained(path):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, sign, value = re.split(r"(\s*=\s*|\s+|$)", text.removeprefix("--"), maxsplit=1)
        yield number, [f"--{name}={_unquoted(value)}" if sign else f"--{name}"]


def _unquoted(value: str) -> str:
    """A value without the quotes that a shell would have taken away."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value


def _of_file(path: pathlib.Path, options: Sequence[Option]) -> Iterator[Argument]:
    for number, words in words_of_file(path):
        place = f"{path}, line {number}"
        try:
            (argument,) = normalise(words, options)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
        if argument.option.key in _IN_FILES:
            raise ValueError(f"{place}: found {argument.typed}, expected options alone, no further files")
        yield dataclasses.replace(argument, typed=f"{place}: {argument.typed}")


def _of_schedules(argument: Argument, options: Sequence[Option]) -> Iterator[Argument]:
    path = pathlib.Path(argument.value).expanduser()
    with file_errors_explained(path):
        text = path.read_text(encoding="utf-8-sig")
    by_key = {option.key: option for option in options if isinstance(option.kind, ScheduleOf | Freeze)}
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{argument.typed}: {path}: found no JSON ({error}), expected {_EXAMPLE}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{argument.typed}: {path}: found {type(values).__name__}, expected {_EXAMPLE}")
    for name, value in values.items():
        option = by_key.get(name.replace("-", "_"))
        if option is None:
            raise ValueError(f"{argument.typed}: {path}: found {name!r}, expected some of {', '.join(sorted(by_key))}")
        yield Argument(option, f"{path}: --{option.name}", value if isinstance(value, str) else json.dumps(value))
