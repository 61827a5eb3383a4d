"""sg_keras.tools.project."""

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

import sg_keras
from sg_keras.inference import StyleRenderer, read_styles
from sg_keras.tools import project

OFFICIAL = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles" / "tf1_sg2_32.pkl"
FEW = "--num-steps=3"


def run(snapshot, target, outdir, *options):
    return project.main([f"--network={snapshot}", f"--target={target}", f"--outdir={outdir}", *options])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three images of other sizes and colours than the network's."""
    place = tmp_path_factory.mktemp("images")
    (place / "sub").mkdir()
    random = np.random.default_rng(0)
    for name, shape in (("a.png", [20, 30, 3]), ("a.jpg", [16, 16, 3]), ("sub/b.png", [40, 17, 4])):
        Image.fromarray(random.integers(0, 256, shape, np.uint8)).save(place / name)
    return place


def test_a_folder_goes_on_where_it_was_killed(snapshot, folder, tmp_path, capsys):
    words = ("--class=1", FEW, "--loss=pixel", "--batch=2")
    assert run(snapshot, folder, tmp_path / "out", *words) == 0
    assert "3 images projected in" in capsys.readouterr().out
    places = [tmp_path / "out" / name for name in ("a.png", "a.jpg", "sub/b")]
    names = ["comparison.png", "distances.json", "proj.png", "projected_w.npz", "target.png"]
    assert all(sorted(path.name for path in place.iterdir()) == names for place in places)
    G = sg_keras.load(snapshot)["G_ema"]
    ws = read_styles(places[0] / "projected_w.npz", G.num_ws, G.w_dim)
    with Image.open(places[0] / "proj.png") as image:
        np.testing.assert_array_equal(np.asarray(image), next(StyleRenderer(G).images(ws))[:, :, 0])
    with Image.open(places[0] / "comparison.png") as image:
        assert image.size == (32, 16)
    distances = json.loads((places[0] / "distances.json").read_text())
    assert distances["pixel"] > 0 and distances["effnet"] > 0

    (places[1] / "distances.json").unlink()  # as if it had been killed there
    kept = (places[0] / "distances.json").stat().st_mtime_ns
    assert run(snapshot, folder, tmp_path / "out", *words) == 0
    assert "3 images projected, 2 of them before in" in capsys.readouterr().out
    assert (places[1] / "distances.json").is_file()
    assert (places[0] / "distances.json").stat().st_mtime_ns == kept

    assert run(snapshot, folder, tmp_path / "out", *words, "--space=w+") == 1
    assert "found a projection with another space (w), expected w+" in capsys.readouterr().err


def test_an_official_file(folder, tmp_path):
    assert run(OFFICIAL, folder / "a.png", tmp_path / "out", FEW, "--loss=pixel") == 0
    with Image.open(tmp_path / "out" / "proj.png") as image:
        assert image.size == (32, 32)


@pytest.mark.parametrize("which", ["unconditional_snapshot", "stylegan3_snapshot"])
def test_one_image_with_tuning_and_film(which, folder, tmp_path, request):
    network = request.getfixturevalue(which)
    words = ("--space=w+", "--loss=discriminator+pixel", FEW, "--tune", "--tune-steps=2", "--save-video")
    assert run(network, folder / "a.png", tmp_path / "out", *words) == 0
    tuned = sg_keras.load(tmp_path / "out" / "tuned")["G_ema"]
    ws = read_styles(tmp_path / "out" / "projected_w.npz", tuned.num_ws, tuned.w_dim)
    with Image.open(tmp_path / "out" / "tuned.png") as image:
        np.testing.assert_array_equal(np.asarray(image), next(StyleRenderer(tuned).images(ws))[:, :, 0])
    with Image.open(tmp_path / "out" / "way.webp") as film:
        assert film.size == (256, 128) and film.n_frames == 3
    assert json.loads((tmp_path / "out" / "distances.json").read_text())["tuned"]["steps"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--class: found none, expected 0 to 2, since the network is conditional"),
        (["--class=7"], "--class: found 7, expected 0 to 2"),
        (["--class=1", "--target=nowhere"], "--target: nowhere: found nothing there"),
        (["--class=1", "--num-steps=0"], "--num-steps: found 0, expected"),
        (["--class=1", "--loss=vgg16+pixel", "--vgg16=nowhere.h5"], "--vgg16: nowhere.h5: "),
    ],
)
def test_errors(snapshot, folder, tmp_path, options, message, capsys):
    assert run(snapshot, folder / "a.png", tmp_path / "out", *options) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {message}") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
