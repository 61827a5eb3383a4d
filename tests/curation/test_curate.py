"""What curate keeps and drops, and what it writes."""

from __future__ import annotations

import json
import pathlib
import zipfile

import numpy as np
import pytest

from sg_keras.curation.audit import Audit
from sg_keras.curation.curate import Curation, Listed, Rules, curate, read_list
from sg_keras.curation.curated import curation_path, write_curated
from sg_keras.curation.histograms import histogram_lines
from sg_keras.curation.sources import open_originals
from sg_keras.data import open_dataset
from tests.curation.drawn_set import audited
from tests.curation.originals import description_of, file_of, images_of, noise, write


def _dropped(curation: Curation) -> dict[str, str]:
    return {curation.names[index]: reason for index, reason in curation.dropped.items()}


def _write(path: str, curation: Curation, destination: pathlib.Path) -> None:
    source = open_originals(path)
    try:
        write_curated(source, curation, str(destination))
    finally:
        source.close()


def test_without_rules_all_readable_images_stay(found: Audit):
    curation = curate(found, Rules())
    assert len(curation.kept) == 29 and set(_dropped(curation)) == {"cat/zbroken.png", "dog/zcut.png"}
    assert all(reason.startswith("unreadable: found ") for reason in curation.dropped.values())
    assert curation.lines() == ["2 dropped: unreadable", "29 of 31 images kept"]


def test_measures(found: Audit):
    dropped = _dropped(curate(found, Rules(max_brisque=50)))
    assert dropped["dog/zblurred.png"].startswith("BRISQUE above 50: ")
    assert "cat/zflat.png" not in dropped  # of which it says nothing
    symmetry = curate(found, Rules(min_symmetry=0.5))
    low = {index for index, one in found.measures.items() if one.symmetry < 0.5}
    assert {index for index, reason in symmetry.dropped.items() if reason.startswith("symmetry below 0.5: ")} == low
    far = curate(found, Rules(outliers=True))
    assert {index for index, reason in far.dropped.items() if reason.startswith("far from")} == set(found.outliers)


def test_duplicates(found: Audit):
    dropped = _dropped(curate(found, Rules(drop_duplicates=True)))
    assert dropped["cat/same.png"] == "a copy to the last bit: of cat/p02.png"
    assert dropped["dog/p05.png"] == "looks like another: like dog/alike.jpg"
    # What the list keeps is the one that stays.
    kept = Rules(drop_duplicates=True, listed=Listed(frozenset(["cat/same.png"])))
    assert _dropped(curate(found, kept))["cat/p02.png"] == "a copy to the last bit: of cat/same.png"


def test_classes_are_numbered_anew(found: Audit):
    curation = curate(found, Rules(classes=("dog",)))
    assert set(curation.labels.values()) == {0} and curation.class_names == ("dog",)
    assert _dropped(curation)["cat/p00.png"] == "another class: cat"
    assert curate(found, Rules(classes=("1",))).kept == curation.kept
    few = curate(found, Rules(min_per_class=15))
    assert few.class_names == ("cat",) and _dropped(few)["dog/p01.png"] == "a class with fewer than 15: 14"


def test_balance_is_the_same_each_time(found: Audit):
    first, second = curate(found, Rules(balance=True)), curate(found, Rules(balance=True))
    assert first == second and sorted(first.labels.values()) == [0] * 14 + [1] * 14


def test_lists_stand_above_measures(found: Audit):
    listed = Listed(frozenset(["dog/zblurred.png"]), {"cat/p00.png": "ugly"})
    dropped = _dropped(curate(found, Rules(max_brisque=0, listed=listed)))
    assert "dog/zblurred.png" not in dropped and dropped["cat/p00.png"] == "by the list: ugly"
    alone = curate(found, Rules(listed=Listed(frozenset(["cat/p00.png", "cat/p02.png"]), {}, others=False)))
    assert [found.names[index] for index in alone.kept] == ["cat/p00.png", "cat/p02.png"]
    with pytest.raises(ValueError, match=r"--list: found 1 names that .* does not have"):
        curate(found, Rules(listed=Listed(frozenset(["cat/none.png"]))))


def test_what_was_written_is_a_list(found: Audit, tmp_path: pathlib.Path):
    first = curate(found, Rules(max_brisque=30, drop_duplicates=True))
    (tmp_path / "curation.json").write_text(first.json())
    again = curate(found, Rules(listed=read_list(str(tmp_path / "curation.json"))))
    assert list(again.kept) == list(first.kept)


@pytest.mark.parametrize("content", ["[]", "{}", "x", '{"format": "other", "kept": [], "dropped": {}}'])
def test_other_files_are_no_lists(content: str, tmp_path: pathlib.Path):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=r"a\.json: found something else in it, expected curation\.json"):
        read_list(str(tmp_path / "a.json"))
    (tmp_path / "a.txt").write_text("a.png\n\n b.png \n")
    assert read_list(str(tmp_path / "a.txt")) == Listed(frozenset(["a.png", "b.png"]), {}, others=False)


