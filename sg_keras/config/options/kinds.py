"""Kinds of values that options take: which texts are valid, and what they come to.

`parse` of each raises ValueError("found ..., expected ..."); the caller puts the option in front, as it was typed.
What depends on the system (the home directory, the encoding of file names) is left to the caller.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from typing import Any, Protocol

from sg_keras.config.channels import format_channels, parse_channels
from sg_keras.config.choices import one_of
from sg_keras.config.metric_specs import parse_metric
from sg_keras.config.stop_condition import parse_stop_condition

TRUE_WORDS = ("1", "true", "t", "yes", "y", "on")
FALSE_WORDS = ("0", "false", "f", "no", "n", "off")


class Kind(Protocol):
    """What an option's values are."""

    @property
    def metavar(self) -> str:
        """Stands for the value in --help, unless the option has a word of its own."""

    def parse(self, argument: str) -> Any:
        """Return the value that a text stands for.

        Raises:
            ValueError: none; "found ..., expected ...".
        """


def refusal(found: Any, expected: str) -> ValueError:
    """The error of a value that is not of a kind."""
    return ValueError(f"found {found!r}, expected {expected}")


class Boolean:
    """1/0, true/false, yes/no, on/off in any case."""

    metavar = "BOOL"

    def parse(self, argument: str) -> bool:
        """Return the truth value."""
        word = argument.lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise refusal(argument, "0 or 1 (also false or true)")


class Integer:
    """A whole number from `lower` to `upper`."""

    metavar = "N"

    def __init__(self, lower: int = 0, upper: int | None = None):
        self.lower, self.upper = lower, upper

    def parse(self, argument: str) -> Any:
        """Return the number."""
        between = f"{self.lower} or more" if self.upper is None else f"from {self.lower} to {self.upper}"
        expected = f"a whole number, {between}"
        if not re.fullmatch(r"[+-]?[0-9]+", argument):
            raise refusal(argument, expected)
        value = int(argument)
        if value < self.lower or (self.upper is not None and value > self.upper):
            raise refusal(value, expected)
        return value


class IntegerOrAuto(Integer):
    """A whole number, or the word auto."""

    def parse(self, argument: str) -> int | str:
        """Return the number, or "auto"."""
        if argument.lower() == "auto":
            return "auto"
        try:
            return int(super().parse(argument))
        except ValueError as error:
            raise ValueError(f"{error}, or auto") from None


class Number:
    """A finite number from `lower` (excluded if `positive`) to `upper`."""

    metavar = "X"

    def __init__(self, lower: float = 0.0, upper: float | None = None, positive: bool = False):
        self.lower, self.upper, self.positive = lower, upper, positive

    def parse(self, argument: str) -> float:
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
            raise refusal(argument, expected) from None
        too_low = value <= self.lower if self.positive else value < self.lower
        if not math.isfinite(value) or too_low or (self.upper is not None and value > self.upper):
            raise refusal(argument, expected)
        return value


class Choice:
    """One of a few words. `elsewhere` is what others call them, or a remark on words that have no counterpart."""

    metavar = "WHAT"

    def __init__(self, *choices: str, elsewhere: Mapping[str, str] | None = None):
        self.choices, self.elsewhere = choices, elsewhere or {}

    def parse(self, argument: str) -> str:
        """Return the word in lower case."""
        word = argument.lower()
        if word not in self.choices:
            raise refusal(argument, one_of(self.choices) + self._hint(word))
        return word

    def _hint(self, word: str) -> str:
        known = self.elsewhere.get(word)
        if known is not None and known not in self.choices:
            return f" ({known})"
        near = [known] if known else difflib.get_close_matches(word, self.choices, n=2, cutoff=0.7)
        return f" (did you mean {' or '.join(near)}?)" if near else ""


class Text:
    """Any text but none; `what` says what it stands for. Only a `part_of_file_name` has to be UTF-8."""

    metavar = "TEXT"

    def __init__(self, what: str, part_of_file_name: bool = False):
        self.what, self.part_of_file_name = what, part_of_file_name
        self.in_utf8 = part_of_file_name

    def parse(self, argument: str) -> str:
        """Return the text."""
        if not argument.strip():
            raise refusal(argument, self.what)
        if self.part_of_file_name and re.search(r"[/\\\x00-\x1f]", argument):
            raise refusal(argument, f"{self.what}, without slashes and line breaks")
        return argument


class PathName(Text):
    """The path of a file or folder, or an address.

    With `in_utf8`, other names are refused: TensorFlow, which opens these files, takes no others.
    """

    metavar = "PATH"

    def __init__(self, what: str, in_utf8: bool = True):
        super().__init__(what)
        self.in_utf8 = in_utf8


class Grid:
    """Columns x rows of a grid of images, such as 10x10."""

    metavar = "CxR"

    def parse(self, argument: str) -> tuple[int, int]:
        """Return (columns, rows)."""
        match = re.fullmatch(r"([0-9]{1,4})[xX]([0-9]{1,4})", argument)
        if match is None or 0 in (columns_rows := (int(match.group(1)), int(match.group(2)))):
            raise refusal(argument, "columns x rows such as 10x10")
        return columns_rows


class Names:
    """Some of a few words, separated by commas; they are returned once each, in the order of `choices`."""

    metavar = "A,B,C"

    def __init__(self, choices: tuple[str, ...]):
        self.choices = choices

    def parse(self, argument: str) -> tuple[str, ...]:
        """Return the words."""
        names = {word.strip() for word in argument.lower().split(",")}
        if not names <= set(self.choices):
            raise refusal(argument, f"one or more of {','.join(self.choices)}")
        return tuple(name for name in self.choices if name in names)


class Hosts:
    """name:port of several workers, separated by commas."""

    metavar = "HOSTS"

    def parse(self, argument: str) -> tuple[str, ...]:
        """Return them in their order."""
        hosts = tuple(host.strip() for host in argument.split(","))
        if len(hosts) < 2 or not all(hosts):
            raise refusal(argument, "two or more workers as name:port,name:port")
        return hosts


class Channels:
    """Numbers of channels by resolution."""

    metavar = "TABLE"

    def parse(self, argument: str) -> str:
        """Return the table as the configuration spells it."""
        if not argument.strip():
            raise refusal(argument, "a table such as 4:512,8:512,16:256")
        return format_channels(parse_channels(argument))


class Metrics:
    """none, or names of metrics separated by commas."""

    metavar = "A,B,C"

    def parse(self, argument: str) -> tuple[str, ...]:
        """Return the names; none is an empty tuple."""
        if argument.lower() == "none":
            return ()
        names = tuple(dict.fromkeys(name.strip() for name in argument.split(",")))
        if not all(names):
            raise refusal(argument, "names separated by commas, or none")
        for name in names:
            parse_metric(name)
        return names


class FeatureNetwork:
    """What sees images for scores."""

    metavar = "NETWORK"

    def parse(self, argument: str) -> str:
        """Return its name."""
        if argument not in ("effnetlite0", "boxes") and not re.fullmatch("discriminator:.+", argument):
            raise refusal(argument, "effnetlite0, boxes or discriminator:RUN, with a run directory or a snapshot")
        return argument


class Condition:
    """When a run stops, by a score."""

    metavar = "CONDITION"

    def parse(self, argument: str) -> str:
        """Return the condition as the configuration spells it."""
        return str(parse_stop_condition(argument))
