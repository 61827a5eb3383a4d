"""The mixed set, through all three verbs, and the sheet of what filters keep."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys

import pytest

from examples import curation_sheet, mixed_images
from sg_keras.data import open_dataset
from sg_keras.tools import dataset
from tests.curation.drawn_set import Seen

ROOT = pathlib.Path(__file__).parents[2]
CLASSES = {"temple", "flower", "drawing"}
with_npm = pytest.mark.skipif(not shutil.which("npm"), reason="npm: not here, none of the icons of its package")
without_npm = pytest.mark.skipif(bool(shutil.which("npm")), reason="npm: here, icons of its package take part")


@pytest.fixture
def mixed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    assert mixed_images.main(["--out=mixed", "--count=26"]) == 0
    return tmp_path / "mixed"


def test_equal_arguments_make_equal_files():
    first, second = (dict(mixed_images.mixed_images(26)) for _ in range(2))
    assert first == second and len(first) >= 26 + 2 * 4
    assert {name.partition("/")[0] for name in first} == CLASSES


def test_icons_are_of_all_categories_and_change_nothing_else(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    icons = [(f"kind {number % 3}", f"{number}.png", bytes([number])) for number in range(90)]
    monkeypatch.setattr(mixed_images, "icons_from_npm", lambda: icons)
    assert mixed_images.main(["--out=mixed", "--count=3", "--icons=40"]) == 0
    found = {str(path.relative_to("mixed")): path.read_bytes() for path in pathlib.Path("mixed").rglob("*.png")}
    assert found.items() >= {n: c for n, c in mixed_images.mixed_images(3) if n.endswith(".png")}.items()
    added = [name for name in found if name.startswith("kind")]
    assert len(added) == 40 and {name.partition("/")[0] for name in added} == {"kind 0", "kind 1", "kind 2"}
    assert dict(mixed_images.some_icons(icons, 40)) == {name: found[name] for name in added}


def test_a_folder_that_is_there_is_one_line(mixed: pathlib.Path, capsys: pytest.CaptureFixture[str]):
    assert mixed_images.main(["--out=mixed"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("count", "icons"),
    [
        pytest.param(520, 120, marks=with_npm),
        pytest.param(600, 0, marks=without_npm),
    ],
)
def test_convert_audit_curate_train(count: int, icons: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    """With flaws there are more than 700 files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))
    assert mixed_images.main(["--out=mixed", f"--count={count}", f"--icons={icons}"]) == 0
    classes = {path.name for path in pathlib.Path("mixed").iterdir()}
    assert classes == CLASSES if not icons else classes > CLASSES and len(classes) >= 12
    convert = ["convert", "--source=mixed", "--dest=set.zip", "--resolution=64x64", "--transform=center-crop"]
    assert dataset.main([*convert, "--labels=folders", "--alpha=white"]) == 0
    assert dataset.main(["audit", "--data=set.zip", "--features=1", "--out=audit.html"]) == 0
    assert pathlib.Path("audit.html").stat().st_size < 10_000_000
    record = json.loads(pathlib.Path("audit.json").read_text())
    assert record["exact_duplicates"] and set(record["classes"]) == classes

    rejected = record["measures"][0]["name"]
    decisions = {"format": "sg-keras curation 1", "kept": [], "dropped": {rejected: "by hand"}}
    pathlib.Path("curation.json").write_text(json.dumps(decisions))
    rules = ["--max_brisque=60", "--list=curation.json", "--classes=temple,flower"]
    assert dataset.main(["curate", "--data=set.zip", "--dest=good.zip", *rules]) == 0
    dropped = json.loads(pathlib.Path("good.zip.curation.json").read_text())["dropped"]
    assert dropped[rejected] == "by the list: by hand"
    opened = open_dataset("good.zip", use_labels=True)
    assert (opened.resolution, opened.c_dim, opened.num_images) == (64, 2, len(record["measures"]) - len(dropped))
    opened.close()

    words = record["advice"]["commands"][-1].replace("set.zip", "good.zip").split()[2:]
    small = ["--gpus=0", "--batch=8", "--cbase=256", "--cmax=4", "--kimg=0.016", "--tick=0.016", "--ops=reference"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "run_training.py"), *words, *small, "--sample-grid=2x2"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    (run_dir,) = pathlib.Path("runs").iterdir()
    assert (run_dir / "stats.jsonl").read_text().count("\n") >= 1


def test_the_sheet(mixed: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(curation_sheet, "EfficientNetLite0", Seen)
    assert curation_sheet.main(["--data=mixed", "--out=sheet.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(curation_sheet.FILTERS)
    assert pathlib.Path("sheet.png").exists()
    assert curation_sheet.main(["--data=none", "--out=sheet.png"]) == 1