def test_files_are_written_byte_for_byte_with_their_labels(path: str, found: Audit, tmp_path: pathlib.Path):
    curation = curate(found, Rules(drop_duplicates=True, max_brisque=80))
    for name in ("a.zip", "b.zip", "folder"):
        _write(path, curation, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        files = [archive.read(name) for name in archive.namelist() if name != "dataset.json"]
        labels = json.loads(archive.read("dataset.json"))
    assert files == [(pathlib.Path(path) / found.names[index]).read_bytes() for index in curation.kept]
    assert [label for _, label in labels["labels"]] == list(curation.labels.values())
    assert labels["class_names"] == ["cat", "dog"] and labels["conversion"]["images"] == len(files)
    opened = open_dataset(tmp_path / "a.zip", use_labels=True)
    assert (opened.num_images, opened.resolution, opened.c_dim) == (len(files), 64, 2)
    opened.close()
    assert json.loads(curation_path(tmp_path / "folder").read_text()) == curation.record()


def test_tfrecords_hold_the_same_pixels_and_labels(path: str, found: Audit, tmp_path: pathlib.Path):
    curation = curate(found, Rules(drop_duplicates=True, classes=("dog",)))
    for name in ("a.zip", "a.tfrecords"):
        _write(path, curation, tmp_path / name)
    assert (tmp_path / "a.tfrecords" / "a-r06.tfrecords").exists()  # 2^6 pixels a side
    files, records = (open_dataset(tmp_path / name, use_labels=True) for name in ("a.zip", "a.tfrecords"))
    every = np.arange(len(curation.kept))
    assert (records.resolution, records.c_dim, len(records)) == (64, 1, len(every))
    np.testing.assert_array_equal(records.images(every), files.images(every))
    np.testing.assert_array_equal(records.labels(every), files.labels(every))
    for opened in (files, records):
        opened.close()
    assert json.loads(curation_path(tmp_path / "a.tfrecords").read_text()) == curation.record()


@pytest.mark.parametrize(
    "odd, message",
    [
        (noise(1, 24, 18), r"found b\.png of 24x18 RGB, expected 24x20 RGB as a\.png: TFRecords hold images of one"),
        (noise(1, channels=4), r"found b\.png of 24x20 RGBA, expected 24x20 RGB as a\.png"),
        (noise(1, channels=0), r"found b\.png of 24x20 gray, expected 24x20 RGB as a\.png"),
    ],
    ids=["size", "alpha", "gray"],
)
def test_tfrecords_of_images_that_differ_are_refused(odd: np.ndarray, message: str, tmp_path: pathlib.Path):
    path = write(tmp_path / "set", {"a.png": file_of(noise(0)), "b.png": file_of(odd), "c.png": file_of(noise(2))})
    with pytest.raises(ValueError, match=f"^--dest: .*a.tfrecords: {message}"):
        _write(path, curate(audited(path, labels="none"), Rules()), tmp_path / "a.tfrecords")
    assert [file.name for file in tmp_path.iterdir()] == ["set"]


def test_tfrecords_take_gray_images_with_alpha_as_rgba(tmp_path: pathlib.Path):
    path = write(tmp_path / "set", {f"{i}.png": file_of(noise(i, 24, 16, 2)) for i in range(2)})
    _write(path, curate(audited(path, labels="none"), Rules()), tmp_path / "a.tfrecords")
    opened = open_dataset(tmp_path / "a.tfrecords", cfg=None)
    assert opened.image_shape == (16, 24, 4)
    np.testing.assert_array_equal(opened.image(1)[..., [0, 3]], noise(1, 24, 16, 2))
    opened.close()


def test_images_of_arrays_become_files(tmp_path: pathlib.Path):
    source = open_originals("digits")
    found = audited("digits", labels="auto", max_images=30)
    write_curated(source, curate(found, Rules(classes=("3", "7"))), str(tmp_path / "a.zip"))
    source.close()
    images = images_of(tmp_path / "a.zip")
    assert len(images) == 6 and {image.shape for image in images.values()} == {(32, 32)}
    assert {label for _, label in description_of(tmp_path / "a.zip")["labels"]} == {0, 1}


def test_nothing_is_left_where_a_image_is_lost_meanwhile(path: str, found: Audit, tmp_path: pathlib.Path):
    source = open_originals(path)
    source.read = lambda index: (_ for _ in ()).throw(OSError("gone.png: found nothing there"))  # type: ignore[method-assign]
    with pytest.raises(OSError, match="gone"):
        write_curated(source, curate(found, Rules()), str(tmp_path / "a.zip"))
    source.close()
    assert list(tmp_path.iterdir()) == []


def test_histogram_lines(found: Audit):
    (label, limit, counts), *_ = curate(found, Rules(max_brisque=45)).histograms
    lines = histogram_lines(label, limit, counts)
    assert lines[0] == "BRISQUE (above is dropped), limit 45:" and len(lines) == 11
    assert sum("<- limit" in line for line in lines) == 1
    assert sum(int(line.partition("<")[0].split()[-1]) for line in lines[1:]) == sum(counts.counts)
