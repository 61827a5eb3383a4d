"""Conversion of networks by command line."""

import pathlib

import numpy as np
import pytest

import sg_keras
from sg_keras.tools import convert, generate
from tests.weights.test_official_networks import assert_same

OFFICIAL = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles" / "sg3t_32_proto4_numpy2.pkl"


def test_an_official_file_through_every_format_and_back(tmp_path, capsys):
    first = sg_keras.load(OFFICIAL)
    source = OFFICIAL
    for name, words in (
        ("snapshot", "a network snapshot"),
        ("networks.safetensors", "weights under their published names"),
        ("networks.pkl", "the PyTorch layout of official pickles without program text"),
        ("again", "a network snapshot"),
    ):
        assert convert.main([str(source), str(tmp_path / name)]) == 0
        printed = capsys.readouterr().out
        assert printed.startswith("stylegan3-t 32x32, labels of width 3: ") and words in printed
        source = tmp_path / name
        assert_same(sg_keras.load(source), first)


def test_images_of_an_official_file(tmp_path):
    assert generate.main([f"--network={OFFICIAL}", "--seeds=0-1", f"--outdir={tmp_path}"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"seed0000.png", "seed0001.png", "grid.png"}


def test_a_snapshot_of_ours(snapshot, tmp_path):
    assert convert.main([str(snapshot), str(tmp_path / "networks.safetensors")]) == 0
    found, expected = (sg_keras.load(path)["D"].get_weights() for path in (tmp_path / "networks.safetensors", snapshot))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "found 0 arguments, expected two: SRC DST"),
        (["a", "b", "c"], "found 3 arguments"),
        (["--network=a", "b"], "--network: no such option, expected SRC DST"),
        (["nowhere.pkl", "out"], "SRC: found 'nowhere.pkl', which does not exist, expected a run directory"),
        ([str(OFFICIAL), str(OFFICIAL)], "found it there already"),
        ([str(OFFICIAL), "networks.pt"], "found the ending .pt"),
    ],
)
def test_one_line_errors(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert convert.main(words) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ") and error.count("\n") == 1 and message in error
    assert not list(tmp_path.iterdir())


def test_help(capsys):
    assert convert.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "python -m sg_keras.tools.convert" in text and max(map(len, text.splitlines())) <= 100
