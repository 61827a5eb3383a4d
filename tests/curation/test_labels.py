"""Labels from folders, tables and JSON files, and those that come along with the images."""

from __future__ import annotations

import json
import pathlib

import pytest

from tests.curation.originals import classes_of_noise, description_of, file_of, noise, run, write

NAMES = sorted(classes_of_noise())
CLASSES = [name.partition("/")[0] for name in NAMES]


def labels_of(tmp_path: pathlib.Path, source: str, **options: object) -> tuple[list, list[str]]:
    """Labels in the order of the images, and names of classes."""
    run(source, tmp_path / "out.zip", **options)
    found = description_of(tmp_path / "out.zip")
    labels = found["labels"]
    assert labels is None or [name for name, _ in labels] == [f"00000/img{i:08d}.png" for i in range(len(NAMES))]
    return labels and [label for _, label in labels], found.get("class_names", [])


@pytest.fixture
def photos(tmp_path: pathlib.Path) -> str:
    return write(tmp_path / "photos", classes_of_noise())


def test_folders(photos: str, tmp_path: pathlib.Path):
    names = ["cat", "dog", "owl"]
    assert labels_of(tmp_path, photos, labels="folders") == ([names.index(label) for label in CLASSES], names)


def test_originals_outside_of_folders(photos: str, tmp_path: pathlib.Path):
    write(pathlib.Path(photos), {"a.png": file_of(noise(0))})
    with pytest.raises(ValueError, match=r"--labels=folders: found no folder for a.png of .*photos, expected each"):
        run(photos, tmp_path / "out.zip", labels="folders")
    assert not (tmp_path / "out.zip").exists()


CSV = {
    "names": ("file,breed\n", ["{name},{label}"], "", None),
    "semicolons and a byte order mark": ("\ufefffile;breed\n", ["{name};{label}"], "", None),
    "tabs, Windows's paths and line ends": ("file\tbreed\r\n", ["{windows}\t{label}\r"], "", None),
    "no header": ("", ["{name},{label}"], "", None),
    "a column by name": ("id,age,breed\n", ["{name},7,{label}"], ":breed", None),
    "a column by number": ("", ["{name},7,{label}"], ":3", None),
    "quotes": ('"file","breed"\n', ['"{name}","{label}"'], "", None),
}


@pytest.mark.parametrize("case", CSV, ids=str)
def test_class_names_of_tables(case: str, photos: str, tmp_path: pathlib.Path):
    header, (row,), columns, separator = CSV[case]
    rows = [
        row.format(name=name, label=label, windows=name.replace("/", "\\"))
        for name, label in zip(NAMES, CLASSES, strict=True)
    ]
    table = tmp_path / "labels.csv"
    table.write_bytes((header + "\n".join(reversed(rows)) + "\n\n").encode("utf-8"))
    names = ["cat", "dog", "owl"]
    expected = [names.index(label) for label in CLASSES], names
    assert labels_of(tmp_path, photos, labels=f"csv:{table}{columns}", label_separator=separator) == expected


def table_of(tmp_path: pathlib.Path, header: str, rows: list[str]) -> str:
    path = tmp_path / "labels.csv"
    path.write_text("\n".join([header, *(f"{name},{row}" for name, row in zip(NAMES, rows, strict=True))]))
    return f"csv:{path}"


def test_numbers_vectors_and_several_classes(photos: str, tmp_path: pathlib.Path):
    indices = labels_of(tmp_path, photos, labels=table_of(tmp_path, "file,class", list("2100212")))
    assert indices == ([2, 1, 0, 0, 2, 1, 2], [])
    for rows, columns, separator, expected, names in (
        (["0.5", "1", "2", "3", "4", "5", "6e-1"], "", None, [[0.5], [1], [2], [3], [4], [5], [0.6]], []),
        (["1,2,x"] * 7, ":age,mood", None, [[1, 2]] * 7, []),
        (["hat| cat", "", "cat"] + ["hat"] * 4, "", "|", [[1, 1], [0, 0], [1, 0]] + [[0, 1]] * 4, ["cat", "hat"]),
    ):
        (tmp_path / "out.zip").unlink()
        header = "file,age,mood,name" if columns else "file,label"
        spec = table_of(tmp_path, header, rows) + columns
        found, found_names = labels_of(tmp_path, photos, labels=spec, label_separator=separator)
        assert (found, found_names) == (expected, names)


