"""Images as files, and ways to convert and to read what came of it."""

from __future__ import annotations

import io
import json
import pathlib
import zipfile
from typing import Any

import numpy as np
from PIL import Image

from sg_keras.curation.convert import Request, convert
from sg_keras.curation.recipe import Recipe, Transform
from sg_keras.curation.report import ConversionReport
from sg_keras.curation.sources import open_originals


def noise(index: int, width: int = 24, height: int = 20, channels: int = 3) -> np.ndarray:
    """Random image number `index`: uint8 [H,W,C], or [H,W] where channels is 0."""
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(index).integers(0, 256, shape, dtype=np.uint8)


def file_of(pixels: np.ndarray | Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    """A whole image file."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def write(folder: pathlib.Path, files: dict[str, bytes]) -> str:
    """Write files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return str(folder)


def classes_of_noise(count: int = 7) -> dict[str, bytes]:
    """Files in folders cat, dog and owl, of different sizes."""
    return {f"{('cat', 'dog', 'owl')[i % 3]}/p{i:02d}.png": file_of(noise(i, 20 + 3 * i, 60 - i)) for i in range(count)}


def run(
    source: str, destination: pathlib.Path, transform: str = "center-crop", size: Any = (16, 16), **options: Any
) -> ConversionReport:
    """Convert. Options are those of the recipe, the request and of opening the source."""
    of_request = {key: options.pop(key) for key in list(options) if key in Request.__dataclass_fields__}
    of_source = {key: options.pop(key) for key in list(options) if key in ("follow_links", "image_column")}
    callbacks = {key: options.pop(key) for key in list(options) if key in ("tell", "on_progress")}
    numbers = options.pop("numbers", ())
    recipe = Recipe(transform=Transform(name=transform, numbers=numbers), resolution=size, **options)
    originals = open_originals(source, **of_source)
    try:
        return convert(originals, recipe, Request(destination=str(destination), **of_request), **callbacks)
    finally:
        originals.close()


def images_of(path: pathlib.Path) -> dict[str, np.ndarray]:
    """The images of a zip file, read as the published tools do."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name != "dataset.json"]
        return {name: np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names}


def description_of(path: pathlib.Path) -> dict[str, Any]:
    """The dataset.json of a zip file."""
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("dataset.json"))
