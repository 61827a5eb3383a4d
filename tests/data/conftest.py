"""Small sets of images as folders and zip files."""

from __future__ import annotations

import io
import json
import pathlib
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

Writer = Callable[[pathlib.Path, dict[str, bytes]], str]


def make_pixels(index: int, side: int = 8, channels: int = 3) -> np.ndarray:
    """Random image number `index`: uint8 [side,side,channels]."""
    return np.random.default_rng(index).integers(0, 256, (side, side, channels), dtype=np.uint8)


def encode(pixels: np.ndarray, file_format: str = "PNG", **options: object) -> bytes:
    """A whole image file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(buffer, file_format, **options)
    return buffer.getvalue()


def png_files(count: int, side: int = 8, channels: int = 3) -> dict[str, bytes]:
    """Files 00/000.png, 01/001.png, 00/002.png, ... of make_pixels."""
    return {f"{i % 2:02d}/{i:03d}.png": encode(make_pixels(i, side, channels)) for i in range(count)}


def write_folder(path: pathlib.Path, files: dict[str, bytes]) -> str:
    """Write files below `path`."""
    path.mkdir(exist_ok=True)
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return str(path)


def write_zip(path: pathlib.Path, files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> str:
    """Write files into a zip file."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return str(path)


def label_file(labels: object) -> dict[str, bytes]:
    """A dataset.json with the given "labels"."""
    return {"dataset.json": json.dumps({"labels": labels}).encode()}


@pytest.fixture
def files() -> dict[str, bytes]:
    """Six RGB images of 8x8."""
    return png_files(6)
