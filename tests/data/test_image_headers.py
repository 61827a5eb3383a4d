"""Headers of WebP and netpbm files; PNG and JPEG are met in the tests of data sets."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from PIL import Image

from sg_keras.data import open_dataset
from sg_keras.data.image_decoding import decode_image
from sg_keras.data.image_headers import netpbm, netpbm_pixels, parse_image_header
from tests.data.conftest import encode, make_pixels, write_folder, write_zip


@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"quality": 80}, {"lossless": True, "exif": b"Exif\0\0MM\0*\0\0\0\10\0\0"}]
)
@pytest.mark.parametrize("size", [(8, 8), (300, 17), (17, 300)])
def test_webp(options: dict[str, object], size: tuple[int, int]):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))
    path = image_file(image, options)
    header = parse_image_header(path[:64])
    assert (header.width, header.height, header.channels, header.format) == (*size, 3, "WEBP")
    assert decode_image(path, "a").shape == (size[1], size[0], 3)


def image_file(image: Image.Image, options: dict[str, object]) -> bytes:
    import io

    buffer = io.BytesIO()
    image.save(buffer, "WEBP", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_with_alpha_is_rgba(lossless: bool):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 12, 4), np.uint8)
    data = image_file(Image.fromarray(pixels), {"lossless": lossless, "exact": True})
    header = parse_image_header(data)
    assert (header.width, header.height, header.channels, header.format) == (12, 8, 4, "WEBP")
    decoded = decode_image(data, "a")
    assert decoded.shape == pixels.shape
    assert not lossless or np.array_equal(decoded, pixels)


@pytest.mark.parametrize("write", [write_folder, write_zip])
def test_webp_files_count_where_there_are_no_others(write, tmp_path: pathlib.Path):
    files = {f"{i}.webp": encode(make_pixels(i), "WEBP", lossless=True) for i in range(3)}
    dataset = open_dataset(write(tmp_path / "set", files))
    np.testing.assert_array_equal(dataset.images(np.arange(3)), np.stack([make_pixels(i) for i in range(3)]))
    dataset.close()
    mixed = open_dataset(write(tmp_path / "mixed", {**files, "a.png": encode(make_pixels(9))}))
    assert mixed.num_images == 1 and "left out (3 .webp)" in mixed.notes[0]
    mixed.close()
    files["1.webp"] = files["1.webp"][:-20]
    with pytest.raises(OSError, match=r"1.webp: found a damaged image"):
        open_dataset(write(tmp_path / "damaged", files))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_netpbm(channels: int):
    pixels = make_pixels(0, 8, channels)
    data = netpbm(pixels)
    header = parse_image_header(data)
    assert (header.width, header.height, header.channels) == (8, 8, channels)
    np.testing.assert_array_equal(netpbm_pixels(data), pixels)
    np.testing.assert_array_equal(decode_image(data, "a"), pixels)
    with pytest.raises(OSError, match=r"a: found a damaged image \(100 bytes for 8x8 pixels"):
        decode_image(data[: 100 - pixels.size] if pixels.size > 100 else data + bytes(36), "a")
