"""Size and colour of PNG, JPEG, WebP and netpbm files from their first bytes, without decoding.

Checking a whole data set when it is opened has to cost microseconds an image. Formats: PNG (ISO/IEC 15948, chunks
IHDR, tRNS), JPEG (ITU-T T.81, frame headers SOFn), WebP (RFC 9649) and netpbm (P5, P6, P7: pixels of
TFRecords).
"""

from __future__ import annotations

import dataclasses
import functools
import re
import struct
import zlib

import numpy as np

from sg_keras.data.image_source import is_webp

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_SIGNATURE = b"\xff\xd8\xff"
_PNG_GRAY, _PNG_RGB, _PNG_PALETTE, _PNG_GRAY_ALPHA, _PNG_RGB_ALPHA = 0, 2, 3, 4, 6
_PNG_END = b"IEND"
PILLOW_MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # by channels
_NETPBM = (b"P5 ", b"P6 ", b"P7\n")
_NETPBM_HEADERS = (
    re.compile(rb"(?P<kind>P[56]) (?P<width>[0-9]{1,6}) (?P<height>[0-9]{1,6}) 255\n"),
    re.compile(
        rb"(?P<kind>P7)\nWIDTH (?P<width>[0-9]{1,6})\nHEIGHT (?P<height>[0-9]{1,6})\n"
        rb"DEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
    ),
)
_JPEG_END = b"\xff\xd9"
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOFn; the others are DHT, JPG, DAC
_JPEG_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))  # TEM, RSTn, SOI


class NeedMoreBytesError(Exception):
    """The given bytes end before the header does."""


@dataclasses.dataclass(frozen=True, slots=True)
class ImageHeader:
    """What a file says of itself. `plain`: 8-bit gray, RGB or RGBA PNG, nothing to convert."""

    width: int
    height: int
    channels: int  # 1 (gray), 3 (RGB) or 4 (RGBA)
    format: str  # PNG, JPEG, WEBP or PPM
    plain: bool = False


def parse_image_header(data: bytes) -> ImageHeader:
    """Read the header of an image file.

    Args:
        data: The file from its first byte on; a kilobyte is nearly always enough.

    Raises:
        NeedMoreBytesError: `data` is too short to tell.
        ValueError: Not a PNG or JPEG file, or a kind of image that is not taken; the message is the end of a
            line, "found ..., expected ...".
    """
    if data.startswith(_PNG_SIGNATURE):
        return _parse_png(data)
    if data.startswith(_JPEG_SIGNATURE):
        return _parse_jpeg(data)
    if is_webp(data):
        return _parse_webp(data)
    if data.startswith(_NETPBM):
        return _parse_netpbm(data)[0]
    if len(data) < len(_PNG_SIGNATURE):
        raise NeedMoreBytesError
    raise ValueError("found neither a PNG nor a JPEG file, expected one of them")


def ends_properly(head: bytes, tail: bytes, size: int) -> bool:
    """Whether the last 12 bytes and the size of a file are those of a complete one.

    False does not prove damage: files may carry further bytes after their end.
    """
    if head.startswith(_PNG_SIGNATURE):
        return tail[-8:-4] == _PNG_END
    if head.startswith(_NETPBM):
        return True  # made when it is read
    if is_webp(head):
        return size >= int.from_bytes(head[4:8], "little") + 8  # its end says nothing, its length is at its start
    return tail.endswith(_JPEG_END)


