"""sg_keras.tools.activations."""

import pathlib

import numpy as np
import pytest
from PIL import Image

import sg_keras
from sg_keras.inference import ActivationReader, latents, styles
from sg_keras.tools import activations

OFFICIAL = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles" / "sg3t_32_proto4_numpy2.pkl"


def run(network, outdir, *options):
    return activations.main([f"--network={network}", f"--outdir={outdir}", *options])


def test_images_spectra_and_films(snapshot, tmp_path, capsys):
    outdir = tmp_path / "new" / "out"
    options = ["--layers=b16.conv1,image", "--channels=0,2-3", "--class=1", "--seeds=3,5", "--film", "--frames=4"]
    assert run(snapshot, outdir, *options) == 0
    names = {f"{layer}{end}" for layer in ("b16.conv1", "image") for end in (".png", "-spectrum.png", ".webp")}
    assert {path.name for path in outdir.iterdir()} == names
    assert "of b16.conv1, image in" in capsys.readouterr().out
    with Image.open(outdir / "b16.conv1.png") as sheet:
        assert sheet.size == (2 * 66, 2 * 66)  # two by two places of 16 pixels, enlarged fourfold, with gaps
        shown = np.asarray(sheet)[:64:4, :64:4].astype(float)
    G = sg_keras.load(snapshot)["G_ema"]
    ws = styles(G, latents([3], G.z_dim), np.eye(3, dtype=np.float32)[1:2])
    channel = ActivationReader(G, ["b16.conv1"]).maps(ws)["b16.conv1"][0, :, :, 0]
    assert np.corrcoef(shown.ravel(), channel.ravel())[0, 1] > 0.98
    with Image.open(outdir / "b16.conv1.webp") as film:
        assert film.n_frames == 8


def test_all_layers_of_an_official_file(tmp_path):
    assert run(OFFICIAL, tmp_path) == 0
    G = sg_keras.load(OFFICIAL)["G_ema"]
    layers = ["input", *(planned.name for planned in G.synthesis.plan.layers), "image"]
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{n}{end}" for n in layers for end in (".png", "-spectrum.png")
    }


@pytest.mark.parametrize(
    "options, message",
    [
        (["--layers=b16.conv2"], "--layers: found 'b16.conv2', expected a layer of the network (b16.conv1"),
        (["--layers=,"], "--layers: found ',', expected names of layers"),
        (["--channels=90-99"], "--channels: found 90 and more, expected 0 to 7, those of b4.conv1"),
        (["--film"], "--film: found 1 seed, expected --seeds of two at least"),
        (["--frames=0"], "--frames: found 0, expected a whole number, 1 or more"),
        (["--class=9"], "--class: found 9, expected 0 to 2"),
    ],
)
def test_one_line_errors(snapshot, tmp_path, options, message, capsys):
    assert run(snapshot, tmp_path / "out", *options) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {message}") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
