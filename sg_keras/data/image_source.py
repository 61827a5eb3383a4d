"""What a source of encoded images is, and which of a source's files are images."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from sg_keras.files.errors import explain_file_error

#: Endings of the files that training reads; .webp where there are no others.
IMAGE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg"))
_ALONE_SUFFIX = ".webp"
_SYSTEM_FILES = ("Thumbs.db", "thumbs.db", "desktop.ini", "Desktop.ini")
_SYSTEM_NAMES = frozenset(("__MACOSX", *_SYSTEM_FILES))
TAIL_BYTES = 12


class Ends(NamedTuple):
    """The first and last bytes of a file, and its size."""

    head: bytes
    tail: bytes | None  # None where getting there means inflating it all
    size: int


class ImageSource(Protocol):
    """Encoded images in a fixed order. Safe to read from several threads."""

    path: str
    names: list[str]  # of the images, sorted, relative to `path`, with forward slashes
    other_names: list[str]  # of the files beside them, hidden ones apart
    has_checksums: bool  # whether `checksum` costs nothing
    is_mapped: bool  # whether it is read from memory maps, where threads wait for one another and not for disks

    def where(self, index: int) -> str:
        """Name of an image for messages."""

    def read(self, index: int) -> bytes:
        """The whole encoded image. OSError, one line that names it, if it cannot be read."""

    def ends(self, index: int, head_bytes: int) -> Ends:
        """The first `head_bytes`, the last 12 bytes and the size. OSError as of `read`."""

    def checksum(self, index: int) -> int:
        """CRC-32 of the whole encoded image. OSError as of `read`."""

    def read_other(self, name: str) -> bytes:
        """A file of `other_names`. OSError as of `read`."""

    def close(self) -> None:
        """Release files. The source cannot be read afterwards."""


def select_images(
    names: Iterable[str], path: str, suffixes: frozenset[str], read_head: Callable[[str], bytes]
) -> tuple[list[str], list[str]]:
    """Images and other files by their endings, both sorted; hidden ones are in neither.

    Args:
        names: of all files.
        path: of the source, for messages.
        suffixes: endings of images. WebP files count as well where there are no others: so conversions write them.
        read_head: gives the first bytes of a file.

    Raises:
        ValueError: there are no images.
    """
    images: list[str] = []
    others: list[str] = []
    for name in names:
        if not is_hidden(name):
            (images if suffix(name).lower() in suffixes else others).append(name)
    if not images:
        alone = sorted(name for name in others if suffix(name).lower() == _ALONE_SUFFIX)
        if alone and is_webp(read_head(alone[0])):
            return alone, sorted(set(others) - set(alone))
        found = count_by_suffix(others) or "no files"
        raise ValueError(f"{path}: found no images ({found}), expected .png, .jpg or .jpeg files")
    return sorted(images), sorted(others)


def is_webp(head: bytes) -> bool:
    """Whether a file that begins so is a WebP image."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def count_by_suffix(names: Iterable[str]) -> str:
    """How many files of which kind, the three most frequent ones: "30 .webp, 2 .txt"."""
    counts = collections.Counter(suffix(name).lower() or name for name in names)
    rest = sum(counts.values()) - sum(count for _, count in counts.most_common(3))
    kinds = [f"{count} {kind}" for kind, count in counts.most_common(3)]
    return ", ".join([*kinds, *([f"{rest} more"] if rest else [])])


def suffix(name: str) -> str:
    """The ending of a file name, with its dot."""
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return dot + ending if stem else ""


def is_hidden(name: str) -> bool:
    """Whether a file, or a folder on the way to it, is hidden or of an operating system's own."""
    if "/." not in name and not name.startswith((".", "_")) and "/_" not in name and not name.endswith(_SYSTEM_FILES):
        return False  # nearly all: 100,000 names have to be quick
    return any(part in _SYSTEM_NAMES or (part.startswith(".") and part not in (".", "..")) for part in name.split("/"))


def unreadable(where: str | None, error: OSError) -> OSError:
    """The error of a file that cannot be read, in one line."""
    return OSError(explain_file_error(error, where))


def unreadable_source(path: str, error: BaseException, expected: str) -> ValueError | OSError:
    """The error of a file that is not what its name says, in one line."""
    if isinstance(error, OSError) and error.errno is not None:
        return OSError(explain_file_error(error, path))
    text = " ".join(str(error).split()) or type(error).__name__
    return ValueError(f"{path}: found a file that cannot be read ({text}), expected {expected}")
