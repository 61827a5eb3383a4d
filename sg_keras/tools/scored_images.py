"""Images that an option of a tool names, of any source that conversions read; for scores block by block."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from sg_keras.files.cache import is_url
from sg_keras.tools.network_option import named_errors
from sg_keras.tools.quiet_start import load_quietly

if TYPE_CHECKING:
    from sg_keras.curation.original_source import OriginalSource
    from sg_keras.metrics.feature_blocks import ImageBlock


@contextlib.contextmanager
def opened_originals(option: str, path: str, **how: Any) -> Iterator[OriginalSource]:
    """The images that an option names; `how` as of `open_originals`."""
    from sg_keras.curation.sources import open_originals

    if is_url(path):
        load_quietly("tensorflow")  # which has the file systems
    source = named_errors(option, lambda: open_originals(path, **how))
    try:
        yield source
    finally:
        source.close()


def original_blocks(source: OriginalSource, count: int, mirror: bool = False) -> Iterator[ImageBlock]:
    """The first images of a source, known by the bytes of their files.

    Args:
        source: of the images.
        count: how many; no more than there are.
        mirror: the images of a block are followed by their mirrored copies.

    Raises:
        ValueError, OSError: a file cannot be read; one line. What is in it shows when the images are asked for.
    """
    from sg_keras.metrics.feature_blocks import BLOCK, ImageBlock

    for start in range(0, count, BLOCK):
        rows = range(start, min(start + BLOCK, count))
        digest = hashlib.sha256()
        for index in rows:
            digest.update(hashlib.sha256(_bytes(source, index)).digest())
        content = f"files {digest.hexdigest()}"
        yield ImageBlock(len(rows), content, lambda rows=rows: _decoded(source, rows, False))  # type: ignore[misc]
        if mirror:
            turned = f"mirrored {content}"
            yield ImageBlock(len(rows), turned, lambda rows=rows: _decoded(source, rows, True))  # type: ignore[misc]


def _bytes(source: OriginalSource, index: int) -> bytes:
    if index in source.refused:
        raise ValueError(f"{source.path}: {source.names[index]}: {source.refused[index]}")
    return source.read(index)


def _decoded(source: OriginalSource, rows: range, mirror: bool) -> Iterator[np.ndarray]:
    """Upright, in sRGB, 8 bits: uint8 [H,W,1, 3 or 4] each."""
    from sg_keras.curation.decode import UnreadableOriginalError, decode_original

    for index in rows:
        try:
            image = decode_original(_bytes(source, index)).image
        except UnreadableOriginalError as error:
            raise ValueError(f"{source.path}: {source.names[index]}: {error}") from error
        pixels = np.asarray(image.convert("RGBA") if image.mode == "LA" else image)
        pixels = pixels.reshape([*pixels.shape[:2], -1])
        yield pixels[:, ::-1] if mirror else pixels
