"""Images of every kind become 8 bits a channel, upright, in sRGB, and what that took is said."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from sg_keras.curation.decode import UnreadableOriginalError, decode_original, original_suffixes, read_facts
from tests.curation.originals import file_of, noise

RGB, GRAY = noise(0), noise(1, channels=0)


def smooth() -> Image.Image:
    """An image that survives lossy formats."""
    return Image.fromarray(np.linspace(0, 255, 24 * 20 * 3).astype(np.uint8).reshape(20, 24, 3))


LOSSLESS = ["PNG", "BMP", "TIFF", "PPM", "TGA"]


@pytest.mark.parametrize("file_format", LOSSLESS)
@pytest.mark.parametrize("pixels", [RGB, GRAY], ids=["rgb", "gray"])
def test_formats_without_loss(file_format: str, pixels: np.ndarray):
    decoded = decode_original(file_of(pixels, file_format))
    np.testing.assert_array_equal(np.asarray(decoded.image), pixels)
    assert (decoded.size, decoded.notes) == ((24, 20), ())


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "GIF", *(["AVIF"] if features.check("avif") else [])])
def test_formats_with_loss(file_format: str):
    decoded = decode_original(file_of(smooth(), file_format))
    assert decoded.image.mode == "RGB" and decoded.size == (24, 20)
    assert np.abs(np.asarray(decoded.image).astype(int) - np.asarray(smooth())).mean() < 12


def test_endings_that_count():
    assert {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"} <= original_suffixes()
    assert not {".eps", ".pdf", ".txt", ".json"} & original_suffixes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(orientation: int, file_format: str):
    upright = np.zeros((8, 16, 3), np.uint8)
    upright[:4, :8, 0] = 255  # red at the top left
    views = {1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1]}
    turned = upright.transpose(1, 0, 2)
    views |= {5: turned, 6: turned[::-1], 7: turned[::-1, ::-1], 8: turned[:, ::-1]}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = file_of(np.ascontiguousarray(views[orientation]), file_format, exif=exif)
    decoded = decode_original(stored)
    assert decoded.size == read_facts(stored).size == (16, 8) == decoded.image.size
    found = np.asarray(decoded.image).astype(int)
    assert found[1, 2, 0] > 200 and found[6, 13, 0] < 60 and found[1, 13, 0] < 60
    assert decoded.notes == (() if orientation == 1 else ("EXIF orientation applied",))


def test_16_bits_gray():
    deep = (GRAY.astype(np.uint16) << 8) + 77
    for file_format in ("PNG", "TIFF"):
        decoded = decode_original(file_of(Image.fromarray(deep), file_format))
        np.testing.assert_array_equal(np.asarray(decoded.image), GRAY)
        assert decoded.image.mode == "L" and decoded.notes == ("16 bits to 8",)


def test_16_bits_colour():
    decoded = decode_original(deep_png(RGB))
    np.testing.assert_array_equal(np.asarray(decoded.image), RGB)
    assert decoded.notes == ("16 bits to 8",)


def deep_png(pixels: np.ndarray) -> bytes:
    """A PNG file of 16 bits a channel, which Pillow cannot write."""
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width = pixels.shape[:2]
    rows = ((pixels.astype(np.uint16) << 8) + 200).astype(">u2")
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def test_palettes():
    opaque = Image.fromarray(RGB).convert("P", palette=Image.Palette.ADAPTIVE)
    decoded = decode_original(file_of(opaque))
    assert (decoded.image.mode, decoded.notes) == ("RGB", ("palette to RGB",))
    clear = decode_original(file_of(opaque, transparency=3))
    assert clear.image.mode == "RGBA" and read_facts(file_of(opaque, transparency=3)).has_alpha


def test_transparent_colours_of_gray_and_rgb():
    gray = decode_original(file_of(GRAY, transparency=int(GRAY[0, 0])))
    assert gray.image.mode == "LA" and gray.image.getpixel((0, 0))[1] == 0
    rgb = decode_original(file_of(RGB, transparency=tuple(map(int, RGB[0, 0]))))
    assert rgb.image.mode == "RGBA" and rgb.image.getpixel((0, 0))[3] == 0


def test_gray_with_alpha_black_and_white_and_cmyk():
    both = Image.merge("LA", (Image.fromarray(GRAY), Image.fromarray(GRAY)))
    assert decode_original(file_of(both)).image.mode == "LA"
    bits = decode_original(file_of(Image.fromarray(GRAY).convert("1")))
    assert (bits.image.mode, bits.notes) == ("L", ("black and white to gray",))
    inks = decode_original(file_of(smooth().convert("CMYK"), "JPEG", quality=95))
    assert (inks.image.mode, inks.notes) == ("RGB", ("CMYK to RGB",))
    assert np.abs(np.asarray(inks.image).astype(int) - np.asarray(smooth())).mean() < 12


def test_the_first_of_several_frames():
    frames = [Image.fromarray(noise(index)) for index in (4, 5)]
    decoded = decode_original(file_of(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    np.testing.assert_array_equal(np.asarray(decoded.image), noise(4))
    assert decoded.notes == ("first of several frames",)


def profile(name: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def wide_profile() -> bytes:
    """sRGB's profile under another name and with red and blue exchanged: colours that must change."""
    content = bytearray(
        profile("sRGB").replace(b"sRGB", b"mine").replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    )
    count = int.from_bytes(content[128:132], "big")
    entries = {bytes(content[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    content[red : red + 4], content[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(content)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_profiles_become_srgb(mode: str):
    red = Image.new(mode, (4, 4), (255, 0, 0) if mode == "RGB" else (255, 0, 0, 128))
    as_it_is = decode_original(file_of(red, icc_profile=profile("sRGB")))
    assert as_it_is.notes == () and as_it_is.image.getpixel((0, 0))[:3] == (255, 0, 0)
    converted = decode_original(file_of(red, icc_profile=wide_profile()))
    assert converted.notes == ("ICC profile to sRGB",) and converted.image.mode == mode
    pixel = converted.image.getpixel((0, 0))
    assert pixel[2] > 200 > 50 > pixel[0] and pixel[3:] == ((128,) if mode == "RGBA" else ())


def test_profiles_that_say_nothing():
    decoded = decode_original(file_of(RGB, icc_profile=b"nonsense"))
    assert decoded.notes == ("ICC profile not understood",)
    np.testing.assert_array_equal(np.asarray(decoded.image), RGB)


def test_drafts_are_not_below_what_is_enough():
    original = file_of(Image.new("RGB", (400, 300), (9, 99, 200)), "JPEG")
    assert decode_original(original, (64, 64)).image.size == (100, 75)
    assert decode_original(original, (64, 64)).size == (400, 300)
    assert decode_original(original).image.size == (400, 300)


def huge_png(width: int, height: int) -> bytes:
    """The header of an image of any size."""
    import struct
    import zlib

    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    idat = struct.pack(">I", 99) + b"IDAT" + bytes(99)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + idat


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "found an empty file, expected an image"),
        (b"text", "found no image of a format that Pillow knows"),
        (file_of(RGB)[:200], "found a damaged image"),
        (file_of(RGB)[:-30], "found a damaged image"),
        (file_of(RGB)[:100] + bytes(50) + file_of(RGB)[150:], "found a damaged image"),
        (file_of(smooth(), "JPEG")[:300], "found a damaged image"),
        (file_of(Image.fromarray(GRAY.astype(np.float32)), "TIFF"), "found 32-bit floating point pixels"),
        (file_of(Image.fromarray(GRAY.astype(np.int32) * 70000), "TIFF"), "found 32 bits a channel"),
        (huge_png(60000, 40000), "found an image of more than 178956970 pixels, .* Pillow's limit against"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, message: str):
    with pytest.raises(UnreadableOriginalError, match=message) as caught:
        decode_original(content)
    assert "\n" not in str(caught.value)


def test_very_wide_originals_are_read():
    decoded = decode_original(file_of(Image.new("L", (60000, 2), 7)))
    assert decoded.size == (60000, 2)


def test_other_programs_are_never_started():
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n"
    with pytest.raises(UnreadableOriginalError, match="no image of a format"):
        decode_original(content)


def test_random_damage_is_one_line():
    random = np.random.default_rng(0)
    files = [file_of(smooth(), kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")]
    for round_ in range(120):
        content = bytearray(files[round_ % len(files)])
        for place in random.integers(0, len(content), 6):
            content[place] = random.integers(256)
        try:
            decode_original(bytes(content))
        except UnreadableOriginalError as error:
            assert "\n" not in str(error)
