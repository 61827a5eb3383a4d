"""Labels meet their images however the writers of label file and zip file spelled the names."""

from __future__ import annotations

import codecs
import json
import pathlib
import struct
import unicodedata
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from sg_keras.data import open_dataset
from sg_keras.data.label_names import MatchedLabels, common_folder, match_labels, plain_name
from tests.data.conftest import encode, label_file, make_pixels, write_folder, write_zip

NAMES = ["00000/Käse.png", "00000/b c.png", "00001/a.png"]
LABELS = [2, 0, 1]


def spelled(
    names: list[str], entries: list[str], folder: str = "", own_name: str = "cats"
) -> MatchedLabels | list[str]:
    return match_labels(dict(zip(entries, LABELS, strict=False)), names, folder, own_name)


@pytest.mark.parametrize(
    ("spell", "overlooked"),
    [
        (lambda name: name, ""),
        (lambda name: "./" + name, ""),
        (lambda name: "/" + name, ""),
        (lambda name: name.replace("/", "//"), ""),
        (lambda name: name.replace("/", "\\"), ""),
        (lambda name: ".\\" + name.replace("/", "\\"), ""),
        (lambda name: unicodedata.normalize("NFD", name), ""),
        (lambda name: "cats/" + name, "folders up to cats"),
        (lambda name: "/home/me/Cats/" + name, "folders up to cats"),
        (lambda name: "C:\\data\\cats\\" + name.replace("/", "\\"), "folders up to cats"),
        (urllib.parse.quote, "percent signs"),
        (str.upper, "the case of letters"),
        (lambda name: urllib.parse.quote("cats/" + name.upper()), "cats and percent signs and the case of letters"),
    ],
)
def test_spellings(spell: Callable[[str], str], overlooked: str) -> None:
    found = spelled(NAMES, [spell(name) for name in NAMES])
    assert isinstance(found, MatchedLabels) and found.values == LABELS
    assert overlooked in found.note and bool(found.note) == bool(overlooked)
    decomposed = [unicodedata.normalize("NFD", name) for name in NAMES]
    again = spelled(decomposed, [spell(name) for name in NAMES])
    assert isinstance(again, MatchedLabels) and again.values == LABELS


@pytest.mark.parametrize("folder", ["", "cats", "cats/all"])
@pytest.mark.parametrize("of_entry", ["", "all/", "cats/all/"])
def test_folders_that_hold_all_images(folder: str, of_entry: str) -> None:
    """Of a folder zipped with its name, wherever in it the label file lies."""
    names = [f"cats/all/{name}" for name in NAMES]
    entries = [of_entry + name for name in NAMES]
    found = spelled(names, entries, folder)
    assert isinstance(found, MatchedLabels) and found.values == LABELS


def test_what_is_not_clear_is_not_guessed() -> None:
    assert spelled(["a.png", "A.PNG"], ["A.png", "a.PNG"]) == ["a.png", "A.PNG"]
    assert spelled(["a/x.png"], ["b/x.png"]) == ["a/x.png"]  # of another set, it may be
    assert spelled(["x.png"], ["train/x.png"]) == ["x.png"]
    two = match_labels({"A.png": 1, "a.PNG": 2}, ["a.png"], "", "cats")
    assert two == ["a.png"]
    same = match_labels({"A.png": 1, "a.PNG": 1}, ["a.png"], "", "cats")
    assert isinstance(same, MatchedLabels) and same.values == [1]


def test_the_best_reading_says_what_is_missing() -> None:
    assert spelled(NAMES, [".\\" + name.replace("/", "\\") for name in NAMES[:2]]) == NAMES[2:]


def test_folders_and_names() -> None:
    assert common_folder(["a/b/c.png", "a/b/d/e.png"]) == "a/b"
    assert common_folder(["a-b/c.png", "a/c.png"]) == common_folder(["a.png"]) == ""
    assert plain_name("./a\\b//c.png") == plain_name("/a/b/c.png") == "a/b/c.png"


def files_with_labels(prefix: str = "") -> dict[str, bytes]:
    files = {name: encode(make_pixels(number)) for number, name in enumerate(NAMES)}
    labels = label_file([[name, label] for name, label in zip(NAMES, LABELS, strict=True)])
    return {prefix + name: content for name, content in (files | labels).items()}


def classes_of(path: str) -> list[int]:
    dataset = open_dataset(path, use_labels=True)
    for index in range(3):
        assert np.array_equal(dataset.image(index), make_pixels(index))
    return dataset.labels(np.arange(3)).argmax(1).tolist()


def test_a_zip_file_with_backslashes(tmp_path: pathlib.Path) -> None:
    """As Windows PowerShell writes it, entries for folders included."""
    with zipfile.ZipFile(tmp_path / "cats.zip", "w") as archive:
        for name, content in {"00000/": b"", **files_with_labels()}.items():
            info = zipfile.ZipInfo("x")
            info.filename = name.replace("/", "\\")
            archive.writestr(info, content)
    assert classes_of(str(tmp_path / "cats.zip")) == LABELS
    assert open_dataset(tmp_path / "cats.zip").num_images == 3


def test_a_file_whose_name_has_a_backslash_stays_apart(tmp_path: pathlib.Path) -> None:
    with zipfile.ZipFile(tmp_path / "cats.zip", "w") as archive:
        for number, name in enumerate(["a/b.png", "a\\b.png"]):
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, encode(make_pixels(number)))
    images = open_dataset(tmp_path / "cats.zip").images(np.arange(2))
    assert np.array_equal(images, [make_pixels(0), make_pixels(1)])


