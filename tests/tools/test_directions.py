"""sg_keras.tools.directions."""

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from sg_keras.inference import read_directions
from sg_keras.tools import directions

OFFICIAL = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles" / "sg3t_32_proto4_numpy2.pkl"


def run(network, outdir, *options):
    return directions.main([f"--network={network}", f"--outdir={outdir}", *options])


def test_directions_and_sheets(snapshot, tmp_path, capsys):
    outdir = tmp_path / "new" / "out"
    options = ["--count=3", "--layers=1-3", "--seeds=0,5", "--class=1", "--trunc=0.7", "--amount=2"]
    assert run(snapshot, outdir, *options, "--name=1:tilt") == 0
    assert sorted(path.name for path in outdir.iterdir()) == [
        "directions.json",
        "directions.npz",
        "sheet-seed0000.png",
        "sheet-seed0005.png",
    ]
    found = read_directions(outdir)
    assert [direction.name for direction in found.directions] == ["closed-form-0", "tilt", "closed-form-2"]
    assert {direction.layers for direction in found.directions} == {(1, 3)} and len(found.network) == 64
    assert "3 directions in" in capsys.readouterr().out
    with Image.open(outdir / "sheet-seed0000.png") as sheet:
        assert sheet.width > 7 * 68 and sheet.height > 3 * 68
        grid = np.asarray(sheet)[-3 * 68 :, -7 * 68 :].reshape(3, 68, 7, 68)
    for row in (1, 2):  # the image itself in the middle of all rows
        np.testing.assert_array_equal(grid[row, :, 3], grid[0, :, 3])
        assert (grid[row, :, 0] != grid[row, :, 3]).any()

    assert run(snapshot, outdir, *options, "--name=2:light") == 0, "expected earlier names to stay"
    assert [direction.name for direction in read_directions(outdir).directions] == ["closed-form-0", "tilt", "light"]
    capsys.readouterr()
    assert run(snapshot, outdir, "--method=pca", "--count=2") == 1, "expected names not to get lost"
    assert "with other directions that were given names (tilt, light)" in capsys.readouterr().err


def test_an_official_file(tmp_path, capsys):
    assert run(OFFICIAL, tmp_path, "--method=pca", "--count=2") == 0
    assert [direction.name for direction in read_directions(tmp_path).directions] == ["pca-0", "pca-1"]
    entry = json.loads((tmp_path / "directions.json").read_text())["directions"][0]
    assert entry["layers"] == [0, 15] and entry["sigma"] > 0


@pytest.mark.parametrize(
    "options, message",
    [
        (["--layers=3-9"], "--layers: found 3 to 9, expected some of 0 to 5, those of the network"),
        (["--layers=3-1"], "--layers: found '3-1', expected the first and the last layer such as 0-3"),
        (["--layers=5"], "--layers: found 5 to 5, which make no features"),
        (["--count=9"], "--count: found 9, expected 1 to 8"),
        (["--name=2:7", "--count=3"], "--name: found the name '7', expected up to 60 letters"),
        (["--name=smile"], "--name: found 'smile', expected numbers and names such as 3:smile,5:age"),
        (["--name=3:smile", "--count=3"], "--name: found number 3, expected 0 to 2"),
        (["--method=svd"], "--method: found 'svd', expected closed-form or pca"),
        (["--class=9"], "--class: found 9, expected 0 to 2"),
    ],
)
def test_one_line_errors(snapshot, tmp_path, options, message, capsys):
    assert run(snapshot, tmp_path / "out", "--count=2", *options) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {message}") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_damaged_file_of_earlier_directions(snapshot, tmp_path, capsys):
    (tmp_path / "directions.json").write_text("{}")
    assert run(snapshot, tmp_path, "--count=2") == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Error: --outdir: {tmp_path / 'directions.json'}: found no directions")
