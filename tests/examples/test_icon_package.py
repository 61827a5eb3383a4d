"""Icons of a package made here, and what goes wrong without npm."""

from __future__ import annotations

import io
import json
import pathlib
import tarfile

import pytest

from examples import icon_package, mixed_images

ROWS = [
    {"category": "Food", "sort_order": 2, "image": "2.png", "has_img_google": True},
    {"category": "Food", "sort_order": 1, "image": "1.png", "has_img_google": True},
    {"category": "Animals", "sort_order": 7, "image": "7.png", "has_img_google": True},
    {"category": "Animals", "sort_order": 3, "image": "3.png", "has_img_google": False},
]


def package(path: pathlib.Path, rows: list, images: list[str]) -> pathlib.Path:
    files = {"emoji.json": json.dumps(rows).encode(), **{f"img/google/64/{name}": name.encode() for name in images}}
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_icons_come_by_category_in_the_order_of_the_table(tmp_path: pathlib.Path):
    found = list(icon_package.icons_of(package(tmp_path / "icons.tgz", ROWS, ["1.png", "2.png", "7.png"])))
    assert found == [("Animals", "7.png", b"7.png"), ("Food", "1.png", b"1.png"), ("Food", "2.png", b"2.png")]


@pytest.mark.parametrize(("rows", "images"), [(ROWS, ["1.png"]), ([{"category": "Food", "sort_order": 1}], [])])
def test_another_package_is_one_line(tmp_path: pathlib.Path, rows: list, images: list[str]):
    with pytest.raises(ValueError, match=r"^icons.tgz: found .* in it, expected a package such as emoji-") as error:
        list(icon_package.icons_of(package(tmp_path / "icons.tgz", rows, images)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("npm", "expected"),
    [
        ("", "npm: found no such program, expected one that brings "),
        (
            "#!/bin/sh\necho no such package >&2\nexit 3",
            "npm: found exit status 3 (no such package), expected the package ",
        ),
        ("#!/bin/sh\n", "npm: found exit status 0 (nothing), expected the package "),
    ],
)
def test_what_npm_cannot_bring_is_one_line(
    npm: str,
    expected: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    if npm:
        (tmp_path / "npm").write_text(npm)
        (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert mixed_images.main([f"--out={tmp_path}/mixed", "--icons=1"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"mixed_images: {expected}") and error.count("\n") == 1
    assert not (tmp_path / "mixed").exists()
