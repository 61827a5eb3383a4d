"""sg_keras.tools.calc_metrics, on folders and on networks."""

import json

import numpy as np
import pytest
from PIL import Image

from sg_keras.features import EfficientNetLite0
from sg_keras.tools import calc_metrics
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


def test_several_networks(unconditional_snapshot, stylegan3_snapshot, folders, capsys):
    networks = [str(unconditional_snapshot), str(stylegan3_snapshot)]
    assert (
        run(*(f"--network={name}" for name in networks), f"--data={folders / 'real'}", "--metrics=kd8", "--json") == 0
    )
    assert list(last_line(capsys)) == networks


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
        (["--images={f}/none", "--data={f}/real", "--metrics=fd10"], "--images: "),
        (["--images={f}/fake", "--data={f}/real", "--metrics=fid50k_full"], "a published score"),
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