def check_png_chunks(data: bytes) -> None:
    """Compare the check sums of all chunks; Pillow skips those of the pixel data and takes a zeroed end for pixels.

    Raises:
        ValueError: `data`, which starts as a PNG file, is truncated or damaged; the message is what was found.
    """
    position = len(_PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, chunk = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(data[position + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise ValueError("a wrong check sum")
        if chunk == _PNG_END:
            return
        position = end + 4
    raise ValueError("it is truncated")


def _parse_png(data: bytes) -> ImageHeader:
    if len(data) < 26:
        raise NeedMoreBytesError
    return _png_header(data[12:26], data[25] == _PNG_PALETTE and _has_transparency(data))


@functools.lru_cache(maxsize=64)  # a million files have one header, which takes a second in one object
def _png_header(fields: bytes, transparent_palette: bool) -> ImageHeader:
    """The header by its chunk's name, size, bits and colour, and whether entries of the palette are transparent."""
    chunk, width, height, depth, color = struct.unpack(">4sIIBB", fields)
    if chunk != b"IHDR" or color not in (_PNG_GRAY, _PNG_RGB, _PNG_PALETTE, _PNG_GRAY_ALPHA, _PNG_RGB_ALPHA):
        raise ValueError("found a damaged PNG header, expected a PNG or JPEG image")
    if depth == 16:
        raise ValueError("found 16 bits a channel, expected 8")
    transparent = transparent_palette or color in (_PNG_GRAY_ALPHA, _PNG_RGB_ALPHA)
    channels = 4 if transparent else 1 if color == _PNG_GRAY else 3
    plain = depth == 8 and color not in (_PNG_PALETTE, _PNG_GRAY_ALPHA)
    return ImageHeader(width, height, channels, "PNG", plain=plain)


def _has_transparency(data: bytes) -> bool:
    position = len(_PNG_SIGNATURE)
    while position + 8 <= len(data):
        length, chunk = struct.unpack_from(">I4s", data, position)
        if chunk == b"tRNS":
            return True
        if chunk in (b"IDAT", _PNG_END):
            return False
        position += length + 12  # length, type and check sum
    raise NeedMoreBytesError


def _parse_jpeg(data: bytes) -> ImageHeader:
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise ValueError("found a damaged JPEG header, expected a PNG or JPEG image")
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
        elif marker in _JPEG_WITHOUT_LENGTH:
            position += 2
        elif marker in _JPEG_FRAMES:
            if position + 10 > len(data):
                break
            depth, height, width, components = struct.unpack_from(">BHHB", data, position + 4)
            if components not in (1, 3) or depth != 8:
                raise ValueError(
                    f"found a JPEG of {components} channels, {depth} bits each, expected gray or RGB, 8 bits"
                )
            return ImageHeader(width, height, components, "JPEG")
        else:
            position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    raise NeedMoreBytesError


def netpbm(pixels: np.ndarray) -> bytes:
    """Pixels as a file that needs no decoding: uint8 [H,W,C], C 1, 3 or 4."""
    return netpbm_header(*pixels.shape) + pixels.tobytes()


def netpbm_header(height: int, width: int, channels: int) -> bytes:
    """What such a file begins with; the pixels follow."""
    if channels == 4:
        return b"P7\nWIDTH %d\nHEIGHT %d\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n" % (width, height)
    return b"%s %d %d 255\n" % (b"P5" if channels == 1 else b"P6", width, height)


def netpbm_pixels(data: bytes) -> np.ndarray:
    """The pixels of such a file, uint8 [H,W,C]. ValueError: it has more or fewer than its header says."""
    header, start = _parse_netpbm(data)
    shape = (header.height, header.width, header.channels)
    if len(data) - start != header.height * header.width * header.channels:
        raise ValueError(f"{len(data) - start} bytes for {shape[1]}x{shape[0]} pixels of {shape[2]} channels")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _parse_netpbm(data: bytes) -> tuple[ImageHeader, int]:
    """The header, and how many bytes it has."""
    for pattern in _NETPBM_HEADERS:
        match = pattern.match(data)
        if match is not None:
            channels = {b"P5": 1, b"P6": 3, b"P7": 4}[match["kind"]]
            return ImageHeader(int(match["width"]), int(match["height"]), channels, "PPM"), match.end()
    raise ValueError("found a damaged netpbm header, expected 8 bits a channel")


def _parse_webp(data: bytes) -> ImageHeader:
    if len(data) < 30:
        raise NeedMoreBytesError
    kind = data[12:16]
    if kind == b"VP8X":
        has_alpha = bool(data[20] & 0x10)
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height, has_alpha = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    elif kind == b"VP8 ":
        width, height = (size & 0x3FFF for size in struct.unpack_from("<HH", data, 26))
        has_alpha = False
    else:
        raise ValueError("found a damaged WebP header, expected a PNG, JPEG or WebP image")
    return ImageHeader(width, height, 4 if has_alpha else 3, "WEBP")
