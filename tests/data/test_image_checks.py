"""The one line on images that are not as the others: the odd ones are named, how many, and the first three."""

from __future__ import annotations

import pathlib
import re

import numpy as np
import pytest

from sg_keras.data import open_dataset
from tests.data.conftest import encode, make_pixels, write_folder, write_zip


def images(count: int, side: int = 8, channels: int = 3, prefix: str = "img") -> dict[str, bytes]:
    return {f"{prefix}{i:02d}.png": encode(make_pixels(i, side, channels)) for i in range(count)}


def line_on(path: str, **options: bool) -> str:
    with pytest.raises((OSError, ValueError)) as caught:
        open_dataset(path, **options)
    text = str(caught.value)
    assert "\n" not in text and ": found " in text and ", expected " in text
    return text


def test_the_odd_one_is_named_though_it_is_the_first(tmp_path: pathlib.Path) -> None:
    folder = write_folder(tmp_path / "set", images(5) | images(1, 16, prefix="a") | images(1, 8, 1, prefix="b"))
    assert line_on(folder) == (
        f"{folder}/a00.png: found 16x16 pixels, expected 8x8 as in {folder}/img00.png; "
        f"{folder}/b00.png: found a gray image, expected RGB as in {folder}/img00.png"
    )


def test_many_are_counted_and_three_named(tmp_path: pathlib.Path) -> None:
    path = write_zip(tmp_path / "set.zip", images(6) | images(4, 8, 1, prefix="x") | images(1, 4, 1, prefix="y"))
    assert line_on(path) == (
        f"{path}/x00.png: found a gray image, expected RGB as in {path}/img00.png "
        f"(4 of 11 images: x00.png, x01.png, x02.png, ...); "
        f"{path}/y00.png: found a gray image of 4x4 pixels, expected RGB and 8x8 as in {path}/img00.png"
    )


def test_faults_of_every_kind_at_once(tmp_path: pathlib.Path) -> None:
    transparent = encode(np.zeros([8, 8, 4], np.uint8))
    bad = {"a.png": b"", "b.png": transparent, "c.png": b"<html>" * 9, "d.png": transparent, "e.png": transparent[:20]}
    folder = write_folder(tmp_path / "set", images(3) | bad | images(2, 16, prefix="z"))
    text = line_on(folder)
    assert text.startswith(f"{folder}/a.png: found an empty file, expected")
    rgba = f"{folder}/b.png: found an RGBA image, expected RGB as in {folder}/img00.png (2 of 10 images: b.png, d.png)"
    assert f"{rgba}; " in text
    assert text.endswith("; and 2 more kinds of faults")
    skipped = line_on(folder, skip_bad=True)
    assert skipped.startswith(rgba) and "empty" not in skipped
    assert f"{folder}/z00.png: found 16x16 pixels, expected 8x8 as in {folder}/img00.png (2 of 10 images" in skipped


@pytest.mark.parametrize(("count", "words"), [(1, ""), (3, " (all 3 images)")])
def test_all_are_of_a_size_that_cannot_be(tmp_path: pathlib.Path, count: int, words: str) -> None:
    folder = write_folder(tmp_path / "set", images(count, 4))
    assert (
        line_on(folder)
        == f"{folder}/img00.png: found 4x4 pixels, expected 8x8, the nearest size that StyleGAN2 can make{words}"
    )


def test_the_many_are_wrong_and_the_odd_one_right(tmp_path: pathlib.Path) -> None:
    folder = write_folder(tmp_path / "set", images(3, 11) | images(1, 8, prefix="a"))
    nearest = "10x10 or 12x12, the nearest sizes that StyleGAN2 can make"
    assert f"img00.png: found 11x11 pixels, expected {nearest} (3 of 4 images" in line_on(folder)
    wide = {f"{i}.png": encode(make_pixels(i, 16)[:7]) for i in range(3)}
    assert "0.png: found 16x7 pixels, expected 16x8, the nearest size that StyleGAN2 can make (3 of 4" in line_on(
        write_folder(tmp_path / "wide", wide | images(1))
    )


def test_images_of_all_sizes(tmp_path: pathlib.Path) -> None:
    sizes = {f"{side:02d}.png": encode(make_pixels(0, side)) for side in range(9, 18)}
    folder = write_folder(tmp_path / "set", sizes | {"20.png": encode(make_pixels(1, 16))})
    assert line_on(folder) == (
        f"{folder}: found images of 9 sizes, 16x16 the most frequent (2 of 10, 16.png the first), expected one size "
        "for all"
    )


def test_of_two_the_first_is_right(tmp_path: pathlib.Path) -> None:
    folder = write_folder(tmp_path / "set", images(1, 16, prefix="b") | images(1, 8, prefix="a"))
    assert "b00.png: found 16x16 pixels, expected 8x8 as in" in line_on(folder)


def test_nothing_can_be_read(tmp_path: pathlib.Path) -> None:
    folder = write_folder(tmp_path / "set", {f"{i}.png": b"" for i in range(5)})
    for skip_bad in (False, True):
        assert line_on(folder, skip_bad=skip_bad) == (
            f"{folder}/0.png: found an empty file, expected a PNG or JPEG image (all 5 images)"
        )


OTHERS = {"a.webp": b"", "b.WEBP": b"", "sub/c.webp": b"", "d.txt": b"", "LICENSE": b"", "e.gif": b"", "f.bmp": b""}
OF_SYSTEMS = {
    "Thumbs.db": b"",
    "sub/desktop.ini": b"",
    ".DS_Store": b"",
    "__MACOSX/._a.png": b"",
    "dataset.json": b"{}",
}


@pytest.mark.parametrize("write", [write_folder, write_zip])
def test_files_left_out_are_counted(tmp_path: pathlib.Path, write) -> None:
    path = write(tmp_path / "set", images(2) | OTHERS | OF_SYSTEMS)
    (note,) = open_dataset(path).notes
    assert re.fullmatch(
        r".*set: files other than \.png, \.jpg and \.jpeg are left out \(3 \.webp, .*, 2 more\); 2 images are used",
        note,
    )
    assert open_dataset(write(tmp_path / "plain", images(1) | OF_SYSTEMS)).notes == ()
