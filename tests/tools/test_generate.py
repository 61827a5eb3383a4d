"""sg_keras.tools.generate."""

import json
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

import sg_keras
from sg_keras import inference
from sg_keras.tools import generate
from tests.tiny_generator import tiny_generator
from tests.weights.official_files import write_official
from tests.weights.test_official_networks import tiny_networks

OFFICIAL = pathlib.Path(__file__).parents[1] / "fixtures" / "golden" / "pickles"


def rgba_pickle(tmp_path):
    shape = {"c_dim": 3, "img_channels": 4}
    return write_official(tmp_path / "rgba.pkl", tiny_networks(shape, shape))


def wide_stylegan3(tmp_path):
    tiny_generator(c_dim=0, channels=3, cfg="stylegan3-r", resolution=(16, 24)).save(tmp_path / "wide.keras")
    return tmp_path / "wide.keras"


def assert_shows(image, G, seed, class_index=None, *, psi=0.5, where=..., **options):
    """But for rounding, since the network is not compiled here."""
    c = None if class_index is None else inference.class_label(class_index, G.c_dim)
    made = G(inference.latent(seed, G.z_dim).astype(np.float32), c, truncation_psi=psi, **options)
    assert np.abs(image.astype(int) - inference.to_uint8(made.numpy()[0])[where]).max() <= 1


def run(snapshot, outdir, *options):
    return generate.main([f"--network={snapshot}", f"--outdir={outdir}", *options])


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)[:, :, None]


def test_images_and_grid(snapshot, tmp_path, capsys):
    assert run(snapshot, tmp_path / "new" / "out", "--seeds=0,2-3", "--class=1", "--trunc=0.7") == 0
    folder = tmp_path / "new" / "out"
    assert sorted(path.name for path in folder.iterdir()) == [
        "grid.png",
        "seed0000.png",
        "seed0002.png",
        "seed0003.png",
    ]
    G = sg_keras.load(snapshot)["G_ema"]
    expected = list(inference.generate(G, [0, 2, 3], [1, 1, 1], truncation_psi=0.7))
    for seed, expected_image in zip([0, 2, 3], expected, strict=True):
        np.testing.assert_array_equal(read(folder / f"seed{seed:04d}.png"), expected_image)
    np.testing.assert_array_equal(read(folder / "grid.png"), inference.tile(np.stack(expected), 2))
    assert f"3 images and grid.png in {folder}" in capsys.readouterr().out


def test_all_classes_by_turns_unless_told(snapshot, tmp_path, capsys):
    assert run(snapshot, tmp_path, "--seeds=7", "--ops=reference") == 0
    G = sg_keras.load(snapshot, ops="reference")["G_ema"]
    np.testing.assert_array_equal(read(tmp_path / "seed0007.png"), next(inference.generate(G, [7], [1])))
    assert "--class=N (0 to 2)" in capsys.readouterr().out


def test_without_classes(unconditional_snapshot, tmp_path):
    assert run(unconditional_snapshot, tmp_path, "--seeds=12345", "--noise-mode=random") == 0
    assert (tmp_path / "seed12345.png").is_file()


@pytest.mark.parametrize(
    "options, message",
    [
        (["--class=3"], "Error: --class: found 3, expected 0 to 2, the classes of the network"),
        (["--network=nowhere"], "Error: --network: found 'nowhere', which does not exist, expected a run directory"),
    ],
)
def test_errors(snapshot, tmp_path, options, message, capsys):
    assert run(snapshot, tmp_path / "out", "--seeds=0", *options) == 1
    error = capsys.readouterr().err
    assert error.startswith(message) and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_class_for_a_network_without(unconditional_snapshot, tmp_path, capsys):
    assert run(unconditional_snapshot, tmp_path / "out", "--seeds=0", "--class=0") == 1
    assert capsys.readouterr().err == "Error: --class: found 0, expected none, since the network is not conditional\n"


def test_images_are_moved(stylegan3_snapshot, tmp_path):
    assert run(stylegan3_snapshot, tmp_path, "--seeds=4", "--translate=-0.25,0.5", "--rotate", "-30") == 0
    transform = inference.inverse_transform((-0.25, 0.5), -30)
    G = sg_keras.load(stylegan3_snapshot)["G_ema"]
    moved, still = (next(inference.generate(G, [4], transform=t)) for t in (transform, None))
    np.testing.assert_array_equal(read(tmp_path / "seed0004.png"), moved)
    assert np.any(moved != still)


