"""sg_keras.tools.calc_metrics, on folders and on networks."""

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from sg_keras.data import open_dataset
from sg_keras.export.saved_model import export_saved_model
from sg_keras.features import EfficientNetLite0, published
from sg_keras.metrics.reals import dataset_reals
from sg_keras.tools import calc_metrics
from sg_keras.tools.network_option import load_generator
from sg_keras.tools.scored_images import opened_reals
from tests.stand_in_networks import vgg16_weights, write_inception, write_vgg16
from tests.training.tiny_run import write_images


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("SG_KERAS_CACHE", str(folder))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Smooth noise, 24 in each, blurred more in one; one image is gray and of another size."""
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp("images")
    for name, size in (("real", 8), ("fake", 5)):
        (folder / name).mkdir()
        for number in range(24):
            small = Image.fromarray(random.integers(0, 256, [size, size, 3], np.uint8))
            small.resize((32, 32), Image.Resampling.BICUBIC).save(folder / name / f"{number:02d}.png")
    Image.fromarray(random.integers(0, 256, [20, 30], np.uint8)).save(folder / "real" / "99.png")
    (folder / "colours").mkdir()
    for path in (folder / "real").glob("[0-2]*.png"):
        shutil.copy(path, folder / "colours")
    return folder


def run(*words: str) -> int:
    return calc_metrics.main(list(words))


def last_line(capsys) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def independent(folder) -> tuple[float, float]:
    """fd and kd from the definitions, in float64: the root by eigenvalues of the product, and loops over pairs."""
    extractor = EfficientNetLite0()
    real, fake = (
        np.concatenate(
            [
                extractor.features(np.asarray(Image.open(path).convert("RGB"))[np.newaxis]).astype(np.float64)
                for path in sorted((folder / name).iterdir())
            ]
        )
        for name in ("real", "fake")
    )
    s, t = (np.cov(rows.T, bias=True) for rows in (real, fake))
    # The product's eigenvalues other than 0 are those of a small matrix: both have rank below 25.
    a, b = ((rows - rows.mean(0)) / np.sqrt(len(rows)) for rows in (real, fake))
    roots = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    fd = ((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * roots
    k = [(x @ y.T / 1280 + 1) ** 3 for x, y in ((real, real), (fake, fake), (real, fake))]
    within = [(m.sum() - np.trace(m)) / (len(m) * (len(m) - 1)) for m in k[:2]]
    return float(fd), float(sum(within) - 2 * k[2].mean())


def test_folders_as_an_independent_implementation_has_them(folders, capsys):
    words = (f"--images={folders / 'fake'}", f"--data={folders / 'real'}", "--metrics=fd24,kd24,mind24,coverage24")
    assert run(*words, "--json") == 0
    found = last_line(capsys)
    fd, kd = independent(folders)
    assert found["fd24"]["value"] == pytest.approx(fd, rel=0.02)
    assert found["kd24"]["value"] == pytest.approx(kd, rel=0.03)
    assert 0 <= found["coverage24"]["value"] <= 1 and found["mind24"]["low"] <= found["mind24"]["value"]
    fingerprint = found["fd24"]["fingerprint"]
    assert fingerprint["num_real"] == 25 and fingerprint["num_fake"] == 24 and fingerprint["divisor"] == "N"


def test_the_same_folder_is_at_distance_0_and_all_copies(folders, capsys, cache):
    words = (f"--images={folders / 'fake'}", f"--data={folders / 'fake'}", "--metrics=fd24,authpct24", "--json")
    assert run(*words) == 0
    lines = capsys.readouterr().out
    found = json.loads(lines.splitlines()[-1])
    assert found["fd24"]["value"] == pytest.approx(0, abs=1e-3) and found["authpct24"]["value"] == 0
    assert "as copies would" in lines
    kept = {path: path.stat().st_mtime_ns for path in cache.glob("features/*/*.npy")}
    assert len(kept) == 1
    assert run(*words) == 0
    assert last_line(capsys) == found
    assert {path: path.stat().st_mtime_ns for path in cache.glob("features/*/*.npy")} == kept


def test_a_conditional_network(snapshot, capsys, tmp_path):
    data = write_images(tmp_path / "data")
    words = (f"--network={snapshot}", f"--data={data}", "--metrics=kd20", "--json", "--no_cache")
    assert run(*words) == 0
    found = last_line(capsys)["kd20"]
    assert found["fingerprint"]["snapshot"] == str(snapshot) and found["fingerprint"]["noise_mode"] == "random"
    assert run(*words) == 0
    assert last_line(capsys)["kd20"]["value"] == found["value"]
    (data / "dataset.json").write_text(json.dumps({"labels": [[f"{n:02d}.png", n % 2] for n in range(24)]}))
    assert run(*words) == 1
    assert "found labels of width 2, expected 3, those of the network" in capsys.readouterr().err


def test_training_and_the_tool_know_the_same_images(tmp_path):
    """So what a run has seen is not seen again, and its scores compare with the tool's."""
    data = write_images(tmp_path / "data")
    for place in (str(data), "digits"):
        with opened_reals(place, mirror=True) as reals:
            assert [block.content for block in dataset_reals(open_dataset(place, mirror=True)).blocks()] == [
                block.content for block in reals.blocks()
            ]


