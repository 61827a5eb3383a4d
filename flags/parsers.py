"""absl argument parsers whose errors say what was found and what was expected.

Each raises ValueError("found ..., expected ..."); the caller puts the flag in front, as it was typed.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from typing import Any

from absl import flags as absl_flags

from sg_keras.config.freeze import format_freeze, parse_freeze
from sg_keras.files.cache import expand_home
from sg_keras.files.printable import is_utf8, printable

TRUE_WORDS = ("1", "true", "t", "yes", "y", "on")
FALSE_WORDS = ("0", "false", "f", "no", "n", "off")

#: The published metrics that people ask for by name.
METRICS = (
    "fid50k_full",
    "kid50k_full",
    "pr50k3_full",
    "ppl2_wend",
    "eqt50k_int",
    "eqt50k_frac",
    "eqr50k",
    "fid50k",
    "kid50k",
    "pr50k3",
    "is50k",
)


def _refuse(found: Any, expected: str) -> ValueError:
    return ValueError(f"found {found!r}, expected {expected}")


def _quoted(text: str) -> str:
    return f"'{printable(text)}'"


class Boolean(absl_flags.ArgumentParser[bool]):
    """1/0, true/false, yes/no, on/off in any case."""

    def parse(self, argument: Any) -> bool:
        """Return the truth value."""
        word = str(argument).lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise _refuse(argument, "0 or 1 (also false or true)")


class Integer(absl_flags.ArgumentParser[int]):
    """A whole number from `lower` to `upper`."""

    def __init__(self, lower: int = 0, upper: int | None = None):
        self.lower, self.upper = lower, upper

    def parse(self, argument: Any) -> int:
        """Return the number."""
        between = f"{self.lower} or more" if self.upper is None else f"from {self.lower} to {self.upper}"
        expected = f"a whole number, {between}"
        if not re.fullmatch(r"[+-]?[0-9]+", str(argument)):
            raise _refuse(argument, expected)
        value = int(argument)
        if value < self.lower or (self.upper is not None and value > self.upper):
            raise _refuse(value, expected)
        return value


class IntegerOrAuto(Integer):
    """A whole number, or the word auto."""

    def parse(self, argument: Any) -> int | str:  # type: ignore[override]
        """Return the number, or "auto"."""
        if str(argument).lower() == "auto":
            return "auto"
        try:
            return super().parse(argument)
        except ValueError as error:
            raise ValueError(f"{error}, or auto") from None


class Number(absl_flags.ArgumentParser[float]):
    """A finite number from `lower` (excluded if `positive`) to `upper`."""

    def __init__(self, lower: float = 0.0, upper: float | None = None, positive: bool = False):
        self.lower, self.upper, self.positive = lower, upper, positive

    def parse(self, argument: Any) -> float:
        """Return the number."""
        if self.positive:
            expected = "a number above 0"
        elif self.upper is not None:
            expected = f"a number from {self.lower:g} to {self.upper:g}"
        else:
            expected = f"a number, {self.lower:g} or more"
        try:
            value = float(argument)
        except ValueError:
            raise _refuse(argument, expected) from None
        too_low = value <= self.lower if self.positive else value < self.lower
        if not math.isfinite(value) or too_low or (self.upper is not None and value > self.upper):
            raise _refuse(argument, expected)
        return value


class Choice(absl_flags.ArgumentParser[str]):
    """One of a few words. `elsewhere` is what others call them, or a remark on words that have no counterpart."""

    def __init__(self, *choices: str, elsewhere: Mapping[str, str] | None = None):
        self.choices, self.elsewhere = choices, elsewhere or {}

    def parse(self, argument: Any) -> str:
        """Return the word in lower case."""
        word = str(argument).lower()
        if word not in self.choices:
            expected = " or ".join(filter(None, [", ".join(self.choices[:-1]), self.choices[-1]]))
            raise _refuse(argument, expected + self._hint(word))
        return word

    def _hint(self, word: str) -> str:
        known = self.elsewhere.get(word)
        if known is not None and known not in self.choices:
            return f" ({known})"
        near = [known] if known else difflib.get_close_matches(word, self.choices, n=2, cutoff=0.7)
        return f" (did you mean {' or '.join(near)}?)" if near else ""


class Text(absl_flags.ArgumentParser[str]):
    """Any text but none; `what` says what it stands for."""

    def __init__(self, what: str, part_of_file_name: bool = False):
        self.what, self.part_of_file_name = what, part_of_file_name

    def parse(self, argument: Any) -> str:
        """Return the text."""
        if not argument.strip():
            raise _refuse(argument, self.what)
        if self.part_of_file_name and re.search(r"[/\\\x00-\x1f]", argument):
            raise _refuse(argument, f"{self.what}, without slashes and line breaks")
        if self.part_of_file_name and not is_utf8(argument):
            raise ValueError(f"found {_quoted(argument)}, which is not UTF-8, expected {self.what} in UTF-8")
        return argument


class PathName(Text):
    """The path of a file or folder, or an address; ~ and ~user at its beginning become that home directory.

    With `in_utf8`, other names are refused: TensorFlow, which opens these files, takes no others.
    """

    def __init__(self, what: str, in_utf8: bool = True):
        super().__init__(what)
        self.in_utf8 = in_utf8

    def parse(self, argument: Any) -> str:
        """Return the path."""
        path = expand_home(super().parse(argument))
        if self.in_utf8 and not is_utf8(path):
            raise ValueError(
                f"found {_quoted(path)}, a name that is not UTF-8, expected one that is: rename it (mv, or convmv for "
                "many), or make a link to it"
            )
        return path


def path_argument(name: str, text: str) -> str:
    """The path that a word without an option stands for; `name` says what it is called in messages."""
    try:
        return PathName("a path").parse(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


class Grid(absl_flags.ArgumentParser[tuple[int, int]]):
    """Columns x rows of a picture grid, such as 10x10."""

    def parse(self, argument: Any) -> tuple[int, int]:
        """Return (columns, rows)."""
        match = re.fullmatch(r"([0-9]{1,4})[xX]([0-9]{1,4})", str(argument))
        if match is None or 0 in (columns_rows := (int(match.group(1)), int(match.group(2)))):
            raise _refuse(argument, "columns x rows such as 10x10")
        return columns_rows


class Names(absl_flags.ArgumentParser[tuple[str, ...]]):
    """Some of a few words, separated by commas; they are returned once each, in the order of `choices`."""

    def __init__(self, choices: tuple[str, ...]):
        self.choices = choices

    def parse(self, argument: Any) -> tuple[str, ...]:
        """Return the words."""
        words = argument if isinstance(argument, tuple) else str(argument).lower().split(",")
        names = {word.strip() for word in words}
        if not names or not names <= set(self.choices):
            raise _refuse(argument, f"one or more of {','.join(self.choices)}")
        return tuple(name for name in self.choices if name in names)


class Hosts(absl_flags.ArgumentParser[tuple[str, ...]]):
    """name:port of several machines, separated by commas."""

    def parse(self, argument: Any) -> tuple[str, ...]:
        """Return them in their order."""
        hosts = argument if isinstance(argument, tuple) else tuple(host.strip() for host in str(argument).split(","))
        if len(hosts) < 2 or not all(hosts):
            raise _refuse(argument, "two or more machines as name:port,name:port")
        return hosts


class Freeze(absl_flags.ArgumentParser[str]):
    """Rules of what is not trained, or none."""

    def parse(self, argument: Any) -> str:
        """Return the rules as the configuration spells them; none is an empty text."""
        return "" if str(argument).lower() == "none" else format_freeze(parse_freeze(str(argument)))


class Metrics(absl_flags.ArgumentParser[tuple[str, ...]]):
    """none, or names separated by commas."""

    def parse(self, argument: Any) -> tuple[str, ...]:
        """Return the names; none is an empty tuple."""
        if str(argument).lower() == "none":
            return ()
        names = tuple(dict.fromkeys(name.strip() for name in str(argument).split(",")))
        unknown = [name for name in names if name not in METRICS]
        if unknown:
            raise _refuse(unknown[0] or argument, f"none or some of {','.join(METRICS)}")
        return names
