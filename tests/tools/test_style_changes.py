"""--direction and --centres of the tools that draw images."""

import numpy as np
import pytest
from PIL import Image

import sg_keras
from sg_keras.inference import (
    StyleRenderer,
    latents,
    moved_styles,
    principal_directions,
    renamed,
    styles,
    truncate_to_centres,
    truncation_centres,
    write_directions,
)
from sg_keras.tools import generate
from sg_keras.tools.style_changes import direction_files, film_changes


@pytest.fixture(scope="module")
def directions(unconditional_snapshot, tmp_path_factory):
    """A file of two directions of the network, smile and pca-1."""
    G = sg_keras.load(unconditional_snapshot)["G_ema"]
    folder = tmp_path_factory.mktemp("directions")
    return write_directions(folder, renamed(principal_directions(G, 2, layers=(1, 3)), {0: "smile"}))


def run(network, outdir, *options):
    return generate.main([f"--network={network}", f"--outdir={outdir}", "--seeds=0,2", *options])


def images_in(folder):
    return [np.asarray(Image.open(folder / f"seed{seed:04d}.png"))[:, :, np.newaxis] for seed in (0, 2)]


def test_images_moved_and_truncated_to_centres(unconditional_snapshot, directions, tmp_path):
    options = [
        f"--directions={directions}",
        "--direction=smile:2,1:-0.5",
        "--centres=3",
        "--trunc=0.6",
        "--trunc-cutoff=4",
    ]
    assert run(unconditional_snapshot, tmp_path / "both", *options) == 0
    G = sg_keras.load(unconditional_snapshot)["G_ema"]
    ws = styles(G, latents([0, 2], G.z_dim), np.zeros([2, 0]))
    ws = truncate_to_centres(ws, truncation_centres(G, 3), 0.6, 4)
    ws = moved_styles(ws, principal_directions(G, 2, layers=(1, 3)), [2, -0.5])
    for found, expected in zip(images_in(tmp_path / "both"), StyleRenderer(G).images(ws), strict=True):
        assert np.abs(found.astype(int) - expected).max() <= 1


def test_one_centre_is_the_mean_and_no_amount_moves_nothing(unconditional_snapshot, directions, tmp_path):
    assert run(unconditional_snapshot, tmp_path / "plain") == 0
    assert (
        run(unconditional_snapshot, tmp_path / "moved", f"--directions={directions.parent}", "--direction=smile:0") == 0
    )
    assert run(unconditional_snapshot, tmp_path / "centre", "--centres=1", "--trunc=0") == 0
    for plain, moved in zip(images_in(tmp_path / "plain"), images_in(tmp_path / "moved"), strict=True):
        np.testing.assert_array_equal(moved, plain)
    first, second = images_in(tmp_path / "centre")
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    "options, message",
    [
        (["--directions=FILE", "--direction=smlie:2"], "--direction: found no 'smlie', did you mean smile?"),
        (["--directions=FILE", "--direction=smile"], "--direction: found 'smile', expected names and amounts such as"),
        (["--directions=FILE"], "--direction: found none, expected names of directions and amounts such as smile:2.0"),
        (["--direction=smile:1"], "--directions: found none, expected directions.json"),
        (["--directions=nowhere.json", "--direction=smile:1"], "--directions: nowhere.json: "),
        (["--centres=0"], "--centres: found 0, expected a whole number, from 1 to 1000"),
    ],
)
def test_one_line_errors(unconditional_snapshot, directions, tmp_path, monkeypatch, options, message, capsys):
    monkeypatch.chdir(tmp_path)
    typed = [option.replace("FILE", str(directions)) for option in options]
    assert run(unconditional_snapshot, tmp_path / "out", *typed) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {message}") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_directions_of_another_network(snapshot, stylegan3_snapshot, directions, tmp_path, capsys):
    """A note where they fit, an error where they do not."""
    content = directions.read_text().replace('"network": ""', '"network": "0"')
    (tmp_path / "directions.npz").write_bytes(directions.with_suffix(".npz").read_bytes())
    (tmp_path / "directions.json").write_text(content)
    assert run(snapshot, tmp_path / "out", f"--directions={tmp_path}", "--direction=smile:1", "--class=0") == 0
    assert "was made with another network" in capsys.readouterr().out
    (tmp_path / "directions.json").write_text(content.replace("3\n", "9\n"))
    assert run(stylegan3_snapshot, tmp_path / "none", f"--directions={tmp_path}", "--direction=smile:1") == 1
    error = capsys.readouterr().err
    assert error.startswith(
        "Error: --directions: direction smile: found a width of 8 and layers up to 9, expected 8 and"
    )


def test_what_films_take_of_the_options(unconditional_snapshot, directions):
    G = sg_keras.load(unconditional_snapshot)["G_ema"]
    values = {"direction": (("smile", 2.0),), "directions": str(directions.parent), "swings": 0}
    values["audio_drives"] = (("loud", "smile", 1.0),)
    (change,) = film_changes(values, G, 10, {})  # without a sound
    ws = np.zeros([3, 1, G.num_ws, G.w_dim])
    expected = moved_styles(ws[:, 0], principal_directions(G, 1, layers=(1, 3)), [2])
    np.testing.assert_allclose(change(np.arange(3), ws)[:, 0], expected, atol=1e-6)
    assert direction_files(values) == [str(directions), str(directions.with_suffix(".npz"))]
    nothing = {"direction": None, "directions": None, "swings": 1, "audio_drives": ()}
    assert film_changes(nothing, G, 10, {}) == [] and direction_files(nothing) == []