@pytest.mark.parametrize("option", ["--translate=0.1,0", "--rotate=10"])
def test_stylegan2_cannot_be_moved(unconditional_snapshot, tmp_path, option, capsys):
    assert run(unconditional_snapshot, tmp_path / "out", "--seeds=0", option) == 1
    name = option.partition("=")[0]
    assert capsys.readouterr().err.startswith(f"Error: {name}: found it with StyleGAN2, expected StyleGAN3")
    assert not (tmp_path / "out").exists()


def test_labels_that_are_vectors(snapshot, tmp_path, capsys):
    assert run(snapshot, tmp_path / "one", "--seeds=7", "--label=0.5,-1,2") == 0
    G = sg_keras.load(snapshot)["G_ema"]
    label = np.array([[0.5, -1, 2]], np.float32)
    np.testing.assert_array_equal(
        read(tmp_path / "one" / "seed0007.png"), next(inference.generate(G, [7], labels=label))
    )
    assert run(snapshot, tmp_path / "out", "--seeds=7", "--label", "-1,2") == 1
    assert capsys.readouterr().err.startswith("Error: --label: found 2 numbers, expected 3, the width")

    folder = tmp_path / "network-snapshot-000009"
    shutil.copytree(snapshot, folder)
    config = json.loads((folder / "training_config.json").read_text())
    config["dataset"] |= {"label_kind": "vectors", "label_examples": [1, 0, 0, 0.5, -1, 2]}
    (folder / "training_config.json").write_text(json.dumps(config))
    capsys.readouterr()
    assert run(folder, tmp_path / "turns", "--seeds=7") == 0
    printed = capsys.readouterr().out
    assert "--label=1,0,0 or other 3 numbers shows one label" in printed and "class" not in printed
    np.testing.assert_array_equal(read(tmp_path / "turns" / "seed0007.png"), read(tmp_path / "one" / "seed0007.png"))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_rows_of_classes_and_truncations(snapshot, tmp_path, capsys):
    options = ("--class=all", "--truncs=0.5,1", "--noise-mode=none")
    assert run(snapshot, tmp_path, "--seeds=0-1", *options, "--sheet", "--save_w") == 0
    stems = [f"seed000{seed}-class{k}-{psi}" for seed in (0, 1) for k in (0, 1, 2) for psi in ("0.5", "1")]
    files = [f"{stem}{suffix}" for stem in stems for suffix in (".png", ".npz")]
    assert names_in(tmp_path) == sorted([*files, "grid.png", "sheet.png"])
    assert f"12 images, grid.png and sheet.png in {tmp_path}" in capsys.readouterr().out
    G = sg_keras.load(snapshot)["G_ema"]
    expected = read(tmp_path / "seed0001-class2-0.5.png")
    assert_shows(expected, G, 1, 2, noise_mode="none")
    grid = read(tmp_path / "grid.png")
    assert grid.shape == (6 * 16, 2 * 16, 1)
    np.testing.assert_array_equal(grid[4 * 16 : 5 * 16, 16:], expected)
    sheet = read(tmp_path / "sheet.png")
    assert sheet.shape[0] > 6 * 96 and sheet.shape[1] > 2 * 96

    styles = tmp_path / "seed0001-class2-0.5.npz"
    assert run(snapshot, tmp_path / "again", f"--projected-w={styles}", "--truncs=0,1", "--noise-mode=none") == 0
    assert names_in(tmp_path / "again") == ["grid.png", "w0000-0.png", "w0000-1.png"]
    np.testing.assert_array_equal(read(tmp_path / "again" / "w0000-1.png"), expected)
    assert_shows(read(tmp_path / "again" / "w0000-0.png"), G, 1, 2, psi=0, noise_mode="none")


@pytest.mark.parametrize("file_format, suffix", [("jpeg", ".jpg"), ("webp", ".webp")])
def test_formats_and_sizes(unconditional_snapshot, tmp_path, file_format, suffix):
    assert run(unconditional_snapshot, tmp_path, "--seeds=3", f"--format={file_format}", "--size=40x24") == 0
    assert names_in(tmp_path) == ["grid.png", f"seed0003{suffix}"]
    with Image.open(tmp_path / f"seed0003{suffix}") as image:
        pixels = np.asarray(image.convert("L")).astype(int)
    assert pixels.shape == (24, 40)
    assert np.abs(pixels - read(tmp_path / "grid.png")[:, :, 0]).max() <= (8 if file_format == "jpeg" else 0)


