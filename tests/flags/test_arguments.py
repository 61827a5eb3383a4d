"""Normalisation of the command line before absl sees it."""

import pytest

from sg_keras.flags.arguments import debug_requested, help_requested, normalise


@pytest.mark.parametrize(
    "words, expected",
    [
        (["--batch-gpu=4"], [("batch_gpu", "4")]),
        (["--batch_gpu=4"], [("batch_gpu", "4")]),
        (["--batch-gpu", "4"], [("batch_gpu", "4")]),
        (["--batch_gpu", "4", "--tick=1"], [("batch_gpu", "4"), ("tick", "1")]),
        (["--dry-run"], [("dry_run", "1")]),
        (["--dry_run"], [("dry_run", "1")]),
        (["--dry-run=true"], [("dry_run", "true")]),
        (["-n"], [("dry_run", "1")]),
        (["-n", "--mirror", "1"], [("dry_run", "1"), ("mirror", "1")]),
        (["--mirror", "1", "--aug=noaug"], [("mirror", "1"), ("aug", "noaug")]),
        (["--mirror=1"], [("mirror", "1")]),
        (["--mirror=true"], [("mirror", "true")]),
        (["--mirror", "False"], [("mirror", "False")]),
        (["--debug", "0"], [("debug", "0")]),
        (["--deterministic", "--seed", "3"], [("deterministic", "1"), ("seed", "3")]),
        (["--nobench=1"], [("nobench", "1")]),
        (["--gamma", "-1"], [("gamma", "-1")]),
        (["--desc=a=b"], [("desc", "a=b")]),
        (["--desc="], [("desc", "")]),
        (["--sample_grid", "5x5"], [("sample_grid", "5x5")]),
        (["--style-mixing-prob=0"], [("style_mixing_prob", "0")]),
        ([], []),
    ],
)
def test_spellings(words, expected):
    assert [(argument.option.key, argument.value) for argument in normalise(words)] == expected


def test_spelling_as_typed_is_kept():
    assert [argument.typed for argument in normalise(["--batch_gpu", "4", "-n"])] == ["--batch_gpu", "-n"]


@pytest.mark.parametrize(
    "words, message",
    [
        (["stray"], "found the stray word 'stray', expected options alone"),
        (["--mirror=1", "1"], "found the stray word '1'"),
        (["--mirror", "1", "2"], "found the stray word '2'"),
        (["--tick=1", "--", "--snap=2"], "--: no such option"),
        (["--batchgpu=4"], "--batchgpu: no such option; did you mean --batch-gpu"),
        (["--gama=1"], "--gama: no such option; did you mean --gamma"),
        (["--nomirror"], "--nomirror: no such option; did you mean --mirror=0?"),
        (["--zzzzzz"], "--zzzzzz: no such option (see --help)"),
        (["-x"], "-x: no such option"),
        (["-mirror=1"], "-mirror: no such option; did you mean --mirror?"),
        (["--Batch=1"], "--Batch: no such option; did you mean --batch?"),
        (["--no-mirror"], "--no-mirror: no such option; did you mean --mirror=0?"),
        (
            ["--foo=1", "--total-kimg", "5"],
            "--foo: no such option; --total-kimg: no such option; did you mean --kimg? (",
        ),
        (["--undefok=x"], "--undefok: no such option"),
        (["--mirror"], "--mirror: found no value, expected --mirror=BOOL (--mirror=1 or --mirror=0)"),
        (["--mirror", "--aug=noaug"], "--mirror: found no value"),
        (["--batch-gpu"], "--batch-gpu: found no value, expected --batch-gpu=N"),
        (["--batch-gpu", "-n"], "--batch-gpu: found no value"),
    ],
)
def test_what_is_refused(words, message):
    with pytest.raises(ValueError) as error:
        normalise(words)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_help_and_debug_are_found_in_any_command_line():
    assert help_requested(["--batch=x", "--help"]) and help_requested(["-h"]) and not help_requested(["--batch=1"])
    assert debug_requested(["--debug", "nonsense"]) and debug_requested(["--debug=1"])
    assert not debug_requested(["--debug=0"])
