"""Kinds of values by themselves; tests/flags and tests/tools have them on command lines."""

import pytest

from sg_keras.config.options import kinds, schedule_kinds


@pytest.mark.parametrize(
    "kind, text, value",
    [
        (kinds.Boolean(), "YES", True),
        (kinds.Boolean(), "off", False),
        (kinds.Integer(1), "+7", 7),
        (kinds.IntegerOrAuto(1), "Auto", "auto"),
        (kinds.Number(), "1e-3", 0.001),
        (kinds.Choice("a", "b"), "B", "b"),
        (kinds.Text("text"), " two words", " two words"),
        (kinds.PathName("a folder"), "~/x", "~/x"),  # the home directory is left to the caller
        (kinds.Grid(), "10X4", (10, 4)),
        (kinds.Names(("a", "b")), "b, a,b", ("a", "b")),
        (kinds.Hosts(), "a:1, b:2", ("a:1", "b:2")),
        (schedule_kinds.Freeze(), "None", ""),
        (kinds.Metrics(), "eqr50k,fid50k,eqr50k", ("eqr50k", "fid50k")),
        (kinds.Metrics(), "none", ()),
    ],
)
def test_values(kind, text, value):
    assert kind.parse(text) == value and kind.metavar


@pytest.mark.parametrize(
    "kind, text, message",
    [
        (kinds.Boolean(), "2", "found '2', expected 0 or 1"),
        (kinds.Integer(1, 5), "6", "found 6, expected a whole number, from 1 to 5"),
        (kinds.IntegerOrAuto(1), "0", "found 0, expected a whole number, 1 or more, or auto"),
        (kinds.Number(0, 1), "1.1", "found '1.1', expected a number from 0 to 1"),
        (kinds.Choice("same", "other"), "sam", r"expected same or other \(did you mean same\?\)"),
        (kinds.Text("text", part_of_file_name=True), "a\\b", "expected text, without slashes"),
        (kinds.PathName("a folder"), " ", "found ' ', expected a folder"),
        (kinds.Names(("a",)), "", "expected one or more of a"),
        (kinds.Metrics(), "fid", "found 'fid', expected some of fd5k, kd5k"),
    ],
)
def test_refusals(kind, text, message):
    with pytest.raises(ValueError, match=message):
        kind.parse(text)
