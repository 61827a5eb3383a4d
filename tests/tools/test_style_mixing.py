"""sg_keras.tools.style_mixing."""

import pathlib

import numpy as np
import pytest
from PIL import Image

import sg_keras
from sg_keras import inference
from sg_keras.tools import style_mixing

OFFICIAL = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles" / "tf1_sg2_32.pkl"
OPTIONS = ("--rows=5,6", "--cols=1-3", "--styles=0,2-3")


def run(network, outdir, *options):
    return style_mixing.main([f"--network={network}", f"--outdir={outdir}", *options])


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)[:, :, None]


def test_a_table(snapshot, tmp_path, capsys):
    assert run(snapshot, tmp_path, *OPTIONS, "--class=1", "--trunc=0.7") == 0
    own, mixed = [1, 2, 3, 5, 6], [(row, column) for row in (5, 6) for column in (1, 2, 3)]
    names = [f"{seed}-{seed}.png" for seed in own] + [f"{row}-{column}.png" for row, column in mixed]
    assert {path.name for path in tmp_path.iterdir()} == {*names, "grid.png"}
    assert f"2 x 3 mixed images, those of the seeds and grid.png in {tmp_path}" in capsys.readouterr().out
    G = sg_keras.load(snapshot)["G_ema"]
    images = list(inference.mix(G, [5, 6], [1, 2, 3], [0, 2, 3], [1] * 5, truncation_psi=0.7))
    grid = read(tmp_path / "grid.png").reshape(3, 16, 4, 16, 1).swapaxes(1, 2).reshape(12, 16, 16, 1)
    assert not grid[0].any()
    np.testing.assert_array_equal(grid[1:], images)
    np.testing.assert_array_equal(read(tmp_path / "6-2.png"), images[3 + 4 + 2])
    np.testing.assert_array_equal(read(tmp_path / "6-6.png"), images[3 + 4])


def test_an_official_file(tmp_path):
    assert run(OFFICIAL, tmp_path, "--rows=1", "--cols=2", "--styles=0-2") == 0
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size == (64, 64)


@pytest.mark.parametrize(
    "options, message",
    [
        ((*OPTIONS[:2], "--styles=0-6"), "--styles: found 6, expected 0 to 5, the styles of the network"),
        ((*OPTIONS[:2], "--styles=3-1"), "--styles: found '3-1', expected numbers and ranges of styles such as 0-6"),
        ((*OPTIONS, "--class=3"), "--class: found 3, expected 0 to 2"),
        (OPTIONS[:2], "--styles: found nothing, expected a value; required"),
    ],
)
def test_errors(snapshot, tmp_path, options, message, capsys):
    assert run(snapshot, tmp_path / "out", *options) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {message}") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
