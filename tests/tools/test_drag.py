"""sg_keras.tools.drag."""

import pathlib

import numpy as np
import pytest
from PIL import Image

import sg_keras
from sg_keras.inference import StyleRenderer, generate, read_styles, write_styles
from sg_keras.tools import drag

OFFICIAL = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles" / "sg3t_32_proto4_numpy2.pkl"


def run(snapshot, outdir, *options):
    return drag.main([f"--network={snapshot}", f"--outdir={outdir}", *options])


def test_a_seed_and_styles_of_a_file(snapshot, tmp_path, capsys):
    words = ("--points=4,4>10,4;8,12>8,7", "--num-steps=2")
    assert run(snapshot, tmp_path / "one", "--seed=3", "--class=1", *words) == 0
    assert "2 steps, the farthest point is" in capsys.readouterr().out
    G = sg_keras.load(snapshot)["G_ema"]
    with Image.open(tmp_path / "one" / "before.png") as image:
        expected = next(generate(G, [3], [1]))[:, :, 0].astype(int)
        assert np.abs(np.asarray(image) - expected).max() <= 1
    ws = read_styles(tmp_path / "one" / "dragged_w.npz", G.num_ws, G.w_dim)
    with Image.open(tmp_path / "one" / "after.png") as image:
        assert np.abs(np.asarray(image) - next(StyleRenderer(G).images(ws))[:, :, 0].astype(int)).max() <= 1
    with Image.open(tmp_path / "one" / "arrows.png") as image, Image.open(tmp_path / "one" / "way.webp") as film:
        assert image.size == (512, 256) and film.size == (256, 256) and film.n_frames == 3
    write_styles(tmp_path / "w.npz", ws)
    Image.fromarray(np.full([16, 16], 255, np.uint8)).save(tmp_path / "mask.png")
    further = (f"--projected-w={tmp_path / 'w.npz'}", f"--mask={tmp_path / 'mask.png'}", "--save-video=0")
    assert run(snapshot, tmp_path / "two", *further, *words) == 0
    assert not (tmp_path / "two" / "way.webp").exists()


def test_an_official_file(tmp_path, capsys):
    assert run(OFFICIAL, tmp_path / "out", "--seed=1", "--points=8,8>12,8", "--num-steps=1", "--save-video=0") == 0
    assert "1 steps, the farthest point is" in capsys.readouterr().out
    with Image.open(tmp_path / "out" / "after.png") as image:
        assert image.size == (32, 32) and image.getextrema() != ((0, 0),) * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--points=4,4>10,4"], "--seed, --projected-w: found neither, expected one of them"),
        (["--points=4,4", "--seed=1"], "--points: found '4,4', expected points such as 10,12>20,12"),
        (["--points=4,4>40,4", "--seed=1"], "--points: found 40,4, expected a point from 0,0 to 15,15"),
        (["--points=4,4>8,4", "--seed=1", "--mask=nowhere.png"], "--mask: nowhere.png: "),
    ],
)
def test_errors(unconditional_snapshot, tmp_path, options, message, capsys):
    assert run(unconditional_snapshot, tmp_path / "out", *options) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {message}") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
