"""The fingerprint of a data set: the same wherever and however it is kept, another when anything of it is another."""

from __future__ import annotations

import os
import pathlib
import shutil
import unicodedata
import zipfile

import numpy as np
import pytest

from sg_keras.config.data_fingerprint import changes, merged
from sg_keras.data import fingerprint as fingerprint_module
from sg_keras.data import open_dataset
from tests.data.conftest import encode, label_file, make_pixels, png_files, write_folder, write_zip

NAMES = ["00/000.png", "00/002.png", "00/004.png", "01/001.png", "01/003.png", "01/005.png"]


def of(path: str | pathlib.Path, **options: bool) -> str:
    return open_dataset(path, **options).fingerprint


def test_place_date_and_packing_do_not_matter(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    folder = write_folder(tmp_path / "cats", files)
    found = of(folder)
    assert found == of(folder, mirror=True) and {part.partition(":")[0] for part in found.split()} == {
        "names",
        "sizes",
        "sample",
    }
    shutil.copytree(folder, tmp_path / "dogs")
    for path in (tmp_path / "dogs").rglob("*"):
        os.utime(path, (1, 1))
    (tmp_path / "link").symlink_to(folder)
    assert found == of(tmp_path / "dogs") == of(tmp_path / "link")
    write_folder(tmp_path / "dogs", {"notes.txt": b"x", ".hidden/a.png": b"x"})
    assert found == of(tmp_path / "dogs")
    write_folder(tmp_path / "above", {f"cats/{name}": data for name, data in files.items()})
    assert found == of(tmp_path / "above")
    stored = of(write_zip(tmp_path / "stored.zip", files))
    assert stored == of(write_zip(tmp_path / "deflated.zip", dict(reversed(files.items())), zipfile.ZIP_DEFLATED))
    assert changes(found, stored) == changes(stored, found) == ()
    assert merged(found, stored) == merged(stored, found) == stored


@pytest.mark.parametrize("write", [write_folder, write_zip])
def test_each_change_is_seen_and_named(tmp_path: pathlib.Path, files: dict[str, bytes], write) -> None:
    found = of(write(tmp_path / "set", files))

    def changed(**new: bytes) -> tuple[str, ...] | None:
        shutil.rmtree(tmp_path / "other", ignore_errors=True)
        (tmp_path / "other").unlink(missing_ok=True) if (tmp_path / "other").is_file() else None
        return changes(found, of(write(tmp_path / "other", {**files, **new})))

    assert changed() == ()
    last = files["01/005.png"]
    assert changed(**{"01/005.png": last + b"x"}) == ("files of other sizes", "files of other content")
    same_size = last[:-14] + b"1" + last[-13:]
    assert changed(**{"01/005.png": same_size[:-1] + b"\x83"}) == ("files of other content",)
    more = changed(**{"02/000.png": last})
    assert more is not None and more[:2] == ("other file names (or another order)", "files of other sizes")
    renamed = {**files, "01/004.png": last}
    del renamed["01/005.png"]
    assert changes(found, of(write(tmp_path / "renamed", renamed))) == ("other file names (or another order)",)


def test_composed_and_decomposed_names_are_the_same_in_the_same_order(tmp_path: pathlib.Path) -> None:
    names = ["a.png", "é.png"]
    composed = {name: encode(make_pixels(i)) for i, name in enumerate(names)}
    decomposed = {unicodedata.normalize("NFD", name): content for name, content in composed.items()}
    one, other = of(write_zip(tmp_path / "a.zip", composed)), of(write_zip(tmp_path / "b.zip", decomposed))
    assert changes(one, other) == ()
    further = {"f.png": encode(make_pixels(3))}  # after the decomposed letter, before the composed one
    one = of(write_zip(tmp_path / "c.zip", composed | further))
    other = of(write_zip(tmp_path / "d.zip", decomposed | further))
    assert changes(one, other) != ()


def test_labels_belong_to_it_where_they_are_used(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    def labelled(labels: list[object], extra: list[object] = ()) -> str:  # type: ignore[assignment]
        entries = [list(pair) for pair in zip(NAMES, labels, strict=True)]
        return write_folder(tmp_path / "set", files | label_file([*extra, *reversed(entries)]))

    one, unused = of(labelled([0, 1, 2, 0, 1, 2]), use_labels=True), of(tmp_path / "set")
    assert "labels:" in one and "labels:" not in unused and unused == of(labelled([1, 1, 2, 0, 1, 2]))
    assert changes(one, of(tmp_path / "set", use_labels=True)) == ("other labels",)
    assert one == of(labelled([0, 1, 2, 0, 1, 2], [["gone.png", 7]]), use_labels=True)
    vectors = of(labelled([[0.5], [1], [2], [0], [1], [2]]), use_labels=True)
    assert changes(one, vectors) == ("other labels",)


def test_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    one = of("digits")
    assert one.startswith("checksums:") and one == of("digits", mirror=True)
    assert changes(one, of("digits", use_labels=True)) == ()
    assert changes(one, "names:0 sizes:0 sample:0") is None


def test_of_many_files_a_fixed_sample_is_read(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint_module, "_MOST_SAMPLED", 3)
    folder = write_folder(tmp_path / "set", {f"{i}.png": encode(make_pixels(7)) for i in range(8)})
    found = of(folder)
    flipped = encode(np.flip(make_pixels(7), 2))
    (tmp_path / "set" / "1.png").write_bytes(flipped)
    same_size = len(flipped) == len(encode(make_pixels(7)))
    assert changes(found, of(folder)) == (() if same_size else ("files of other sizes",))
    content = bytearray(encode(make_pixels(7)))
    content[-20] ^= 1
    for index, seen in ((1, False), (0, True), (3, True), (7, True)):
        good = (tmp_path / "set" / f"{index}.png").read_bytes()
        (tmp_path / "set" / "1.png").write_bytes(encode(make_pixels(7)))
        (tmp_path / "set" / f"{index}.png").write_bytes(content)
        assert bool(changes(found, of(folder))) == seen
        (tmp_path / "set" / f"{index}.png").write_bytes(good if index != 1 else encode(make_pixels(7)))


def test_files_that_are_passed_over_have_their_place_in_it(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    files["00/002.png"] = files["00/002.png"][:30]
    folder = write_folder(tmp_path / "set", files)
    assert of(folder, skip_bad=True) == of(folder, skip_bad=True)


def test_a_sample_does_not_grow_with_the_files() -> None:
    for sizes in ([1], [5, 5], [10**9] * 100, [700] * 100_000):
        sample = fingerprint_module._sample(sizes)
        assert sample[0] == 0 and sample[-1] == len(sizes) - 1 and np.all(np.diff(sample) > 0)
        assert len(sample) <= 1024 and (len(sample) <= 2 or len(sample) * sizes[0] <= 2**26)
    assert len(fingerprint_module._sample([700] * 1000)) == 1000
    assert png_files(1)
