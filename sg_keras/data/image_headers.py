"""Size and colour of PNG and JPEG files from their first bytes, without decoding.

Checking a whole data set when it is opened has to cost microseconds an image. Formats: PNG (ISO/IEC 15948, chunks
IHDR, tRNS) and JPEG (ITU-T T.81, frame headers SOFn).
"""

from __future__ import annotations

import dataclasses
import struct
import zlib

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_SIGNATURE = b"\xff\xd8\xff"
_PNG_GRAY, _PNG_RGB, _PNG_PALETTE, _PNG_GRAY_ALPHA, _PNG_RGB_ALPHA = 0, 2, 3, 4, 6
_PNG_END = b"IEND"
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
    format: str  # PNG or JPEG
    plain: bool = False


def parse_image_header(data: bytes) -> ImageHeader:
    """Read the header of a PNG or JPEG file.

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
    if len(data) < len(_PNG_SIGNATURE):
        raise NeedMoreBytesError
    raise ValueError("found neither a PNG nor a JPEG file, expected one of them")


def ends_properly(head: bytes, tail: bytes) -> bool:
    """Whether the last 12 bytes of a file are what a complete PNG or JPEG file ends with.

    False does not prove damage: files may carry further bytes after their end.
    """
    if head.startswith(_PNG_SIGNATURE):
        return tail[-8:-4] == _PNG_END
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
    chunk, width, height, depth, color = struct.unpack_from(">4sIIBB", data, 12)
    if chunk != b"IHDR" or color not in (_PNG_GRAY, _PNG_RGB, _PNG_PALETTE, _PNG_GRAY_ALPHA, _PNG_RGB_ALPHA):
        raise ValueError("found a damaged PNG header, expected a PNG or JPEG image")
    if depth == 16:
        raise ValueError("found 16 bits a channel, expected 8")
    transparent = color in (_PNG_GRAY_ALPHA, _PNG_RGB_ALPHA) or (color == _PNG_PALETTE and _has_transparency(data))
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