def test_several_networks(unconditional_snapshot, stylegan3_snapshot, folders, capsys):
    networks = [str(unconditional_snapshot), str(stylegan3_snapshot)]
    assert (
        run(*(f"--network={name}" for name in networks), f"--data={folders / 'real'}", "--metrics=kd8", "--json") == 0
    )
    assert list(last_line(capsys)) == networks


def test_published_names_by_given_networks(folders, tmp_path, capsys):
    files = (
        f"--inception={write_inception(tmp_path / 'inception-2015-12-05.tgz')}",
        f"--vgg16={write_vgg16(tmp_path / 'vgg16.h5', vgg16_weights())}",
    )
    words = (f"--images={folders / 'fake'}", f"--data={folders / 'real'}", "--metrics=fid20_full,kid20_full,pr203_full")
    assert run(*words, *files, "--json") == 0
    lines = capsys.readouterr().out
    found = json.loads(lines.splitlines()[-1])
    assert list(found) == ["fid20_full", "kid20_full", "pr203_full_precision", "pr203_full_recall"]
    assert found["fid20_full"]["fingerprint"]["num_real"] == 25
    assert "not by the published VGG" in lines and "fid20_full of 16 images" not in lines


def test_equivariance_needs_neither_data_nor_another_network(stylegan3_snapshot, capsys):
    assert run(f"--network={stylegan3_snapshot}", "--metrics=eqt8_int,eqr8", "--json") == 0
    found = last_line(capsys)
    assert list(found) == ["eqt8_int", "eqr8"] and found["eqr8"]["low"] < found["eqr8"]["value"]


def test_without_the_network_one_line_names_it(folders, monkeypatch, capsys):
    nowhere = dataclasses.replace(published.INCEPTION_FILE, address="http://127.0.0.1:1/inception-2015-12-05.tgz")
    monkeypatch.setattr(published, "INCEPTION_FILE", nowhere)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert run(f"--images={folders / 'fake'}", f"--data={folders / 'real'}", "--metrics=fid20") == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "inception-2015-12-05.tgz" in line and nowhere.address in line and "fd5k and kd5k need no file" in line


def test_the_features_of_a_discriminator(unconditional_snapshot, folders, capsys):
    words = (f"--images={folders / 'fake'}", f"--data={folders / 'real'}", "--metrics=kd20", "--json")
    gray = f"--features=discriminator:{unconditional_snapshot}"
    assert run(*words, gray) == 1
    assert "found 3 channels, expected 1, which the discriminator was trained on" in capsys.readouterr().err
    words = (f"--network={unconditional_snapshot}", "--data=digits", "--metrics=kd20", "--json")
    assert run(*words, gray) == 0
    fingerprint = last_line(capsys)["kd20"]["fingerprint"]
    assert fingerprint["extractor"] == "discriminator" and fingerprint["num_features"] == 8


