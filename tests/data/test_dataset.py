"""Opening folders and zip files: what is read, and the one-line error for everything that cannot be."""

from __future__ import annotations

import os
import pathlib
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from sg_keras.data import open_dataset
from tests.data.conftest import Writer, encode, make_pixels, png_files, write_folder, write_zip

ORDER = [0, 2, 4, 1, 3, 5]  # images of png_files(6), sorted by file name


def all_images(path: str) -> np.ndarray:
    dataset = open_dataset(path)
    return dataset.images(np.arange(len(dataset)))


def expected(channels: int = 3, side: int = 8) -> np.ndarray:
    return np.stack([make_pixels(i, side, channels) for i in ORDER])


def assert_one_line(error: BaseException) -> None:
    assert "\n" not in str(error)
    assert ": found " in str(error)
    assert ", expected " in str(error)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [8, 128])  # two decoders
@pytest.mark.parametrize("cached_bytes", [0, 2**30])
def test_folder_and_zips_give_the_same_images(
    tmp_path: pathlib.Path, channels: int, side: int, cached_bytes: int
) -> None:
    files = png_files(6, side, channels)
    paths = (
        write_folder(tmp_path / "folder", files),
        write_zip(tmp_path / "stored.zip", files),
        write_zip(tmp_path / "deflated.zip", files, zipfile.ZIP_DEFLATED),
    )
    for path in paths:
        dataset = open_dataset(path, max_cached_bytes=cached_bytes)
        assert (dataset.resolution, dataset.channels, dataset.num_images, len(dataset)) == (side, channels, 6, 6)
        for _ in range(2):  # the second time from memory, where that is allowed
            images = dataset.images(np.arange(6))
            assert images.dtype == np.uint8
            assert np.array_equal(images, expected(channels, side))
        assert np.array_equal(dataset.image(1), make_pixels(2, side, channels))
        dataset.close()


def test_names(tmp_path: pathlib.Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "cats.v2", files)
    assert open_dataset(folder).name == "cats.v2"
    assert open_dataset(tmp_path / "cats.v2").name == "cats.v2"
    assert open_dataset(folder + "/").name == "cats.v2"
    assert open_dataset(write_zip(tmp_path / "dogs.zip", files)).name == "dogs"
    monkeypatch.chdir(folder)
    assert open_dataset(".").name == "cats.v2"


def test_mirrored_copies_are_images_of_their_own(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    dataset = open_dataset(write_zip(tmp_path / "set.zip", files), mirror=True)
    assert (dataset.num_images, len(dataset)) == (6, 12)
    assert np.array_equal(dataset.images(np.arange(12)), np.concatenate([expected(), expected()[:, :, ::-1]]))
    assert np.array_equal(
        dataset.images(np.array([8, 2, 8])), np.stack([expected()[2][:, ::-1], expected()[2], expected()[2][:, ::-1]])
    )


def test_copies_mirrored_top_to_bottom(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    path = write_zip(tmp_path / "set.zip", files)
    dataset = open_dataset(path, mirrory=True)
    assert (dataset.num_images, len(dataset)) == (6, 12)
    assert np.array_equal(dataset.images(np.arange(12)), np.concatenate([expected(), expected()[:, ::-1]]))
    both = open_dataset(path, mirror=True, mirrory=True)
    flipped = [expected(), expected()[:, :, ::-1], expected()[:, ::-1], expected()[:, ::-1, ::-1]]
    assert len(both) == 24 and np.array_equal(both.images(np.arange(24)), np.concatenate(flipped))
    shuffled = np.random.default_rng(0).permutation(24)
    assert np.array_equal(both.images(shuffled), np.concatenate(flipped)[shuffled])


def test_index_out_of_range(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    dataset = open_dataset(write_folder(tmp_path / "set", files))
    for index in (-1, 6):
        with pytest.raises(IndexError, match="expected 0 to 5"):
            dataset.image(index)
    assert dataset.images(np.zeros(0, np.int64)).shape == (0, 8, 8, 3)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}])
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_as_pillow_decodes_it(tmp_path: pathlib.Path, channels: int, options: dict[str, object]) -> None:
    exif = Image.Exif()
    exif[0x010E] = "x" * 5000  # pushes the frame header beyond the first kilobyte
    exif[0x0112] = 6  # orientation: not applied
    files = {
        "a.jpg": encode(make_pixels(0, 16, channels), "JPEG", **options),
        "b.JPEG": encode(make_pixels(1, 16, channels), "JPEG", exif=exif, **options),
    }
    dataset = open_dataset(write_folder(tmp_path / "set", files))
    for index, name in enumerate(files):
        with Image.open(tmp_path / "set" / name) as image:
            assert np.array_equal(dataset.image(index), np.asarray(image).reshape(16, 16, channels))