@pytest.mark.parametrize(
    "header, rows, columns, message",
    [
        ("file,class", ["cat"] * 6 + [""], "", "found no label for owl/p05.png, expected one for every image"),
        ("file,x,y", ["1,nan"] * 7, "", r"found the label \[1.0, NaN\] for 7 of 7 images"),
        ("file,x,y", ["1,two"] * 7, "", "found 'two' for cat/p00.png, expected numbers in several columns"),
        ("file,x", ["1"] * 7, ":y", "found no column y, expected one of file, x"),
        ("file,x,y", ["1,2"] * 6 + ["1"], "", "found 2 cells in line 8, expected 3"),
        ("file", [""] * 7, "", None),
    ],
)
def test_tables_that_do_not_fit(header: str, rows: list[str], columns: str, message: str | None, photos: str, tmp_path):
    with pytest.raises(ValueError, match=message or "found") as caught:
        run(photos, tmp_path / "out.zip", labels=table_of(tmp_path, header, rows) + columns)
    assert "\n" not in str(caught.value) and not (tmp_path / "out.zip").exists()


def test_tables_that_are_none(photos: str, tmp_path: pathlib.Path):
    table = tmp_path / "labels.csv"
    for content, message in (
        (b"", "found no two columns"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"file,label\n\xe9.png,1\n", "found text that is not UTF-8"),
        (b"file,label\na.png,1\na.png,2\n", r"found two different labels for a.png \(line 3\)"),
        (b"file,label\nb.png,1\n", r"found no label for 7 of 7 images .* first entry is b.png"),
    ):
        table.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            run(photos, tmp_path / "out.zip", labels=f"csv:{table}")
    with pytest.raises(OSError, match=r"none.csv: found nothing there"):
        run(photos, tmp_path / "out.zip", labels="csv:none.csv")


@pytest.mark.parametrize("plain", [True, False])
def test_json(plain: bool, photos: str, tmp_path: pathlib.Path):
    path = tmp_path / "labels.json"
    table = dict(zip(NAMES, CLASSES, strict=True))
    path.write_text(json.dumps(table if plain else {"labels": list(map(list, table.items()))}))
    names = ["cat", "dog", "owl"]
    assert labels_of(tmp_path, photos, labels=f"json:{path}") == ([names.index(label) for label in CLASSES], names)


def test_json_with_numbers_names_and_several_classes(photos: str, tmp_path: pathlib.Path):
    path = tmp_path / "labels.json"
    named = {"labels": [[name, 1] for name in NAMES], "class_names": ["a", "b"]}
    for content, expected in (
        (named, ([1] * 7, ["a", "b"])),
        (
            {name: ["x", "z"] if name == NAMES[0] else ["y"] for name in NAMES},
            ([[1, 0, 1]] + [[0, 1, 0]] * 6, [*"xyz"]),
        ),
    ):
        path.write_text(json.dumps(content))
        assert labels_of(tmp_path, photos, labels=f"json:{path}") == expected
        (tmp_path / "out.zip").unlink()
    path.write_text('{"labels": [["cat/p00.png", NaN]]}')
    with pytest.raises(ValueError, match="found no label for 6 of 7"):
        run(photos, tmp_path / "out.zip", labels=f"json:{path}")
    path.write_text(json.dumps({name: float("nan") for name in NAMES}))
    with pytest.raises(ValueError, match="found the label NaN for 7 of 7 images"):
        run(photos, tmp_path / "out.zip", labels=f"json:{path}")
    path.write_text("[1]")
    with pytest.raises(ValueError, match="found a list, expected labels by file name"):
        run(photos, tmp_path / "out.zip", labels=f"json:{path}")


def test_labels_and_names_are_carried_over(photos: str, tmp_path: pathlib.Path):
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    run(photos, first, labels="folders")
    run(str(first), second, size=(8, 8))
    assert description_of(second)["labels"] == description_of(first)["labels"]
    assert description_of(second)["class_names"] == ["cat", "dog", "owl"]
    run(str(first), tmp_path / "none.zip", labels="none")
    assert description_of(tmp_path / "none.zip")["labels"] is None
    assert "class_names" not in description_of(tmp_path / "none.zip")


def test_missing_labels_are_refused(photos: str, tmp_path: pathlib.Path):
    write(pathlib.Path(photos), {"dataset.json": json.dumps({"labels": [[NAMES[0], 1]]}).encode()})
    with pytest.raises(
        ValueError, match=r"found no label for 6 of 7 .* --labels=none does .* --unlabelled=drop leaves"
    ):
        run(photos, tmp_path / "out.zip")
    write(pathlib.Path(photos), {"dataset.json": b'{"labels": null}'})
    assert labels_of(tmp_path, photos) == (None, [])


