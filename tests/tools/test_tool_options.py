"""Command lines of the tools."""

import pytest

from sg_keras.config.options.kinds import PathName
from sg_keras.flags.convert_options import CONVERT_OPTIONS
from sg_keras.flags.export_options import EXPORT_OPTIONS
from sg_keras.flags.generate_options import GENERATE_OPTIONS
from sg_keras.flags.options import OPTIONS
from sg_keras.flags.tool_options import (
    DOCTOR_OPTIONS,
    Seeds,
    parse_tool_options,
    tool_help_text,
)
from sg_keras.tools import doctor, export, generate, style_mixing

REQUIRED = ["--network=net", "--seeds=0-2", "--outdir=out"]


@pytest.mark.parametrize(
    "text, seeds",
    [
        ("5", (5,)),
        ("0-3", (0, 1, 2, 3)),
        ("1,4,7-9", (1, 4, 7, 8, 9)),
        (" 3, 1-2 ", (3, 1, 2)),
        ("2,1-3,2", (2, 1, 3)),
        ("4294967295", (2**32 - 1,)),
    ],
)
def test_seeds(text, seeds):
    assert Seeds().parse(text) == seeds


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "found '', expected numbers and ranges such as 0-15"),
        ("1,,2", "expected numbers and ranges"),
        ("-1", "expected numbers"),
        ("1.5", "expected numbers"),
        ("9-7", "in ascending order"),
        ("4294967296", "from 0 to 4294967295"),
        ("0-4294967295", "expected 1000000 seeds at most"),
    ],
)
def test_seeds_that_are_none(text, message):
    with pytest.raises(ValueError, match=message):
        Seeds().parse(text)


def test_defaults_and_spellings():
    values = parse_tool_options(REQUIRED, GENERATE_OPTIONS)
    assert values["seeds"] == (0, 1, 2)
    assert (values["trunc"], values["class"], values["noise_mode"], values["debug"]) == (1.0, None, "const", False)
    for noise, cutoff in (["--noise-mode=none", "--trunc_cutoff=3"], ["--noise_mode=none", "--trunc-cutoff=3"]):
        values = parse_tool_options([*REQUIRED, noise, cutoff, "--trunc", "-0.7", "--class", "2"], GENERATE_OPTIONS)
        assert (values["noise_mode"], values["trunc_cutoff"], values["trunc"], values["class"]) == ("none", 3, -0.7, 2)


@pytest.mark.parametrize(
    "tool, argv, message",
    [
        (generate, [], "--network, --outdir: found nothing"),
        (generate, [*REQUIRED, "--seed=1"], "--seed: no such option; did you mean --seeds?"),
        (generate, [*REQUIRED, "--trunc=nan"], "--trunc: found 'nan', expected a number"),
        (generate, [*REQUIRED, "--noise-mode=some"], "--noise-mode: found 'some', expected const, random or none"),
        (generate, [*REQUIRED, "--translate=1"], "--translate: found '1', expected two numbers such as 0.25,-0.1"),
        (generate, [*REQUIRED, "--translate=0,inf"], "--translate: found '0,inf', expected two numbers"),
        (generate, [*REQUIRED, "--label=a,1"], "--label: found 'a,1', expected numbers such as 0.1,0,1"),
        (generate, [*REQUIRED, "--label="], "--label: found '', expected numbers"),
        (generate, [*REQUIRED, "--label=1e39"], "--label: found '1e39', expected numbers"),
        (generate, [*REQUIRED, "--rotate=much"], "--rotate: found 'much', expected a number"),
        (generate, [*REQUIRED, "extra"], "found the stray word 'extra'"),
        (export, ["--network=net", "--outdir=out", "--format=torch"], "--format: found 'torch', expected one or"),
        (doctor, ["--gpus=1"], "--gpus: no such option"),
    ],
)
def test_one_line_errors(tool, argv, message, capsys):
    assert tool.main(argv) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ") and error.count("\n") == 1
    assert message in error


@pytest.mark.parametrize("tool", [doctor, export, generate, style_mixing])
def test_help(tool, capsys):
    assert tool.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert f"python -m {tool.__name__}" in text and "--debug" in text
    assert max(map(len, text.splitlines())) <= 100


def test_help_groups_options():
    text = tool_help_text("What it does.", GENERATE_OPTIONS)
    assert text.startswith("What it does.\n\nRequired:\n  --network=PATH")
    assert "[default: const]" in text


@pytest.mark.parametrize("options", [OPTIONS, GENERATE_OPTIONS, EXPORT_OPTIONS, CONVERT_OPTIONS, DOCTOR_OPTIONS])
def test_every_option_for_a_path_takes_it_as_one(options):
    """With ~ for the home directory, and in one line where its name is not UTF-8."""
    for option in options:
        if option.metavar in ("PATH", "DIR", "FILE", "FROM"):
            assert isinstance(option.kind, PathName), option.name


def test_home_in_paths(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    values = parse_tool_options(["--network=~/net", "--seeds=0", "--outdir", "~"], GENERATE_OPTIONS)
    assert (values["network"], values["outdir"]) == ("/home/me/net", "/home/me")