def test_png_and_jpeg_mix_and_content_decides(tmp_path: pathlib.Path) -> None:
    files = {"a.png": encode(make_pixels(0), "JPEG"), "b.jpg": encode(make_pixels(1), "PNG")}
    assert np.array_equal(open_dataset(write_folder(tmp_path / "set", files)).image(1), make_pixels(1))


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("L", 1), ("P", 3), ("RGB", 3), ("RGBA", 4)])
def test_png_kinds(tmp_path: pathlib.Path, mode: str, channels: int) -> None:
    image = Image.fromarray(make_pixels(0)).convert(mode)
    (tmp_path / "set").mkdir()
    image.save(tmp_path / "set" / "a.png")
    dataset = open_dataset(tmp_path / "set")
    assert np.array_equal(
        dataset.image(0), np.asarray(image.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])).reshape(8, 8, channels)
    )


@pytest.mark.parametrize("side", [8, 128])  # Pillow decodes small ones, TensorFlow large ones
def test_what_has_transparency_is_rgba_and_its_alpha_as_it_is(tmp_path: pathlib.Path, side: int) -> None:
    pixels = make_pixels(0, side, 4)
    gray, palette = make_pixels(1, side, 2), Image.fromarray(make_pixels(2, side)).convert("P")
    palette.info["transparency"] = 3
    (tmp_path / "set").mkdir()
    for name, image in (("a", Image.fromarray(pixels)), ("b", Image.fromarray(gray, "LA")), ("c", palette)):
        image.save(tmp_path / "set" / f"{name}.png")
    dataset = open_dataset(tmp_path / "set")
    assert dataset.image_shape == (side, side, 4)
    assert dataset.notes == ("the images have transparency: networks of 4 channels (RGBA) learn it as it is",)
    assert np.array_equal(dataset.image(0), pixels)
    assert np.array_equal(dataset.image(1), np.concatenate([gray[:, :, :1]] * 3 + [gray[:, :, 1:]], axis=2))
    assert np.array_equal(dataset.image(2), np.asarray(palette.convert("RGBA")))


def test_color_key_of_an_rgb_png_is_ignored(tmp_path: pathlib.Path) -> None:
    pixels = make_pixels(0, 128)
    files = {"a.png": encode(pixels, transparency=tuple(int(v) for v in pixels[0, 0]))}
    assert np.array_equal(open_dataset(write_folder(tmp_path / "set", files)).image(0), pixels)


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("I;16", "found 16 bits a channel, expected 8"),
        ("CMYK", "found a JPEG of 4 channels, 8 bits each, expected gray or RGB, 8 bits"),
    ],
)
def test_kinds_that_are_refused(tmp_path: pathlib.Path, mode: str, message: str) -> None:
    (tmp_path / "set").mkdir()
    image = Image.fromarray(make_pixels(0, channels=1)[:, :, 0]).convert("I" if mode == "I;16" else mode)
    image.convert(mode if mode == "I;16" else image.mode).save(
        tmp_path / "set" / "a.png", "JPEG" if mode == "CMYK" else "PNG"
    )
    with pytest.raises(ValueError, match=f"set/a.png: {message}") as caught:
        open_dataset(tmp_path / "set")
    assert_one_line(caught.value)


def test_hidden_and_foreign_files_are_left_out(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    others = {"._00.png": b"x", "__MACOSX/00/._0.png": b"x", ".cache/a.png": b"x", "notes.txt": b"x", "a.gif": b"x"}
    assert len(open_dataset(write_folder(tmp_path / "set", files | others))) == 6
    assert len(open_dataset(write_zip(tmp_path / "set.zip", files | others))) == 6


def test_links_are_followed_once(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    folder = write_folder(tmp_path / "set", {"a.png": files["00/000.png"]})
    elsewhere = write_folder(tmp_path / "elsewhere", {"b.png": files["00/000.png"]})
    (tmp_path / "set/linked").symlink_to(elsewhere)
    (tmp_path / "elsewhere/back").symlink_to(folder)
    assert len(open_dataset(folder)) == 2


def test_zip64_and_data_before_the_archive(
    tmp_path: pathlib.Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)  # as if the file were beyond 4 GiB
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(data)
    monkeypatch.undo()
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    assert np.array_equal(all_images(str(path)), expected())


def test_threads_read_the_same_images(tmp_path: pathlib.Path) -> None:
    dataset = open_dataset(write_zip(tmp_path / "set.zip", png_files(6), zipfile.ZIP_DEFLATED))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: dataset.images(np.arange(6)), range(20)))
    assert all(np.array_equal(images, expected()) for images in results)


def test_missing_path(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match="none: found nothing there, expected a folder or zip file") as caught:
        open_dataset(tmp_path / "none")
    assert_one_line(caught.value)