def test_a_reference_stands_for_the_reals(folders, tmp_path, capsys):
    stats = tmp_path / "stats.npz"
    words = (
        f"--images={folders / 'fake'}",
        f"--reference={stats}",
        "--features=boxes",
        "--metrics=fd20,kd20",
        "--json",
    )
    data = f"--data={folders / 'colours'}"
    assert run(*words) == 1
    assert "--data: found none, expected the reals" in capsys.readouterr().err
    found = []
    for more in ([data, "--no_cache"], ["--no_cache"], [data]):
        assert run(*words, *more) == 0
        found.append(last_line(capsys))
    assert found[0] == found[1] == found[2]
    for more, message in (
        (["--features=effnetlite0"], "found features by boxes "),
        (["--mirror"], "found no copies among the reals, expected mirrored ones"),
        ([f"--data={folders / 'fake'}"], "found features of other images than those of"),
    ):
        assert run(*words, *more) == 1
        line = capsys.readouterr().err.splitlines()[-1]
        assert f"--reference: {stats}: {message}" in line
    stats.write_bytes(b"PK")
    assert run(*words) == 1
    assert f"--reference: {stats}: found another file" in capsys.readouterr().err


def test_the_curve_of_several_snapshots(unconditional_snapshot, tmp_path, capsys):
    later = tmp_path / "network-snapshot-000020"
    shutil.copytree(unconditional_snapshot, later)
    networks = [f"--network={name}" for name in (unconditional_snapshot, later)]
    words = ("--data=digits", "--features=boxes", "--metrics=kd10,coverage10", f"--curve={tmp_path / 'curve.png'}")
    assert run(*networks, *words) == 0
    with (tmp_path / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["kimg"], row["score"]) for row in rows] == [
        (kimg, score) for kimg in ("2", "20") for score in ("kd10_boxes", "coverage10_boxes")
    ]
    assert all(float(row["low"]) <= float(row["value"]) <= float(row["high"]) for row in rows)
    with Image.open(tmp_path / "curve.png") as image:
        assert image.size[0] > 500
    assert "curve.csv and" in capsys.readouterr().out


def test_against_an_earlier_score(folders, tmp_path, capsys):
    words = (f"--data={folders / 'colours'}", "--features=boxes", "--json")
    assert run(f"--images={folders / 'fake'}", *words, "--metrics=kd20,fd20") == 0
    (tmp_path / "before.txt").write_text(capsys.readouterr().out)
    against = f"--against={tmp_path / 'before.txt'}"
    assert run(f"--images={folders / 'colours'}", *words, "--metrics=kd20", against) == 0
    assert "before, now" in capsys.readouterr().out
    assert run(f"--images={folders / 'fake'}", *words, "--metrics=kd20", "--mirror", against) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "kd20 cannot be compared: real: found " in line and "num_real: found 24 and 48" in line
    (tmp_path / "before.txt").write_text("nothing")
    assert run(f"--images={folders / 'fake'}", *words, "--metrics=kd20", against) == 1
    assert "found no scores in its last line" in capsys.readouterr().err


def test_networks_of_different_data_are_not_one_table(unconditional_snapshot, tmp_path, capsys):
    random, networks = np.random.default_rng(0), []
    for name in ("one", "other"):
        (tmp_path / f"images of {name}").mkdir()
        for number in range(10):
            pixels = random.integers(0, 256, [16, 16], np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"images of {name}" / f"{number}.png")
        snapshot = shutil.copytree(unconditional_snapshot, tmp_path / name)
        config = json.loads((snapshot / "training_config.json").read_text())
        config["dataset"]["path"] = str(tmp_path / f"images of {name}")
        (snapshot / "training_config.json").write_text(json.dumps(config))
        networks.append(f"--network={snapshot}")
    assert run(*networks, "--metrics=kd2", "--features=boxes") == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"--network={tmp_path / 'other'}: kd2 cannot be compared: real: found" in line


