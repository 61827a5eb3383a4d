"""Normalise a command line before absl sees it.

absl knows neither hyphens in names nor `--mirror 1` (to it a switch and a stray word), so `--batch-gpu 4`,
`--batch_gpu=4`, `-n` and the like are reduced to (option, value) pairs here, and all else is refused.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Sequence

from sg_keras.flags.options import BY_KEY, OPTIONS, Option
from sg_keras.flags.parsers import FALSE_WORDS, TRUE_WORDS, Boolean

HELP_WORDS = ("--help", "-h", "-help", "--helpfull", "--helpshort")


@dataclasses.dataclass(frozen=True, slots=True)
class Argument:
    """An option on the command line: what it means and how it was typed."""

    option: Option
    typed: str  # with its dashes, as typed
    value: str


def help_requested(argv: Sequence[str]) -> bool:
    """Whether the command line asks for help, whatever else it says."""
    return any(word in HELP_WORDS for word in argv)


def debug_requested(argv: Sequence[str]) -> bool:
    """Whether errors are to show their traceback, even where the command line cannot be understood."""
    return any(word == "--debug" or (word.startswith("--debug=") and word[8:].lower() in TRUE_WORDS) for word in argv)


def normalise(argv: Sequence[str]) -> list[Argument]:
    """Reduce the words of a command line (without the program's name) to arguments, in their order.

    Raises:
        ValueError: a stray word, an unknown option or one without its value, in one line.
    """
    return list(_arguments(list(argv)))


def _arguments(words: list[str]) -> Iterator[Argument]:
    while words:
        word = words.pop(0)
        typed, has_value, value = word.partition("=")
        option = _find(word, typed)
        if has_value:
            yield Argument(option, typed, value)
        elif option.switch:
            yield Argument(option, typed, words.pop(0) if words and _is_truth_value(words[0]) else "1")
        elif words and not _is_option(words[0]):
            yield Argument(option, typed, words.pop(0))
        else:
            hint = f" ({typed}=1 or {typed}=0)" if isinstance(option.parser, Boolean) else ""
            raise ValueError(f"{typed}: found no value, expected {typed}={option.metavar}{hint}")


def _is_option(word: str) -> bool:
    return word.startswith("--") or word in ("-n", "-h")


def _is_truth_value(word: str) -> bool:
    return word.lower() in TRUE_WORDS + FALSE_WORDS


def _find(word: str, typed: str) -> Option:
    if not typed.startswith("-"):
        raise ValueError(f"found the stray word {word!r}, expected options alone, --name=value (see --help)")
    for option in OPTIONS:
        if option.short and typed == f"-{option.short}":
            return option
    key = typed[2:].replace("-", "_") if typed.startswith("--") else ""
    if key in BY_KEY:
        return BY_KEY[key]
    raise ValueError(f"{typed}: no such option{_suggestion(typed)} (see --help)")


def _suggestion(typed: str) -> str:
    name = typed.lstrip("-").replace("-", "_").lower()
    negated = BY_KEY.get(name.removeprefix("no")) if name.startswith("no") else None
    if negated is not None and isinstance(negated.parser, Boolean):
        return f"; did you mean --{negated.name}=0?"
    near = difflib.get_close_matches(name, BY_KEY, n=3, cutoff=0.6)
    if not near:
        return ""
    return f"; did you mean {' or '.join('--' + BY_KEY[key].name for key in near)}?"