@pytest.mark.parametrize(("content", "found"), [({}, "no files"), ({"a.webp": b"x", "b.webp": b"x"}, "2 .webp")])
@pytest.mark.parametrize("write", [write_folder, write_zip])
def test_no_images(tmp_path: pathlib.Path, content: dict[str, bytes], found: str, write: Writer) -> None:
    with pytest.raises(ValueError, match=rf"set: found no images \({found}\), expected .png, .jpg or .jpeg") as caught:
        open_dataset(write(tmp_path / "set", content))
    assert_one_line(caught.value)


@pytest.mark.parametrize("compression", [None, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_mixed_sizes_name_both_files(tmp_path: pathlib.Path, files: dict[str, bytes], compression: int | None) -> None:
    files["00/003.png"] = encode(make_pixels(9, side=16))
    path = (
        write_folder(tmp_path / "set", files)
        if compression is None
        else write_zip(tmp_path / "set", files, compression)
    )
    with pytest.raises(ValueError, match=r"set/00/003.png: found 16x16 pixels, expected 8x8 as in .*set/00/000.png"):
        open_dataset(path)


def test_gray_among_rgb_names_both_files(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    files["00/003.png"] = encode(make_pixels(9, channels=1))
    with pytest.raises(ValueError, match=r"set/00/003.png: found a gray image, expected RGB as in .*set/00/000.png"):
        open_dataset(write_folder(tmp_path / "set", files))


@pytest.mark.parametrize("width, height", [(96, 64), (16, 8), (12, 24)])
def test_rectangles(tmp_path: pathlib.Path, width: int, height: int) -> None:
    pixels = make_pixels(0, max(width, height))[:height, :width]
    path = write_folder(tmp_path / "set", {"a.png": encode(pixels)})
    dataset = open_dataset(path, mirror=True)
    assert (dataset.resolution, str(dataset.size)) == ((height, width), f"{width}x{height}")
    assert np.array_equal(dataset.images(np.arange(2)), np.stack([pixels, pixels[:, ::-1]]))
    assert open_dataset(path, resolution=(height, width)).image_shape == (height, width, 3)
    with pytest.raises(ValueError, match=rf"set/a.png: found {width}x{height} pixels, expected {height}x{width}$"):
        open_dataset(path, resolution=[width, height])


@pytest.mark.parametrize("side, nearest", [(1, "8x8"), (4, "8x8"), (18, "16x16 or 20x20")])
def test_sizes_that_cannot_be_made(tmp_path: pathlib.Path, side: int, nearest: str) -> None:
    path = write_folder(tmp_path / "set", png_files(2, side))
    with pytest.raises(ValueError, match=f"set/00/000.png: found {side}x{side} pixels, expected {nearest}, the near"):
        open_dataset(path)
    assert open_dataset(path, cfg=None).resolution == side


def test_sizes_that_stylegan3_alone_can_make(tmp_path: pathlib.Path) -> None:
    path = write_folder(tmp_path / "set", {"a.png": encode(make_pixels(0, 22)[:18])})
    with pytest.raises(ValueError, match=r"found 22x18 pixels, expected .* \(StyleGAN3 takes any even sides\)"):
        open_dataset(path)
    assert open_dataset(path, cfg="stylegan3-t").resolution == (18, 22)


def test_other_resolution_than_asked(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    path = write_folder(tmp_path / "set", files)
    assert open_dataset(path, resolution=8).resolution == 8
    with pytest.raises(ValueError, match=r"set/00/000.png: found 8x8 pixels, expected 16x16"):
        open_dataset(path, resolution=16)


@pytest.mark.parametrize("write", [write_folder, write_zip])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "found an empty file, expected a PNG or JPEG image"),
        (lambda data: b"<html>" * 20, "found neither a PNG nor a JPEG file, expected one of them"),
        (lambda data: data[:20], "found an image that ends within its header"),
        (lambda data: data[: len(data) // 2], r"found a damaged image \(it is truncated\)"),
        (lambda data: data[:100] + bytes(len(data) - 100), r"found a damaged image \("),
    ],
)
def test_broken_file_is_found_when_opening(
    tmp_path: pathlib.Path, files: dict[str, bytes], message: str, damage: Callable[[bytes], bytes], write: Writer
) -> None:
    files["01/003.png"] = damage(files["01/003.png"])
    with pytest.raises((OSError, ValueError), match=f"set/01/003.png: {message}") as caught:
        open_dataset(write(tmp_path / "set", files))
    assert_one_line(caught.value)


def test_bytes_after_the_end_of_an_image_do_no_harm(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    files["01/003.png"] += b"trailing"
    assert np.array_equal(all_images(write_folder(tmp_path / "set", files)), expected())


@pytest.mark.parametrize("side", [8, 128])
@pytest.mark.parametrize("write", [write_folder, write_zip])
def test_damage_within_a_file_is_found_when_it_is_read(tmp_path: pathlib.Path, side: int, write: Writer) -> None:
    good = encode(make_pixels(0, side))
    middle = len(good) // 2
    bad = good[:middle] + b"\0" * 16 + good[middle + 16 :]
    dataset = open_dataset(write(tmp_path / "set", {"a.png": good, "b.png": bad}))
    dataset.image(0)
    with pytest.raises(OSError, match=r"set/b.png: found a damaged image \(.*, expected a PNG or JPEG file") as caught:
        dataset.image(1)
    assert_one_line(caught.value)


def test_file_that_vanishes_or_changes(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    dataset = open_dataset(write_folder(tmp_path / "set", files))
    (tmp_path / "set/00/000.png").unlink()
    (tmp_path / "set/00/002.png").write_bytes(encode(make_pixels(0, side=16)))
    with pytest.raises(
        OSError, match=r"set/00/000.png: found nothing there \(No such file.*, expected a file or folder: "
    ):
        dataset.image(0)
    with pytest.raises(OSError, match=r"set/00/002.png: found an image of shape \(16, 16, 3\), expected \(8, 8, 3\)"):
        dataset.image(1)


def test_names_that_are_not_utf8(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    write_folder(folder / os.fsdecode(b"\xfc"), files)
    assert np.array_equal(all_images(str(folder)), expected())
    path = pathlib.Path(write_zip(tmp_path / "set.zip", {f"é{name}": data for name, data in files.items()}))
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))
    with pytest.raises(
        ValueError, match=r"set.zip: found a file name in it that is marked as UTF-8 and is none"
    ) as error:
        open_dataset(str(path))
    assert_one_line(error.value)


@pytest.mark.parametrize("keep", [0, 100, 0.5, -1, -30])
def test_truncated_zip(tmp_path: pathlib.Path, files: dict[str, bytes], keep: float) -> None:
    path = pathlib.Path(write_zip(tmp_path / "set.zip", files))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    message = r"set.zip: found a truncated or damaged zip file of \d+ bytes .*, expected"
    with pytest.raises(OSError, match=message) as caught:
        open_dataset(path)
    assert_one_line(caught.value)


def test_zip_with_a_piece_missing_in_the_middle(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    path = pathlib.Path(write_zip(tmp_path / "set.zip", files))
    data = path.read_bytes()
    path.write_bytes(data[:300] + data[350:])
    with pytest.raises(OSError, match=r"set.zip.*: found .*, expected ") as caught:
        open_dataset(path)
    assert_one_line(caught.value)


def test_zip_that_shrinks_while_open(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    path = write_zip(tmp_path / "set.zip", files)
    dataset = open_dataset(path)
    os.truncate(path, 100)
    with pytest.raises(OSError, match=r"set.zip: found that the zip file was cut short while it was in use, expected"):
        dataset.image(5)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damaged_member_is_named(tmp_path: pathlib.Path, compression: int) -> None:
    files = {"a.jpg": encode(make_pixels(0, 64), "JPEG"), "b.jpg": encode(make_pixels(1, 64), "JPEG")}
    path = pathlib.Path(write_zip(tmp_path / "set.zip", files, compression))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("b.jpg")
    data[info.header_offset + info.compress_size - 200] ^= 1  # Pillow would decode this without a word
    path.write_bytes(data)
    dataset = open_dataset(path)
    dataset.image(0)
    with pytest.raises(OSError, match=r"set.zip/b.jpg: found .*, expected an intact zip member") as caught:
        dataset.image(1)
    assert_one_line(caught.value)


def test_zip_member_without_header(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    path = pathlib.Path(write_zip(tmp_path / "set.zip", files))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        data[archive.getinfo("01/003.png").header_offset] = 0
    path.write_bytes(data)
    with pytest.raises(OSError, match=r"set.zip/01/003.png: found no member header at its offset, expected an intact"):
        open_dataset(path)


def test_file_that_is_no_zip(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.png").write_bytes(encode(make_pixels(0)))
    with pytest.raises(ValueError, match=r"a.png: found a file that is not a zip, expected a folder or zip file"):
        open_dataset(tmp_path / "a.png")


def test_zip_compression_that_is_not_supported(tmp_path: pathlib.Path, files: dict[str, bytes]) -> None:
    path = write_zip(tmp_path / "set.zip", files, zipfile.ZIP_LZMA)
    with pytest.raises(ValueError, match=r"set.zip/00/000.png: found zip compression method 14, expected stored or"):
        open_dataset(path)


def test_deflated_header_is_read_without_inflating_all(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path / "set.zip", png_files(4, 64), zipfile.ZIP_DEFLATED)
    monkeypatch.setattr(zlib, "decompress", None)
    assert open_dataset(path).resolution == 64
