"""absl argument parsers for the kinds of values that options have, and what a value owes to this system."""

from __future__ import annotations

from typing import Any

from absl import flags as absl_flags

from sg_keras.config.options.kinds import Kind, PathName, Text
from sg_keras.files.cache import expand_home
from sg_keras.files.printable import is_utf8, printable


class KindParser(absl_flags.ArgumentParser[Any]):
    """Hands the words of a command line to a kind."""

    def __init__(self, kind: Kind):
        self.kind = kind

    def parse(self, argument: Any) -> Any:
        """Return the value."""
        return parse_value(self.kind, argument)


def parse_value(kind: Kind, text: str) -> Any:
    """The value of a word; in paths ~ and ~user at the beginning become that home directory.

    Raises:
        ValueError: the word has none, or it is a name that has to be UTF-8 and is not.
    """
    value = kind.parse(expand_home(text) if isinstance(kind, PathName) else text)
    if not isinstance(kind, Text) or not kind.in_utf8 or is_utf8(value):
        return value
    found = f"found '{printable(value)}'"
    if isinstance(kind, PathName):
        raise ValueError(
            f"{found}, a name that is not UTF-8, expected one that is: rename it (mv, or convmv for many), or make a "
            "link to it"
        )
    raise ValueError(f"{found}, which is not UTF-8, expected {kind.what} in UTF-8")


def path_argument(name: str, text: str) -> str:
    """The path that a word without an option stands for; `name` says what it is called in messages."""
    try:
        return str(parse_value(PathName("a path"), text))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
