"""Whole conversions: what is written, by how many processes, after which interruptions, and what is told."""

from __future__ import annotations

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sg_keras.curation import convert as convert_module
from sg_keras.curation.convert import Progress, image_name
from sg_keras.curation.destinations import destination_kind
from sg_keras.curation.partial_files import partial_path
from sg_keras.curation.report import report_path
from sg_keras.data import make_pipeline, open_dataset
from tests.curation.originals import classes_of_noise, description_of, file_of, images_of, noise, run, write

DESTINATIONS = ("out.zip", "out", "out.tfrecords", "out.lmdb")


@pytest.fixture
def photos(tmp_path: pathlib.Path) -> str:
    return write(tmp_path / "photos", {**classes_of_noise(40), "cat/bad.png": b"x"})


def digest(path: pathlib.Path) -> str:
    """Of all files at a path, with their names."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    whole = hashlib.sha256()
    for file in files:
        whole.update(str(file.relative_to(path)).encode() + file.read_bytes())
    return whole.hexdigest()


def test_a_zip_as_the_published_tools_read_it(photos: str, tmp_path: pathlib.Path):
    report = run(photos, tmp_path / "out.zip", labels="folders")
    images, description = images_of(tmp_path / "out.zip"), description_of(tmp_path / "out.zip")
    assert (report.images, report.originals, list(report.bad)) == (40, 41, ["cat/bad.png"])
    assert list(images) == sorted(images) and all(image.shape == (16, 16, 3) for image in images.values())
    assert dict(description["labels"]).keys() == images.keys()
    assert description["class_names"] == ["cat", "dog", "owl"]
    conversion = description["conversion"]
    assert conversion["tool"].startswith("sg-keras ") and conversion["source"] == photos
    assert (conversion["transform"], conversion["filter"], conversion["size"]) == ("center-crop", "lanczos", "16x16")
    assert (conversion["originals"], conversion["images"], conversion["unreadable"]) == (41, 40, 1)
    assert len(conversion["sizes_before"]) == 20
    assert json.loads(report_path(tmp_path / "out.zip").read_text())["bad"] == dict(report.bad)
    assert (
        "40 images of 41 originals" in report.lines()[-1] and "1 image was left out as unreadable" in report.lines()[-1]
    )


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_bytes_do_not_depend_on_the_number_of_processes(destination: str, photos: str, tmp_path: pathlib.Path):
    found = set()
    for workers in (1, 2):
        place = tmp_path / str(workers)
        place.mkdir()
        run(photos, place / destination, labels="folders", workers=workers)
        found.add(digest(place / destination))
        assert sorted(file.name for file in place.iterdir()) == sorted([destination, f"{destination}.report.json"])
    assert len(found) == 1


def test_workers_load_no_tensorflow():
    code = (
        "import sys, sg_keras.curation.convert, sg_keras.curation.sources, sg_keras.tools.dataset\n"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class StopError(Exception):
    """Ends a conversion in its middle."""


def stop_at(count: int):
    def on_progress(progress: Progress) -> None:
        if progress.stage == "converting" and progress.done == count:
            raise StopError

    return on_progress


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_a_conversion_goes_on_where_it_was(destination: str, photos: str, tmp_path: pathlib.Path):
    whole, path = tmp_path / "whole", tmp_path / "parts"
    for place in (whole, path):
        place.mkdir()
    run(photos, whole / destination, labels="folders")
    for count in (20, 37):
        with pytest.raises(StopError):
            run(photos, path / destination, labels="folders", on_progress=stop_at(count))
        assert not (path / destination).exists()
    lines: list[str] = []
    report = run(photos, path / destination, labels="folders", tell=lines.append)
    assert report.continued_from == 32 and "32 of 41 images were done before" in lines[0]
    assert digest(path / destination) == digest(whole / destination)
    assert sorted(file.name for file in path.iterdir()) == sorted([destination, f"{destination}.report.json"])


def test_other_originals_or_another_recipe_start_anew(photos: str, tmp_path: pathlib.Path):
    for change in ({"size": (8, 8)}, {"linear_light": True}, "images"):
        with pytest.raises(StopError):
            run(photos, tmp_path / "out.zip", on_progress=stop_at(20))
        options = {}
        if isinstance(change, dict):
            options = change
        else:
            write(pathlib.Path(photos), {"cat/a.png": file_of(noise(0))})
        report = run(photos, tmp_path / "out.zip", **options)
        assert report.continued_from == 0 and report.images in (40, 41)
        (tmp_path / "out.zip").unlink()


def test_which_images_have_no_label_belongs_to_what_is_gone_on_with(photos: str, tmp_path: pathlib.Path):
    names = sorted(str(file.relative_to(photos)) for file in pathlib.Path(photos).rglob("*.png"))
    table, path = tmp_path / "labels.csv", tmp_path / "out.zip"
    how = {"labels": f"csv:{table}", "drop_unlabelled": True}

    def without(*dropped: int) -> None:
        rows = [f"{name},7" for index, name in enumerate(names) if index not in dropped]
        table.write_text("\n".join(["file,class", *rows]))

    without(3, 30)
    run(photos, tmp_path / "whole.zip", **how)
    for change, start in ((None, 16), ((3,), 0)):
        with pytest.raises(StopError):
            run(photos, path, on_progress=stop_at(20), **how)
        if change:
            without(*change)
        report = run(photos, path, **how)
        assert report.continued_from == start and len(report.unlabelled) == len(change or (3, 30))
        assert (digest(path) == digest(tmp_path / "whole.zip")) == (change is None)
        path.unlink()


def test_what_was_written_and_lost_is_made_again(photos: str, tmp_path: pathlib.Path):
    path = tmp_path / "out.zip"
    for loss in ("all", "half"):
        with pytest.raises(StopError):
            run(photos, path, on_progress=stop_at(20))
        partial = partial_path(path)
        if loss == "all":
            partial.unlink()
        else:
            partial.write_bytes(partial.read_bytes()[:2000])
        assert run(photos, path).continued_from == 0
        assert len(images_of(path)) == 40
        path.unlink()


def test_a_torn_line_of_the_journal_is_done_again(photos: str, tmp_path: pathlib.Path):
    path = tmp_path / "out.zip"
    run(photos, tmp_path / "whole.zip")
    with pytest.raises(StopError):
        run(photos, path, on_progress=stop_at(35))
    journal = partial_path(tmp_path / "out.zip.journal")
    journal.write_text(journal.read_text()[:-20])
    assert run(photos, path).continued_from == 31
    assert digest(path) == digest(tmp_path / "whole.zip")


def test_killed_for_good_and_repeated(photos: str, tmp_path: pathlib.Path):
    code = (
        "import sys, os\n"
        "from tests.curation.originals import run\n"
        "import pathlib\n"
        "def kill(progress):\n"
        "    if progress.stage == 'converting' and progress.done == 25: os.kill(os.getpid(), 9)\n"
        "if __name__ == '__main__':\n"
        f"    run({photos!r}, pathlib.Path({str(tmp_path / 'out.zip')!r}), workers=2, on_progress=kill)"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    root = pathlib.Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(script)], cwd=root, env={"PYTHONPATH": str(root), "PATH": "/bin:/usr/bin"}
    )
    assert done.returncode == -9 and not (tmp_path / "out.zip").exists()
    run(photos, tmp_path / "whole.zip")
    assert run(photos, tmp_path / "out.zip").continued_from == 16
    assert digest(tmp_path / "out.zip") == digest(tmp_path / "whole.zip")


@pytest.mark.parametrize("file_format, suffix", [("png", "png"), ("webp-lossless", "webp"), ("jpeg:90", "jpg")])
@pytest.mark.parametrize("destination", ["out.zip", "out.lmdb"])
def test_formats_are_read_by_training(file_format: str, suffix: str, destination: str, photos: str, tmp_path):
    run(photos, tmp_path / "exact", labels="folders")
    run(photos, tmp_path / destination, labels="folders", format=file_format)
    exact = open_dataset(tmp_path / "exact", use_labels=True)
    dataset = open_dataset(tmp_path / destination, use_labels=True)
    assert (dataset.resolution, dataset.num_images, dataset.c_dim, dataset.notes) == (16, 40, 3, ())
    indices = np.arange(40)
    np.testing.assert_array_equal(dataset.labels(indices), exact.labels(indices))
    if suffix != "jpg":
        np.testing.assert_array_equal(dataset.images(indices), exact.images(indices))
    for one in (dataset, exact):
        one.close()


def test_gray_colour_and_alpha_decide_the_channels(tmp_path: pathlib.Path):
    gray, rgb, rgba = noise(0, channels=0), noise(1), noise(2, channels=4)
    opaque = rgba.copy()
    opaque[..., 3] = 255
    cases = [
        ([gray, gray], {}, (16, 16)),
        ([gray, rgb], {}, (16, 16, 3)),
        ([rgb, opaque], {}, (16, 16, 3)),
        ([rgb, rgba], {"alpha": "white"}, (16, 16, 3)),
        ([rgb, rgba], {"alpha": "keep"}, (16, 16, 4)),
        ([rgb, gray], {"channels": 4}, (16, 16, 4)),
        ([rgb, gray], {"channels": 1}, (16, 16)),
        ([gray, gray], {"alpha": "keep"}, (16, 16)),
    ]
    for number, (originals, options, shape) in enumerate(cases):
        source = write(tmp_path / f"set{number}", {f"{i}.png": file_of(p) for i, p in enumerate(originals)})
        run(source, tmp_path / f"out{number}.zip", **options)
        assert {image.shape for image in images_of(tmp_path / f"out{number}.zip").values()} == {shape}, options


def test_transparency_has_to_be_decided(tmp_path: pathlib.Path):
    source = write(tmp_path / "set", {"a.png": file_of(noise(0)), "b.png": file_of(noise(1, channels=4))})
    with pytest.raises(ValueError, match=r"set/b.png: found transparency \(alpha\), expected --alpha=keep, white"):
        run(source, tmp_path / "out.zip")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["set"]
    report = run(source, tmp_path / "out.zip", alpha="drop-transparent")
    assert (report.images, report.transparent, report.bad) == (1, ["b.png"], {})
    assert "transparent, dropped: 1" in report.lines()


def test_transparency_that_is_found_late(tmp_path: pathlib.Path, monkeypatch):
    monkeypatch.setattr(convert_module, "first_transparent", lambda source, found: None)
    source = write(tmp_path / "set", {"a.png": file_of(noise(0)), "b.png": file_of(noise(1, channels=4))})
    with pytest.raises(ValueError, match=r"set/b.png: found transparency"):
        run(source, tmp_path / "out.zip")
    assert [file.name for file in tmp_path.iterdir()] == ["set"]


def test_originals_of_several_sizes_need_a_resolution(photos: str, tmp_path: pathlib.Path):
    with pytest.raises(ValueError, match=r"--resolution: found none and images of 40 sizes .*expected WIDTHxHEIGHT"):
        run(photos, tmp_path / "out.zip", transform="none", size=None)
    same = write(tmp_path / "same", {f"{i}.png": file_of(noise(i, 8, 8)) for i in range(3)})
    run(same, tmp_path / "out.zip", transform="none", size=None)
    for index, image in enumerate(images_of(tmp_path / "out.zip").values()):
        np.testing.assert_array_equal(image, noise(index, 8, 8))


def test_several_images_of_a_original_are_on_record(tmp_path: pathlib.Path):
    files = {f"cat/{i}.png": file_of(noise(i, 40 + i, 50)) for i in range(3)}
    source = write(tmp_path / "set", {**files, "dog/small.png": file_of(noise(9, 8, 8))})
    report = run(source, tmp_path / "out.zip", "random-crops", numbers=(2,), labels="folders")
    description, images = description_of(tmp_path / "out.zip"), images_of(tmp_path / "out.zip")
    assert (report.images, report.left_out) == (6, ["dog/small.png"])
    assert list(images) == list(description["crops"]) == [name for name, _ in description["labels"]]
    assert list(images)[:2] == ["00000/img00000000-00000.png", "00000/img00000000-00001.png"]
    for name, (original, left, top, width, height) in description["crops"].items():
        crop = Image.fromarray(
            noise(int(original[4]), 40 + int(original[4]), 50)[top : top + height, left : left + width]
        )
        np.testing.assert_array_equal(images[name], np.asarray(crop.resize((16, 16), Image.Resampling.LANCZOS)))
    assert description["conversion"]["transform"] == "random-crops=2"


def test_conversions_of_originals_are_counted(tmp_path: pathlib.Path):
    palette = Image.fromarray(noise(0)).convert("P")
    inks = Image.fromarray(noise(0)).convert("CMYK")
    files = {"a.png": file_of(palette), "b.png": file_of(palette), "c.jpg": file_of(inks, "JPEG")}
    report = run(write(tmp_path / "set", files), tmp_path / "out.zip")
    assert report.converted == {"CMYK to RGB": 1, "palette to RGB": 2}
    assert description_of(tmp_path / "out.zip")["conversion"]["converted"] == report.converted


def test_names_follow_from_the_index():
    assert image_name(0, None, ".png") == "00000/img00000000.png"
    assert image_name(123456, None, ".jpg") == "00123/img00123456.jpg"
    assert image_name(7, 3, ".png") == "00000/img00000007-00003.png"


def test_tfrecords_in_shards(photos: str, tmp_path: pathlib.Path, monkeypatch):
    monkeypatch.setattr("sg_keras.curation.tfrecord_destination._SHARD_BYTES", 10_000)
    run(photos, tmp_path / "out.tfrecords", labels="folders")
    shards = sorted(file.name for file in (tmp_path / "out.tfrecords").glob("*.tfrecords"))
    assert shards[0] == "out-r04-00000-of-00004.tfrecords" and len(shards) == 4
    run(photos, tmp_path / "out.zip", labels="folders")
    dataset, exact = (open_dataset(tmp_path / name, use_labels=True) for name in ("out.tfrecords", "out.zip"))
    indices = np.arange(40)
    np.testing.assert_array_equal(dataset.images(indices), exact.images(indices))
    np.testing.assert_array_equal(dataset.labels(indices), exact.labels(indices))
    shutil.rmtree(tmp_path / "out.tfrecords")
    with pytest.raises(StopError):
        run(photos, tmp_path / "out.tfrecords", labels="folders", on_progress=stop_at(33))
    run(photos, tmp_path / "out.tfrecords", labels="folders")
    assert len(list((tmp_path / "out.tfrecords").iterdir())) == 6


def test_destinations_by_name():
    names = {
        "a.zip": "zip",
        "a.ZIP": "zip",
        "a.tfrecords": "tfrecords",
        "a.lmdb": "lmdb",
        "a": "folder",
        "a.v2": "folder",
    }
    for name, kind in names.items():
        assert destination_kind(pathlib.Path(name)) == kind
    with pytest.raises(ValueError, match=r"a.tar: found the ending .tar, expected .zip"):
        destination_kind(pathlib.Path("a.tar"))


def test_tfrecords_hold_pixels(photos: str, tmp_path: pathlib.Path):
    with pytest.raises(ValueError, match="--format: found jpeg:95 with TFRecords"):
        run(photos, tmp_path / "out.tfrecords", format="jpeg:95")


def test_all_destinations_give_the_same_run(photos: str, tmp_path: pathlib.Path):
    """Whatever a run draws from a data set: images and labels, mirrored copies, batches from any iteration on."""
    drawn = []
    for destination in DESTINATIONS:
        run(photos, tmp_path / destination, labels="folders")
        dataset = open_dataset(tmp_path / destination, use_labels=True, mirror=True, mirrory=True)
        facts = (dataset.name, len(dataset), dataset.resolution, dataset.channels, dataset.c_dim, dataset.label_kind)
        batches = make_pipeline(dataset, seed=3, batch=8, start_nimg=24, num_phases=4).take(3)
        arrays = [batch[key].numpy() for batch in batches for key in sorted(batch)]
        everything = np.arange(len(dataset))
        drawn.append((facts, dataset.description, [*arrays, dataset.images(everything), dataset.labels(everything)]))
        dataset.close()
    for facts, description, arrays in drawn[1:]:
        assert facts == drawn[0][0]
        assert description.class_names == ("cat", "dog", "owl")
        for found, expected in zip(arrays, drawn[0][2], strict=True):
            np.testing.assert_array_equal(found, expected)