def test_averages_of_gray_and_coloured_images_do_not_mix(folders, unconditional_snapshot, capsys):
    words = (f"--data={folders / 'real'}", "--features=boxes", "--metrics=kd20")
    assert run(f"--images={folders / 'fake'}", *words) == 1
    assert "64 features and some of which there are 192, expected all gray or all in col" in capsys.readouterr().err
    words = (f"--data={folders / 'colours'}", "--features=boxes", "--metrics=kd20")
    assert run(f"--network={unconditional_snapshot}", *words) == 1
    assert "fake features: found 64 columns, expected those of the reals, 192" in capsys.readouterr().err


def test_averages_see_layout_alone(folders, capsys):
    words = (f"--images={folders / 'fake'}", f"--data={folders / 'fake'}", "--features=boxes")
    assert run(*words, "--metrics=fd24,kd24", "--json") == 0
    found = last_line(capsys)
    assert found["fd24"]["fingerprint"]["extractor"] == "boxes"
    assert found["fd24"]["value"] == pytest.approx(0, abs=1e-4)
    assert run(*words, "--metrics=is24") == 1
    assert "is24: found features without classes" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, message",
    [
        (
            ["--images={f}/fake", "--data={f}/real", "--metrics=fd1k"],
            "found 24 images, expected 1000 at least for fd1k",
        ),
        (["--images={f}/fake", "--metrics=fd10"], "--data: found none, expected the reals"),
        (["--metrics=fd10"], "--network, --images: found neither, expected one of them"),
        (
            ["--images={f}/fake", "--data={f}/real", "--metrics=kd10", "--against={f}/none"],
            "none: found nothing there",
        ),
        (["--images={f}/none", "--data={f}/real", "--metrics=fd10"], "--images: "),
        (["--images={f}/fake", "--data={f}/real", "--metrics=fid10_fool"], "found 'fid10_fool', expected some of"),
        (
            ["--images={f}/fake", "--data={f}/real", "--metrics=fid10", "--inception={f}/none.pb"],
            "none.pb: found nothing there",
        ),
        (["--images={f}/fake", "--data={f}/real", "--metrics=kd10", "--features=vgg"], "--features: found 'vgg', exp"),
        (["--images={f}/fake", "--data={f}/real", "--metrics=eqr10"], "eqr10: found images alone, expected a network"),
        (["--network={f}/fake", "--data={f}/real", "--metrics=fd10"], "--network: "),
    ],
)
def test_errors_are_one_line(words, message, folders, capsys):
    assert run(*(word.format(f=folders) for word in words)) == 1
    errors = capsys.readouterr().err.splitlines()
    assert errors[-1].startswith("Error: ") and message in errors[-1]


def test_an_image_that_cannot_be_read_is_named(folders, tmp_path, capsys):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert run(f"--images={tmp_path / 'bad'}", f"--data={folders / 'real'}", "--metrics=kd1") == 1
    assert "a.png: found" in capsys.readouterr().err


def test_a_savedmodel_has_the_score_of_its_network(unconditional_snapshot, folders, tmp_path, capsys):
    export_saved_model(load_generator(str(unconditional_snapshot), "reference"), tmp_path / "exported")
    shutil.copytree(folders / "fake", tmp_path / "reals")
    words = [f"--data={tmp_path / 'reals'}", "--features=boxes", "--metrics=kd20", "--noise-mode=const", "--json"]
    for path in (tmp_path / "reals").iterdir():
        Image.open(path).convert("L").save(path)
    found = []
    for network in (unconditional_snapshot, tmp_path / "exported"):
        assert run(f"--network={network}", *words, "--ops=reference") == 0
        found.append(last_line(capsys)["kd20"])
    assert found[1]["value"] == pytest.approx(found[0]["value"], rel=1e-4)
    assert found[1]["fingerprint"]["noise_mode"] == "const"
    assert run(f"--network={tmp_path / 'exported'}", "--metrics=kd20") == 1
    assert "--data: found none, and" in capsys.readouterr().err
    (tmp_path / "exported" / "description.json").unlink()
    assert run(f"--network={tmp_path / 'exported'}", *words) == 1
    assert "found a SavedModel without a description.json of ours" in capsys.readouterr().err