@pytest.mark.parametrize(
    "options, message",
    [
        (["--trunc=0.5", "--truncs=0.5,1", "--seeds=0"], "--trunc: found it beside --truncs, expected one of them"),
        (["--truncs=0.5,x", "--seeds=0"], "--truncs: found '0.5,x', expected numbers such as 0.5,0.7,1"),
        ([], "--seeds: found nothing, expected seeds such as 0-15, or --projected-w=FILE.npz"),
        (
            ["--projected-w=w.npz", "--seeds=0"],
            "--seeds: found it beside --projected-w, expected seeds, or styles",
        ),
        (["--projected-w=w.npz"], "--projected-w: w.npz: found w [1, 6, 9], expected [N, 6, 8], the styles of the"),
        (["--projected-w=nothing.npz"], "--projected-w: nothing.npz: found nothing there (No such file or directory)"),
        (["--projected-w=good.npz", "--class=1"], "--class: found it beside --projected-w, expected seeds, or styles"),
        (["--size=0x4", "--seeds=0"], "--size: found '0x4', expected WIDTHxHEIGHT"),
        (["--format=gif", "--seeds=0"], "--format: found 'gif', expected png, jpeg or webp"),
        (["--batch=0", "--seeds=0"], "--batch: found 0, expected a whole number, 1 or more"),
    ],
)
def test_more_errors(snapshot, tmp_path, options, message, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("w.npz", w=np.zeros([1, 6, 9], np.float32))
    np.savez("good.npz", w=np.zeros([1, 6, 8], np.float32))
    assert run(snapshot, tmp_path / "out", *options) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Error: {message}") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_all_classes_of_a_network_without(unconditional_snapshot, tmp_path, capsys):
    assert run(unconditional_snapshot, tmp_path / "out", "--seeds=0", "--class=all") == 1
    assert (
        capsys.readouterr().err == "Error: --class: found 'all', expected none, since the network is not conditional\n"
    )


@pytest.mark.parametrize(
    "network, options",
    [
        (lambda _: OFFICIAL / "tf1_sg2_32.pkl", ["--truncs=0.5,1"]),
        (lambda _: OFFICIAL / "sg3t_32_proto4_numpy2.pkl", ["--class=2", "--truncs=0.5,1", "--size=64x48"]),
        (rgba_pickle, ["--class=2", "--truncs=0.5,1", "--sheet"]),
        (wide_stylegan3, ["--truncs=0.5,1", "--translate=0.1,0"]),
    ],
)
def test_networks_of_all_kinds(network, options, tmp_path):
    path = network(tmp_path)
    assert run(path, tmp_path / "out", "--seeds=3", *options) == 0
    G = sg_keras.weights.load(path, names=["G_ema"])["G_ema"]
    with Image.open(tmp_path / "out" / "seed0003-0.5.png") as image:
        assert len(image.getbands()) == G.img_channels
        shown = np.asarray(image).reshape(image.height, image.width, G.img_channels)
    with Image.open(tmp_path / "out" / "grid.png") as grid:
        assert grid.size == (shown.shape[1], 2 * shown.shape[0])
    where = (slice(None), slice(None))
    if "--size=64x48" in options:
        assert shown.shape[:2] == (48, 64)
        where = (slice(8, -8), slice(8, -8))  # of its own image, whose edges are not the same
        shown = shown[16:32, 24:40]
    moved = {"transform": inference.inverse_transform((0.1, 0))} if "--translate=0.1,0" in options else {}
    class_index = None if G.c_dim == 0 else 2 if "--class=2" in options else 3 % G.c_dim
    assert_shows(shown, G, 3, class_index, where=where, **moved)


def test_rgba_images_are_no_jpeg(tmp_path, capsys):
    assert run(rgba_pickle(tmp_path), tmp_path / "out", "--seeds=3", "--class=0", "--format=jpeg") == 1
    assert capsys.readouterr().err.startswith("Error: --format: found jpeg for RGBA images, expected png or webp")
