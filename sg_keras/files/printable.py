"""Text that a terminal shows as it is: what it would obey, hide or refuse is escaped."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text with characters that are not printable as escapes, such as \r; its line breaks stay.

    Bytes of file names that are not UTF-8 are shown as such: \xe9.
    """
    return "".join(letter if letter.isprintable() or letter == "\n" else _escape(letter) for letter in text)


def is_utf8(text: str) -> bool:
    """Whether a file name, as Python gives it, is valid UTF-8; Python keeps other bytes as lone surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _escape(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":  # PEP 383
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")
