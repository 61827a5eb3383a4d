"""The mixed set, through all three verbs, and the sheet of what filters keep."""

from __future__ import annotations

import json
import pathlib

import pytest

from examples import curation_sheet, mixed_images
from sg_keras.data import open_dataset
from sg_keras.tools import dataset
from tests.curation.drawn_set import Seen


@pytest.fixture
def mixed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    assert mixed_images.main(["--out=mixed", "--count=26"]) == 0
    return tmp_path / "mixed"


def test_equal_arguments_make_equal_files():
    first, second = (dict(mixed_images.mixed_images(26)) for _ in range(2))
    assert first == second and len(first) >= 26 + 2 * 4
    assert {name.partition("/")[0] for name in first} == {"temple", "flower", "drawing"}


def test_a_folder_that_is_there_is_one_line(mixed: pathlib.Path, capsys: pytest.CaptureFixture[str]):
    assert mixed_images.main(["--out=mixed"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_convert_audit_curate(mixed: pathlib.Path, capsys: pytest.CaptureFixture[str]):
    convert = ["convert", "--source=mixed", "--dest=set.zip", "--resolution=64x64", "--transform=center-crop"]
    assert dataset.main([*convert, "--labels=folders", "--alpha=white", "--workers=1"]) == 0
    quick = ["--data=set.zip", "--workers=1"]
    assert dataset.main(["audit", *quick, "--out=audit.html", "--features=0", "--map=pca"]) == 0
    record = json.loads(pathlib.Path("audit.json").read_text())
    assert record["exact_duplicates"] and set(record["classes"]) == {"temple", "flower", "drawing"}
    assert record["advice"]["commands"][-1].startswith("python run_training.py") and "--cond=1" in str(record)
    rejected = record["measures"][0]["name"]
    decisions = {"format": "sg-keras curation 1", "kept": [], "dropped": {rejected: "by hand"}}
    pathlib.Path("curation.json").write_text(json.dumps(decisions))
    rules = ["--max_brisque=60", "--list=curation.json", "--classes=temple,flower"]
    assert dataset.main(["curate", *quick, "--dest=good.zip", *rules]) == 0
    dropped = json.loads(pathlib.Path("good.zip.curation.json").read_text())["dropped"]
    assert dropped[rejected] == "by the list: by hand"
    opened = open_dataset("good.zip", use_labels=True)
    assert (opened.resolution, opened.c_dim, opened.num_images) == (64, 2, len(record["measures"]) - len(dropped))
    opened.close()


def test_the_sheet(mixed: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(curation_sheet, "EfficientNetLite0", Seen)
    assert curation_sheet.main(["--data=mixed", "--out=sheet.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(curation_sheet.FILTERS)
    assert pathlib.Path("sheet.png").exists()
    assert curation_sheet.main(["--data=none", "--out=sheet.png"]) == 1