def _partial(kind: str, photos: str, tmp_path: pathlib.Path) -> str:
    """Labels of all images but two, in a file of some kind; what to give as --labels."""
    labels = {name: label for name, label in zip(NAMES, CLASSES, strict=True) if name not in (NAMES[1], NAMES[5])}
    if kind == "dataset.json":
        numbers = [[name, ["cat", "dog", "owl"].index(label)] for name, label in labels.items()]
        content = {"labels": [*numbers, [NAMES[1], None]], "class_names": ["cat", "dog", "owl"]}
        write(pathlib.Path(photos), {"dataset.json": json.dumps(content).encode()})
        return "auto"
    path = tmp_path / f"labels.{kind}"
    rows = [f"{name},{label}" for name, label in labels.items()]
    path.write_text("\n".join(["file,class", *rows, f"{NAMES[1]},"]) if kind == "csv" else json.dumps(labels))
    return f"{kind}:{path}"


@pytest.mark.parametrize("kind", ["dataset.json", "csv", "json"])
def test_images_without_a_label_are_dropped_where_that_is_asked(kind: str, photos: str, tmp_path: pathlib.Path):
    labels = _partial(kind, photos, tmp_path)
    with pytest.raises(ValueError, match=r"found no label for 2 of 7 images .* --unlabelled=drop leaves such images"):
        run(photos, tmp_path / "out.zip", labels=labels)
    report = run(photos, tmp_path / "out.zip", labels=labels, drop_unlabelled=True)
    assert report.images == 5 and list(report.unlabelled) == [NAMES[1], NAMES[5]]
    assert report.lines()[-1] == f"5 images of 7 originals in {tmp_path / 'out.zip'}; 2 without a label dropped"
    assert json.loads(pathlib.Path(report.path).read_text())["unlabelled"] == list(report.unlabelled)
    found = description_of(tmp_path / "out.zip")
    numbers = [["cat", "dog", "owl"].index(label) for label in CLASSES]
    names = [f"00000/img{i:08d}.png" for i in range(7)]
    assert found["labels"] == [[names[i], numbers[i]] for i in range(7) if i not in (1, 5)]
    assert found["class_names"] == ["cat", "dog", "owl"] and found["conversion"]["unlabelled_dropped"] == 2


def test_images_outside_of_folders_are_dropped_and_of_no_account(photos: str, tmp_path: pathlib.Path):
    """They are not asked for their size, or what becomes of transparency."""
    outside = noise(0, 9, 9, 4)
    write(pathlib.Path(photos), {"a.png": file_of(outside), "bad.png": b"x"})
    report = run(photos, tmp_path / "out.zip", labels="folders", drop_unlabelled=True)
    assert report.images == 7 and report.unlabelled == ["a.png"] and list(report.bad) == ["bad.png"]
    assert "; 1 without a label dropped; warning: 1 image was left out as unreadable" in report.lines()[-1]


def test_without_any_label_nothing_is_dropped(photos: str, tmp_path: pathlib.Path):
    assert run(photos, tmp_path / "none.zip", drop_unlabelled=True).images == 7
    (tmp_path / "other.csv").write_text("file,class\nother.png,1\n")
    with pytest.raises(ValueError, match="found no label for 7 of 7 images"):
        run(photos, tmp_path / "out.zip", labels=f"csv:{tmp_path / 'other.csv'}", drop_unlabelled=True)


def test_originals_that_cannot_be_read_need_no_label(photos: str, tmp_path: pathlib.Path):
    table = table_of(tmp_path, "file,class", CLASSES)
    write(pathlib.Path(photos), {"bad.png": b"x"})
    report = run(photos, tmp_path / "out.zip", labels=table)
    assert (report.images, len(report.bad)) == (7, 1)
    assert description_of(tmp_path / "out.zip")["labels"][0][0] == "00000/img00000001.png"


def test_classes_without_originals_are_told(photos: str, tmp_path: pathlib.Path):
    lines: list[str] = []
    run(photos, tmp_path / "out.zip", labels=table_of(tmp_path, "file,class", list("3333315")), tell=lines.append)
    assert "4 of 6 classes have no images" in lines[0] or "3 of 6 classes have no images" in lines[0]
