"""From the bytes of any image that Pillow opens to 8 bits a channel, upright and in sRGB; what it took is counted."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import struct
import warnings
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from sg_keras.data.image_headers import check_png_chunks
from sg_keras.files.errors import first_line

#: Formats that Pillow opens by other programs, or without pixels of its own.
_NOT_OPENED = frozenset(("EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG", "FPX", "MIC", "PDF"))
_DEEP_GRAY = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
_PLAIN = ("L", "LA", "RGB", "RGBA")
_UPRIGHT = (None, 0, 1)  # of the EXIF tag
_TURNED = (5, 6, 7, 8)  # of it: width and height change places
_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError),
    *(EOFError, struct.error, zlib.error, Image.DecompressionBombError, ImageCms.PyCMSError),
)


class UnreadableOriginalError(ValueError):
    """An image cannot be used. The message says why, without its name: "found ..., expected ..."."""


@dataclasses.dataclass(frozen=True, slots=True)
class Decoded:
    """An image.

    Attributes:
        image: of mode L, LA, RGB or RGBA.
        size: (width, height) upright, before anything was done.
        notes: what had to be converted, in words: "16 bits", "CMYK" ...
    """

    image: Image.Image
    size: tuple[int, int]
    notes: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """What the header of an image says: (width, height) upright, whether it is gray, whether it may be transparent."""

    size: tuple[int, int]
    is_gray: bool
    has_alpha: bool


@functools.cache
def original_formats() -> tuple[str, ...]:
    """Names of the formats that are opened, as Pillow has them."""
    Image.init()
    return tuple(sorted(set(Image.OPEN) - _NOT_OPENED))


@functools.cache
def original_suffixes() -> frozenset[str]:
    """Endings of the files that are taken for images, in small letters."""
    formats = set(original_formats())
    return frozenset(ending for ending, name in Image.registered_extensions().items() if name in formats)


def read_facts(data: bytes) -> Facts:
    """What the beginning of an image, or all of it, says.

    Raises:
        UnreadableOriginalError: nothing, or not enough.
    """
    with _errors_explained(data), _opened(data) as image:
        size = _upright_size(image, _orientation(image))
        is_gray = image.mode in ("1", "L", "LA", "La", "F", *_DEEP_GRAY)
        return Facts(size, is_gray, _may_be_transparent(image))


def decode_original(data: bytes, enough: tuple[int, int] | None = None) -> Decoded:
    """Decode an image.

    Args:
        data: the whole file.
        enough: with a size, a JPEG file may be decoded at a fraction of its own that is not below this.

    Raises:
        UnreadableOriginalError: it is damaged, too large, or nothing that can be converted.
    """
    with _errors_explained(data), _opened(data) as image:
        orientation = _orientation(image)
        size = _upright_size(image, orientation)
        notes = list(_notes(image))
        if enough is not None and image.format == "JPEG":
            image.draft(None, enough[::-1] if orientation in _TURNED else enough)
        if image.format == "PNG":
            check_png_chunks(data)  # Pillow takes a zeroed end for pixels
        image.load()
        profile = image.info.get("icc_profile")
        upright: Image.Image = image
        if _orientation(image, loaded=True) not in _UPRIGHT:  # TIFF files are upright once they are loaded
            upright = ImageOps.exif_transpose(image)
            size = size if orientation not in _UPRIGHT else upright.size
        if orientation not in _UPRIGHT or upright is not image:
            notes.insert(0, "EXIF orientation applied")
        plain = _in_srgb(_eight_bits(upright), profile, notes)
        return Decoded(plain if plain.mode in _PLAIN else _plain(plain), size, tuple(notes))


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        # Of odd EXIF data, palettes and the like, and of half of the size that Pillow refuses.
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=original_formats()) as image:
            yield image


@contextlib.contextmanager
def _errors_explained(data: bytes) -> Iterator[None]:
    if not data:
        raise UnreadableOriginalError("found an empty file, expected an image")
    try:
        yield
    except UnreadableOriginalError:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableOriginalError(
            f"found an image of more than {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels, expected fewer: Pillow's limit "
            "against decompression bombs"
        ) from error
    except UnidentifiedImageError as error:
        raise UnreadableOriginalError("found no image of a format that Pillow knows, expected one") from error
    except _ERRORS as error:
        raise UnreadableOriginalError(
            f"found a damaged image ({first_line(error)}), expected one that can be decoded"
        ) from error


def _upright_size(image: Image.Image, orientation: int | None) -> tuple[int, int]:
    """(width, height); Pillow gives that of TIFF files by itself."""
    return image.size[::-1] if orientation in _TURNED and image.format != "TIFF" else image.size


def _orientation(image: Image.Image, loaded: bool = False) -> int | None:
    if image.format == "PNG" and not loaded and "exif" not in image.info:
        return None  # to look behind the pixels would decode them
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except _ERRORS:  # damaged EXIF data say nothing
        return None


def _may_be_transparent(image: Image.Image) -> bool:
    return image.mode in _WITH_ALPHA or "transparency" in image.info


def _notes(image: Image.Image) -> Iterator[str]:
    if _is_deep(image):
        yield "16 bits to 8"
    if image.mode in ("P", "PA"):
        yield "palette to RGB"
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        yield f"{image.mode} to RGB"
    if image.mode == "1":
        yield "black and white to gray"
    if getattr(image, "n_frames", 1) > 1:
        yield "first of several frames"


def _is_deep(image: Image.Image) -> bool:
    if image.mode in _DEEP_GRAY:
        return True
    return any(
        ";16" in str(tile[3]) for tile in getattr(image, "tile", ())
    )  # how Pillow reads it: as colour it drops the low bytes


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise UnreadableOriginalError("found 32-bit floating point pixels, expected 8 or 16 bits a channel")
    if image.mode not in _DEEP_GRAY:
        return image
    values = np.asarray(image)
    if values.size and (values.min() < 0 or values.max() > 0xFFFF):
        raise UnreadableOriginalError("found 32 bits a channel, expected 8 or 16")
    return Image.fromarray((values >> 8).astype(np.uint8))  # the high byte, as for colour


def _plain(image: Image.Image) -> Image.Image:
    """One of the four plain modes."""
    if _may_be_transparent(image):
        return image.convert("LA" if image.mode == "L" else "RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """The image in one of the plain modes, or in CMYK and the like without a profile."""
    if image.mode == "L" and "transparency" in image.info:
        image = image.convert("LA")
    elif image.mode in ("P", "PA") or (image.mode == "RGB" and "transparency" in image.info) or image.mode == "1":
        image = _plain(image)
    if not profile:
        return image
    try:
        transform = _to_srgb(profile, image.mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        notes.append("ICC profile not understood")
        return image
    if transform is None:
        return image
    notes.append("ICC profile to sRGB")
    has_alpha, gray = image.mode in ("LA", "RGBA"), image.mode in ("L", "LA")
    colour = image.convert("L" if gray else "RGB") if has_alpha else image
    converted = _transformed(colour, transform)
    if has_alpha:
        converted.putalpha(image.getchannel("A"))
    return converted.convert(image.mode) if gray else converted


def _transformed(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    result = ImageCms.applyTransform(image, transform)
    if result is None:  # in place alone
        raise TypeError("no image")
    return result


@functools.lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from a profile to sRGB; None where it is that already."""
    found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if "srgb" in ImageCms.getProfileDescription(found).lower():
        return None
    colour = {"LA": "L", "RGBA": "RGB"}.get(mode, mode)
    return ImageCms.buildTransform(found, ImageCms.createProfile("sRGB"), colour, "RGB")
