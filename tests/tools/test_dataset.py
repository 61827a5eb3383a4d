"""The command that makes data sets."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from sg_keras.data import open_dataset
from sg_keras.files.cache import cache_folder
from sg_keras.flags.command_line import parse_command_line
from sg_keras.tools import dataset, shown_progress
from tests.curation.originals import classes_of_noise, description_of, file_of, images_of, noise, write

ROOT = pathlib.Path(__file__).parents[2]
PHOTOS = ("convert", "--source=photos", "--dest=a.zip")


@pytest.fixture
def photos(
    tmp_path: pathlib.Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> pathlib.Path:
    """A folder of images in the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path_factory.mktemp("cache")))
    write(tmp_path / "photos", classes_of_noise())
    return tmp_path / "photos"


def test_convert(photos: pathlib.Path, capsys):
    words = ["convert", "--source=photos", "--dest=out.zip", "--resolution=16x16", "--transform=center-crop"]
    assert dataset.main([*words, "--labels=folders", "--workers=1"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "7 images of 7 originals in out.zip\n" and printed.err == ""
    assert len(images_of(pathlib.Path("out.zip"))) == 7
    opened = open_dataset("out.zip", use_labels=True)
    assert (opened.resolution, opened.num_images, opened.c_dim) == (16, 7, 3)
    opened.close()


@pytest.mark.parametrize("spelling", ["--on_bad_image", "--on-bad-image"])
def test_bad_originals(spelling: str, photos: pathlib.Path, capsys):
    (photos / "cat" / "bad.png").write_bytes(b"x")
    words = ["convert", "--source=photos", "--resolution=16", "--transform=center-crop", "--workers=1"]
    assert dataset.main([*words, "--dest=out.zip"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert "7 images of 8 originals in out.zip; warning: 1 image was left out as unreadable (cat/bad.png: found" in last
    assert list(json.loads(pathlib.Path("out.zip.report.json").read_text())["bad"]) == ["cat/bad.png"]
    assert dataset.main([*words, "--dest=stopped.zip", f"{spelling}=stop"]) == 1
    assert "Error: --source: photos/cat/bad.png: found no image" in capsys.readouterr().err.splitlines()[-1]
    assert not pathlib.Path("stopped.zip").exists()


def test_odd_names(photos: pathlib.Path, capsys):
    """Line breaks, escapes of terminals, letters, and bytes that are not UTF-8."""
    for name in ("a\nb.png", "a\x1b[31m.png", "ünïcödé [1]*.png", os.fsdecode(b"\xe9.png")):
        (photos / "cat" / name).write_bytes(file_of(noise(0)))
    (photos / "cat" / os.fsdecode(b"bad\xff\n.png")).write_bytes(b"x")
    words = ["convert", "--source=photos", "--dest=out.zip", "--resolution=16", "--transform=random-crops=1"]
    assert dataset.main([*words, "--workers=2", "--labels=folders"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1 and "(cat/bad\\xff\\n.png: found no image" in printed and printed.isascii()
    assert len(description_of(pathlib.Path("out.zip"))["crops"]) == 11


def test_images_without_a_label(photos: pathlib.Path, capsys):
    (photos / "a.png").write_bytes(file_of(noise(0)))
    words = ["convert", "--source=photos", "--dest=out.zip", "--resolution=16", "--transform=fit", "--labels=folders"]
    assert dataset.main([*words, "--workers=1"]) == 1
    assert "--unlabelled=drop" in capsys.readouterr().err
    assert dataset.main([*words, "--workers=2", "--unlabelled=drop"]) == 0
    assert capsys.readouterr().out == "7 images of 8 originals in out.zip; 1 without a label dropped\n"


def test_originals_that_are_all_bad(photos: pathlib.Path, capsys):
    write(pathlib.Path("bad"), {"a.png": b"x", "b.png": b""})
    assert dataset.main(["convert", "--source=bad", "--dest=out.zip", "--resolution=16", "--transform=fit"]) == 1
    assert "0 images of 2 originals in nothing; warning: 2 images were left out" in capsys.readouterr().out
    assert not pathlib.Path("out.zip").exists()


def test_all_options_together(photos: pathlib.Path):
    words = [
        *("convert", "--source=photos", "--dest=out.zip", "--resolution=24x16", "--transform=random-crops=2"),
        *("--filter=hamming", "--linear-light", "--channels=4", "--alpha=keep", "--format=png", "--seed=5"),
        *("--max-images=4", "--workers=1", "--draft=0", "--background=blur", "--labels=folders"),
    ]
    assert dataset.main(words) == 0
    assert {image.shape for image in images_of(pathlib.Path("out.zip")).values()} == {(16, 24, 4)}
    conversion = description_of(pathlib.Path("out.zip"))["conversion"]
    expected = {"transform": "random-crops=2", "filter": "hamming", "linear_light": True, "alpha": "keep", "seed": 5}
    assert {key: conversion[key] for key in expected} == expected


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "found nothing, expected convert or audit or curate and its options"),
        (["audits"], "found 'audits', expected convert or audit or curate"),
        (["audit"], "--data, --out: found nothing, expected a value"),
        (["audit", "--data=photos", "--out=a.zip"], "--out: found 'a.zip', expected a name that ends in .html"),
        (["audit", "--data=none", "--out=a.html", "--features=0"], "--data: none: found nothing there, expected a f"),
        (
            ["curate", "--data=photos", "--dest=a.tfrecords", "--workers=1"],
            "--dest: a.tfrecords: found cat/p03.png of 29x57 RGB, expected 20x60 RGB as cat/p00.png: TFRecords hold im",
        ),
        (["curate", "--data=photos", "--dest=a.tar"], "a.tar: found the ending .tar, expected .zip, .tfrecords, .lmdb"),
        (["curate", "--data=photos", "--dest=a.zip", "--min_symmetry=2"], "--min_symmetry: found '2', expected"),
        (["curate", "--data=photos", "--dest=a.zip", "--list=no.json"], "--list: no.json: found nothing there"),
        (["curate", "--data=photos", "--dest=a.zip", "--classes=a,,b"], "--classes: found 'a,,b', expected names or"),
        (
            ["curate", "--data=photos", "--dest=a.zip", "--workers=1", "--classes=elk"],
            "--classes: found 'elk', expected",
        ),
        (["convert"], "--source, --dest: found nothing, expected a value"),
        (
            [*PHOTOS, "--resolution=0x16"],
            "--resolution: found '0x16', expected WIDTHx",
        ),
        ([*PHOTOS, "--transform=tiles"], "expected tiles=SIZE,STRIDE"),
        ([*PHOTOS, "--transform=fit=3"], "expected fit without numbers"),
        (
            [*PHOTOS, "--transform=crop"],
            "--transform: found 'crop', expected none, ",
        ),
        (
            [*PHOTOS, "--alpha=red"],
            "--alpha: found 'red', expected #rrggbb or keep",
        ),
        (
            [*PHOTOS, "--format=jpeg:101"],
            "--format: found 'jpeg:101', expected png",
        ),
        (
            [*PHOTOS, "--labels=csv:"],
            "--labels: found 'csv:', expected folders, csv",
        ),
        (
            [*PHOTOS, "--channels=2"],
            "--channels: found '2', expected 1, 3, 4 or auto",
        ),
        (
            [*PHOTOS, "--transform=fit"],
            "--resolution: found none with transform fit",
        ),
        (
            ["convert", "--source=photos", "--dest=photos"],
            "--dest: photos: found it there already, expected a new name",
        ),
        (["convert", "--source=none", "--dest=a.zip"], "--source: none: found nothing there, expected a folder, zip"),
        (["convert", "--source=photos", "--dest=no/a.zip", "--resolution=8"], "--dest: no/a.zip: found nothing there"),
        ([*PHOTOS], "--resolution: found none and images of 7 sizes"),
    ],
)
def test_one_line_errors(words: list[str], message: str, photos: pathlib.Path, capsys):
    assert dataset.main(words) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ") and error.count("\n") == 1 and message in error
    assert [file.name for file in pathlib.Path().iterdir()] == ["photos"]


def test_progress_without_a_terminal(photos: pathlib.Path, capsys, monkeypatch):
    monkeypatch.setattr(shown_progress, "_LINE_SECONDS", 0.0)
    words = ["convert", "--source=photos", "--dest=out.zip", "--resolution=16", "--transform=fit", "--workers=1"]
    assert dataset.main(words) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 14 and all(" of 7 images, " in line and line.endswith(" left") for line in lines)
    assert lines[0].startswith("looking: 1 of 7") and lines[-1].startswith("converting: 7 of 7")


def test_help(capsys):
    assert dataset.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "python -m sg_keras.tools.dataset convert" in text and "--on-bad-image" in text
    assert max(map(len, text.splitlines())) <= 100


def test_help_of_a_verb(capsys):
    assert dataset.main(["audit", "--help"]) == 0
    text = capsys.readouterr().out
    assert "--max-images" in text and "--transform=" not in text.partition("Options of audit")[2]


def test_audit(photos: pathlib.Path, capsys):
    (photos / "cat" / "bad.png").write_bytes(b"x")
    words = ["audit", "--data=photos", "--labels=folders", "--features=0", "--map=pca", "--workers=1"]
    assert dataset.main([*words, "--out=seen.html"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["8 images in photos, 1 of them unreadable", "images that cannot be read: 1"]
    assert lines[-1] == "seen.html shows it all in a browser; the numbers are in seen.json"
    record = json.loads(pathlib.Path("seen.json").read_text())
    assert record["classes"] == {"cat": 3, "dog": 2, "owl": 2} and list(record["unreadable"]) == ["cat/bad.png"]
    assert pathlib.Path("seen.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert sorted(file.name for file in pathlib.Path().iterdir()) == ["photos", "seen.html", "seen.json"]


def test_audit_replaces_its_own_files_alone(photos: pathlib.Path, capsys):
    words = ["audit", "--data=photos", "--features=0", "--map=pca", "--workers=1", "--out=dataset.html"]
    pathlib.Path("dataset.json").write_text('{"labels": []}')
    assert dataset.main(words) == 1
    assert "--out: dataset.json: found another file there, expected nothing or" in capsys.readouterr().err
    assert pathlib.Path("dataset.json").read_text() == '{"labels": []}' and not pathlib.Path("dataset.html").exists()
    pathlib.Path("dataset.json").unlink()
    assert dataset.main(words) == 0 and dataset.main(words) == 0


def test_audit_with_a_network(photos: pathlib.Path, capsys):
    assert dataset.main(["audit", "--data=photos", "--out=seen.html", "--map=pca", "--workers=1"]) == 0
    assert json.loads(pathlib.Path("seen.json").read_text())["network"] == "efficientnet_lite0"


def test_curate(photos: pathlib.Path, capsys):
    write(photos, {"owl/twin.png": (photos / "owl" / "p02.png").read_bytes(), "dog/bad.png": b"x"})
    command = ["curate", "--data=photos", "--dest=out.zip", "--labels=folders", "--workers=1", "--min_symmetry=0.1"]
    assert dataset.main([*command, "--classes=cat,owl", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("symmetry (below is dropped), limit 0.1:")
    assert lines[-4:-1] == ["2 dropped: another class", "1 dropped: unreadable", "6 of 9 images kept"]
    assert lines[-1] == "nothing is written (--dry-run)" and not pathlib.Path("out.zip").exists()

    assert dataset.main([*command, "--classes=cat,owl", "--balance"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "out.zip holds them; out.zip.curation.json says why the others are not in it"
    assert description_of(pathlib.Path("out.zip"))["class_names"] == ["cat", "owl"]
    assert len(images_of(pathlib.Path("out.zip"))) == 6
    record = json.loads(pathlib.Path("out.zip.curation.json").read_text())
    assert len(record["kept"]) == 6 and record["dropped"]["dog/p01.png"] == "another class: dog"
    assert dataset.main(command) == 1 and "--dest: out.zip: found it there already" in capsys.readouterr().err


def test_repeated_commands_take_looks_from_the_cache(photos: pathlib.Path, capsys):
    words = ["--data=photos", "--labels=folders", "--workers=1"]
    page = ["audit", *words, "--features=0", "--map=pca", "--out=seen.html"]
    assert dataset.main([*page, "--no_cache"]) == 0 and not list(cache_folder().iterdir())
    first = [pathlib.Path(name).read_bytes() for name in ("seen.html", "seen.json")]
    assert dataset.main(page) == 0 and capsys.readouterr().err == ""
    assert dataset.main(["curate", *words, "--dest=a.zip", "--min_symmetry=0.1"]) == 0
    line = "photos: 7 of 7 images were looked at before and are taken from the cache\n"
    assert capsys.readouterr().err == line
    assert dataset.main(page) == 0 and capsys.readouterr().err == line
    assert [pathlib.Path(name).read_bytes() for name in ("seen.html", "seen.json")] == first
    assert dataset.main([*page, "--no-cache"]) == 0 and capsys.readouterr().err == ""


def test_a_cache_that_cannot_be_used_is_one_line(photos: pathlib.Path, capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SG_KERAS_CACHE", str(photos / "cat" / "p00.png"))
    words = ["audit", "--data=photos", "--features=0", "--map=pca", "--workers=1", "--out=seen.html"]
    assert dataset.main(words) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "found that no files can be kept there" in error and "SG_KERAS_CACHE" in error
    assert dataset.main([*words, "--no_cache"]) == 0


def test_training_says_which_command_mends_a_folder(photos: pathlib.Path, capsys):
    for name, original in (("a.png", noise(0, 100, 70)), ("b.png", noise(1, 100, 70)), ("c.png", noise(2, 9, 9, 4))):
        (photos / name).write_bytes(file_of(original))
    command = ["--outdir=runs", "--cfg=stylegan2", "--data=photos", "--gpus=0", "--batch=8", "--gamma=1", "-n"]
    with pytest.raises(ValueError, match="--data: photos") as caught:
        parse_command_line(command)
    line = str(caught.value)
    assert "\n" not in line and "expected one size for all" in line
    mending = line.partition("this makes a data set of them: python -m sg_keras.tools.dataset ")[2]
    assert mending.startswith("convert --source=photos --dest=photos-64.zip --resolution=64x64 --transform=center-crop")
    assert mending.endswith(" --alpha=white")
    assert dataset.main(mending.split()) == 0
    opened = open_dataset("photos-64.zip")
    assert (opened.resolution, opened.num_images) == (64, 10)
    opened.close()


def test_training_names_it_for_originals_of_other_formats(photos: pathlib.Path):
    write(pathlib.Path("scans"), {f"{i}.tif": file_of(noise(i, 40, 40), "TIFF") for i in range(2)})
    command = ["--outdir=runs", "--cfg=stylegan2", "--data=scans", "--gpus=0", "--batch=8", "--gamma=1", "-n"]
    with pytest.raises(ValueError, match=r"found no images \(2 .tif\).*convert --source=scans --dest=scans-32.zip"):
        parse_command_line(command)


def test_an_interrupt_is_one_line_and_the_work_goes_on(photos: pathlib.Path, tmp_path: pathlib.Path):
    originals = np.random.default_rng(0).integers(0, 256, (500, 600, 3), np.uint8)
    for index in range(60):
        (photos / "cat" / f"large{index:03d}.png").write_bytes(file_of(np.roll(originals, index, 0)))
    words = [
        "convert",
        "--source=photos",
        "--dest=out.zip",
        "--resolution=256",
        "--transform=center-crop",
        "--workers=2",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "sg_keras.tools.dataset", *words]
    started = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which background jobs of shells ignore
    )
    journal, deadline = tmp_path / ".partial-out.zip.journal", time.monotonic() + 60
    while not (journal.exists() and journal.read_text().count("\n") > 2):
        assert time.monotonic() < deadline and started.poll() is None
        time.sleep(0.01)
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does
    out, error = started.communicate(timeout=60)
    assert (started.returncode, out, error) == (130, "", "Interrupted\n")
    assert not (tmp_path / "out.zip").exists()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "of 67 images were done before, going on from there" in done.stderr
    assert done.stdout == "67 images of 67 originals in out.zip\n"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.zip", "out.zip.report.json", "photos"]
