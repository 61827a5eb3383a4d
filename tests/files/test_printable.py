"""Text that a terminal shows as it is."""

import pytest

from sg_keras.files.printable import is_utf8, printable


@pytest.mark.parametrize(
    "text, shown",
    [
        ("cats and 猫 ü", "cats and 猫 ü"),
        ("two\nlines", "two\nlines"),
        ("cats\r", r"cats\r"),
        ("a\tb\x1b[31m\x7f", r"a\tb\x1b[31m\x7f"),
        ("left\u202eright\u200b", r"left\u202eright\u200b"),
        (b"caf\xe9".decode("utf-8", "surrogateescape"), r"caf\xe9"),
        ("\ud83d", r"\ud83d"),
    ],
)
def test_what_is_not_printable_is_escaped(text, shown):
    assert printable(text) == shown


def test_names_that_are_utf8():
    assert is_utf8("猫/ü")
    assert not is_utf8(b"caf\xe9".decode("utf-8", "surrogateescape"))
