"""Normalise a command line before absl sees it.

absl knows neither hyphens in names nor `--mirror 1` (to it a switch and a stray word), so `--batch-gpu 4`,
`--batch_gpu=4`, `-n` and the like are reduced to (option, value) pairs here, and all else is refused.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from sg_keras.config.options.kinds import FALSE_WORDS, TRUE_WORDS, Boolean
from sg_keras.flags.options import OPTIONS, Option
from sg_keras.flags.synonyms import known_elsewhere

_CONTROL_NAMES = {"\r": "a carriage return", "\n": "a line break", "\t": "a tab"}
_HINTS = {"\r": r" (a script with Windows line endings? sed -i 's/\r$//' SCRIPT mends them)"}
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


def refuse_control_characters(argv: Sequence[str]) -> None:
    """Refuse words of any command line that a terminal would obey rather than show.

    Raises:
        ValueError: there is one; one line with the option, what was found and what to do.
    """
    for before, word in itertools.pairwise(["", *argv]):
        control = next((letter for letter in word if unicodedata.category(letter) == "Cc"), None)
        if control is not None:
            name, _, value = word.partition("=")
            if not name.startswith("-") or control in name:
                name, value = before if before.startswith("--") and "=" not in before else "command line", word
            what = _CONTROL_NAMES.get(control, "a control character")
            raise ValueError(f"{name}: found {value!r}, which has {what} in it, expected none{_HINTS.get(control, '')}")


def normalise(
    argv: Sequence[str], options: Sequence[Option] = OPTIONS, nameless: Option | None = None
) -> list[Argument]:
    """Reduce the words of a command line (without the program's name) to arguments, in their order.

    Args:
        argv: the words.
        options: those that there are, by default the trainer's.
        nameless: the option that one word without a name stands for; None: there is none.

    Raises:
        ValueError: stray words, unknown options and such without their values: all of them, in one line.
    """
    arguments, problems = [], []
    for found in _arguments(list(argv), options, nameless):
        if isinstance(found, Argument):
            arguments.append(found)
        else:
            problems.append(found)
    if problems:
        raise ValueError(f"{'; '.join(dict.fromkeys(problems))} (see --help)")
    return arguments


def _arguments(words: list[str], options: Sequence[Option], nameless: Option | None) -> Iterator[Argument | str]:
    """Arguments, and in their place what is wrong with words that are none."""
    while words:
        word = words.pop(0)
        if nameless is not None and not word.startswith("-"):
            yield Argument(nameless, f"--{nameless.name}", word)
            nameless = None
            continue
        typed, has_value, value = word.partition("=")
        option = _find(word, typed, options)
        if isinstance(option, str):
            yield option
            if typed.startswith("--") and not has_value and words and not words[0].startswith("-"):
                words.pop(0)  # its value, as it seems
        elif has_value:
            yield Argument(option, typed, value)
        elif option.switch:
            yield Argument(option, typed, words.pop(0) if words and _is_truth_value(words[0]) else "1")
        elif words and not _is_option(words[0]):
            yield Argument(option, typed, words.pop(0))
        else:
            hint = f" ({typed}=1 or {typed}=0)" if isinstance(option.kind, Boolean) else ""
            yield f"{typed}: found no value, expected {typed}={option.metavar}{hint}"


def _is_option(word: str) -> bool:
    return word.startswith("--") or word in ("-n", "-h")


def _is_truth_value(word: str) -> bool:
    return word.lower() in TRUE_WORDS + FALSE_WORDS


def _find(word: str, typed: str, options: Sequence[Option]) -> Option | str:
    """The option, or what is wrong with the word."""
    if not typed.startswith("-"):
        return f"found the stray word {word!r}, expected options alone, --name=value"
    by_key = {option.key: option for option in options}
    for option in options:
        if option.short and typed == f"-{option.short}":
            return option
    key = typed[2:].replace("-", "_") if typed.startswith("--") else ""
    if key in by_key:
        return by_key[key]
    return f"{typed}: no such option{_suggestion(typed, by_key)}"


def _suggestion(typed: str, by_key: Mapping[str, Option]) -> str:
    name = typed.lstrip("-").replace("-", "_").lower()
    if name in by_key:  # in capitals, or with one dash
        return f"; did you mean --{by_key[name].name}?"
    elsewhere, instead = known_elsewhere(name, by_key)
    if elsewhere:
        remark = f", {instead}" if instead else ""
        return f"; did you mean {_spelled(elsewhere, by_key)}{remark}?"
    if instead and "data" in by_key:
        return f"; {instead}"
    negated = by_key.get(name.removeprefix("no").lstrip("_")) if name.startswith("no") else None
    if negated is not None and isinstance(negated.kind, Boolean):
        return f"; did you mean --{negated.name}=0?"
    near = difflib.get_close_matches(name, by_key, n=3, cutoff=0.6)
    return f"; did you mean {_spelled(near, by_key)}?" if near else ""


def _spelled(keys: Sequence[str], by_key: Mapping[str, Option]) -> str:
    return " or ".join(f"--{by_key[key].name}" for key in keys)
