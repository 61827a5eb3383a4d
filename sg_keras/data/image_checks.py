"""The check of all images when a data set is opened: whole files, one usable size, one kind of colour."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from sg_keras.config.parts import colors_text
from sg_keras.config.sizes import ImageSize, expected_size, takes_size
from sg_keras.data.faults import first_names, join_some
from sg_keras.data.image_decoding import decode_image
from sg_keras.data.image_headers import ImageHeader, NeedMoreBytesError, ends_properly, parse_image_header
from sg_keras.data.image_source import Ends, ImageSource

_HEAD_BYTES = 1024  # holds the header of nearly every PNG and JPEG file
_CHECK_THREADS = 4  # to overlap the waiting for disks and network file systems
_CHECK_CHUNK = 512


@dataclasses.dataclass(frozen=True)
class ExpectedSize:
    """Which sizes a data set may have.

    Attributes:
        size: this one alone; None = any.
        cfg: those that the networks of a configuration can make; None = any.
    """

    size: ImageSize | None = None
    cfg: str | None = "stylegan2"

    def unlike(self, size: ImageSize) -> str:
        """What was expected instead of a size, "" where it may be."""
        if self.cfg is not None and not takes_size(self.cfg, size):
            return expected_size(self.cfg, size)
        return f"{self.size}" if self.size not in (None, size) else ""


@dataclasses.dataclass(frozen=True)
class CheckedImages:
    """What the check found.

    Attributes:
        shape: H, W, C of all images.
        sizes: of the files in bytes, -1 of those that cannot be read.
    """

    shape: tuple[int, int, int]
    sizes: list[int]


def check_images(source: ImageSource, expected: ExpectedSize, skip_bad: bool) -> CheckedImages:
    """Read the header and the end of every file. What the many have is right, and the odd ones are wrong.

    Args:
        source: images.
        expected: which sizes they may have.
        skip_bad: whether files that cannot be read are passed over, as long as one can.

    Raises:
        OSError: files cannot be read.
        ValueError: they do not fit together or cannot be used.
            Both in one line that counts the images of each fault and names the first three.
    """
    headers, sizes, faults = _read_all(source)
    if skip_bad and headers:
        faults = {index: fault for index, fault in faults.items() if not isinstance(fault, OSError)}
    texts = {index: str(fault).removeprefix(f"{source.where(index)}: ") for index, fault in faults.items()}
    if headers:
        texts |= _misfits(source, headers, expected)
    if texts:
        kind = OSError if isinstance(faults.get(min(texts)), OSError) else ValueError
        raise kind(_line(source, texts))
    header = next(iter(headers.values()))
    return CheckedImages((header.height, header.width, header.channels), sizes)


def _read_all(source: ImageSource) -> tuple[dict[int, ImageHeader], list[int], dict[int, Exception]]:
    """Headers of the images that have one, sizes of all files, and what is wrong with the others."""
    sizes, headers, faults = [-1] * len(source.names), {}, {}

    def check(start: int) -> list[tuple[int, ImageHeader | Exception]]:
        found: list[tuple[int, ImageHeader | Exception]] = []
        for index in range(start, min(start + _CHECK_CHUNK, len(source.names))):
            try:
                ends = source.ends(index, _HEAD_BYTES)
                sizes[index] = ends.size
                found.append((index, _header(source, index, ends)))
            except (OSError, ValueError) as error:
                found.append((index, error))
        return found

    starts = range(0, len(source.names), _CHECK_CHUNK)
    with ThreadPoolExecutor(_CHECK_THREADS) as pool:
        for chunk in map(check, starts) if source.is_mapped else pool.map(check, starts):
            for index, one in chunk:
                if isinstance(one, ImageHeader):
                    headers[index] = one
                else:
                    faults[index] = one
    return headers, sizes, faults


def _header(source: ImageSource, index: int, ends: Ends) -> ImageHeader:
    where = source.where(index)
    if not ends.head:
        raise OSError(f"{where}: found an empty file, expected a PNG or JPEG image")
    try:
        header = parse_image_header(ends.head)
    except NeedMoreBytesError:
        header = _parse_whole(source.read(index), where)
    if ends.tail is not None and not ends_properly(ends.head, ends.tail, ends.size):
        decode_image(source.read(index), where)  # truncated, or only followed by further bytes: this tells
    return header


def _parse_whole(data: bytes, where: str) -> ImageHeader:
    try:
        return parse_image_header(data)
    except NeedMoreBytesError as error:
        raise OSError(f"{where}: found an image that ends within its header, expected a complete file") from error


def _misfits(source: ImageSource, headers: Mapping[int, ImageHeader], expected: ExpectedSize) -> dict[int, str]:
    """What is wrong with images that are not as the many, or with the many themselves."""
    counts = collections.Counter((header.width, header.height) for header in headers.values())
    size, count = counts.most_common(1)[0]  # of several, the first one's
    usual = next(index for index, header in headers.items() if (header.width, header.height) == size)
    if len(counts) > 2 and 2 * count < len(headers):
        raise ValueError(
            f"{source.path}: found images of {len(counts)} sizes, {size[0]}x{size[1]} the most frequent ({count} of "
            f"{len(headers)}, {source.names[usual]} the first), expected one size for all"
        )
    unlike = expected.unlike(ImageSize(size[1], size[0]))
    if unlike:
        text = f"found {size[0]}x{size[1]} pixels, expected {unlike}"
        return {index: text for index, header in headers.items() if (header.width, header.height) == size}
    kinds = collections.Counter(header.channels for header in headers.values())
    channels = kinds.most_common(1)[0][0]
    model = (*size, channels)
    models = (index for index, header in headers.items() if (header.width, header.height, header.channels) == model)
    as_in = source.where(next(models, usual))
    texts = {index: _unlike(header, model) for index, header in headers.items()}
    return {index: f"{text} as in {as_in}" for index, text in texts.items() if text}


def _unlike(header: ImageHeader, model: tuple[int, int, int]) -> str:
    """How an image is not as the many are, "" where it is."""
    width, height, channels = model
    other_size = (header.width, header.height) != (width, height)
    if other_size and header.channels != channels:
        return (
            f"found {_kind(header.channels)} of {header.width}x{header.height} pixels, expected "
            f"{colors_text(channels)} and {width}x{height}"
        )
    if other_size:
        return f"found {header.width}x{header.height} pixels, expected {width}x{height}"
    if header.channels != channels:
        return f"found {_kind(header.channels)}, expected {colors_text(channels)}"
    return ""


def _kind(channels: int) -> str:
    return f"{'a' if channels == 1 else 'an'} {colors_text(channels)} image"


def _line(source: ImageSource, texts: Mapping[int, str]) -> str:
    groups: dict[str, list[int]] = {}
    for index in sorted(texts):
        groups.setdefault(texts[index], []).append(index)
    return join_some([_group_text(source, text, indices) for text, indices in groups.items()], "kinds of faults")


def _group_text(source: ImageSource, text: str, indices: Sequence[int]) -> str:
    where, names = source.where(indices[0]), [source.names[index] for index in indices]
    total = len(source.names)
    if len(names) == 1:
        return f"{where}: {text}"
    count = f"all {total} images" if len(names) == total else f"{len(names)} of {total} images: {first_names(names)}"
    return f"{where}: {text} ({count})"