@pytest.mark.parametrize("unicode_path", [False, True])
def test_a_zip_file_in_utf8_that_does_not_say_so(tmp_path: pathlib.Path, unicode_path: bool) -> None:
    """As macOS writes it; and with the name in an extra field, as Info-ZIP does."""
    path = tmp_path / "cats.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files_with_labels().items():
            raw = name.replace("ä", "?").encode() if unicode_path else name.encode()
            info = zipfile.ZipInfo(raw.decode("cp437"))
            if unicode_path:
                field = struct.pack("<BI", 1, zlib.crc32(raw)) + name.encode()
                info.extra = struct.pack("<HHI", 0x5455, 4, 0) + struct.pack("<HH", 0x7075, len(field)) + field
            archive.writestr(info, content)
    path.write_bytes(without_utf8_flags(path))
    assert classes_of(str(path)) == LABELS


def without_utf8_flags(path: pathlib.Path) -> bytes:
    """A zip file whose names are in UTF-8 and its directory silent on it; zipfile itself would write the flag."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.flag_bits & 0x800:
                old = info.filename.encode("utf-8")
                new = info.filename.encode("cp437")  # what it was before zipfile took it for letters
                for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
                    length_at = offset + 20
                    at = next(i for i in find_all(data, signature) if old in data[i : i + 60 + len(old)])
                    data[at + offset : at + offset + 2] = struct.pack("<H", 0)
                    data[at + length_at : at + length_at + 2] = struct.pack("<H", len(new))
                    start = data.index(old, at)
                    data[start : start + len(old)] = new
    return moved(data)


def find_all(data: bytearray, part: bytes) -> list[int]:
    return [i for i in range(len(data)) if data[i : i + 4] == part]


def moved(data: bytearray) -> bytes:
    """With offsets that are right again after names became shorter."""
    heads, entries = find_all(data, b"PK\x03\x04"), find_all(data, b"PK\x01\x02")
    for head, entry in zip(heads, entries, strict=True):
        data[entry + 42 : entry + 46] = struct.pack("<I", head)
    end = data.rindex(b"PK\x05\x06")
    data[end + 12 : end + 20] = struct.pack("<II", end - entries[0], entries[0])
    return bytes(data)


@pytest.mark.parametrize("write", [write_folder, write_zip])
def test_a_folder_packed_with_its_name(tmp_path: pathlib.Path, write: Callable[..., str]) -> None:
    path = write(tmp_path / "pets.zip", files_with_labels("cats/") | {"README.txt": b"x"})
    assert classes_of(path) == LABELS


@pytest.mark.parametrize("name", ["Dataset.JSON", "cats/Dataset.json"])
def test_a_label_file_in_capital_letters(tmp_path: pathlib.Path, name: str) -> None:
    files = files_with_labels()
    content = files.pop("dataset.json")
    prefix = "cats/" if "/" in name else ""
    moved_files = {prefix + image: data for image, data in files.items()}
    assert classes_of(write_folder(tmp_path / "pets", moved_files | {name: content})) == LABELS


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("as_object", [False, True])
def test_encodings_of_a_label_file(tmp_path: pathlib.Path, codec: str, as_object: bool) -> None:
    """With and without a byte order mark; and an object where others write pairs."""
    pairs = list(zip(NAMES, LABELS, strict=True))
    text = json.dumps({"labels": dict(pairs) if as_object else pairs}, ensure_ascii=False)
    content = {"dataset.json": codecs.encode(text, codec)}
    assert classes_of(write_folder(tmp_path / "cats", files_with_labels() | content)) == LABELS


OTHER_TOOLS = {
    "categories": b'{"images": [], "annotations": [], "categories": []}',
    "classes in words": b'{"name": "my set", "labels": {"00000/b c.png": "cat"}}',
    "names of classes": b'{"labels": ["cat", "dog"]}',
    "lines": b'{"a": 1}\n{"b": 2}\n',
    "nothing": b"",
    "no text": b"\x80\x81\x82",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", OTHER_TOOLS.values(), ids=OTHER_TOOLS)
@pytest.mark.parametrize("write", [write_folder, write_zip])
def test_a_label_file_of_another_tool(tmp_path: pathlib.Path, content: bytes, write: Callable[..., str]) -> None:
    """Without labels it does no harm; with them one line says what it is."""
    path = write(tmp_path / "cats", files_with_labels() | {"dataset.json": content})
    assert not open_dataset(path).has_labels or b'"cat"' in content
    with pytest.raises(ValueError, match=r"dataset.json.*, expected") as caught:
        open_dataset(path, use_labels=True)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_what_there_is_instead_of_labels_is_told(tmp_path: pathlib.Path) -> None:
    files = {"a/x.png": encode(make_pixels(0)), "b/y.png": encode(make_pixels(1))}
    found = {"a/dataset.json": b"{}", "b/dataset.json": b"{}", "list.csv": b""}
    path = write_folder(tmp_path / "cats", files | found)
    with pytest.raises(ValueError, match=r"found no dataset.json, .* \(there is a/dataset.json, b/dataset.json\)"):
        open_dataset(path, use_labels=True)
    path = write_folder(tmp_path / "dogs", files | {"dataset.json": b'{"images": 1, "b": 2}'})
    with pytest.raises(
        ValueError, match=r'found no labels in dataset.json, .* \(it holds an object with "images", "b"\)'
    ):
        open_dataset(path, use_labels=True)
