"""The images that --target names, cut and resized as a network's own training images are."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import io
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from sg_keras.tools.network_option import named_errors
from sg_keras.tools.scored_images import opened_originals

if TYPE_CHECKING:
    from sg_keras.curation.faces import Face, FaceMemory
    from sg_keras.curation.original_source import OriginalSource
    from sg_keras.curation.recipe import Recipe

_OPTION = "--target"


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """An image to project.

    Attributes:
        name: of the folder for what is found, relative, with forward slashes; "" for an image that is alone.
        pixels: uint8 [H,W,C] of the network's shape.
    """

    name: str
    pixels: np.ndarray

    @property
    def sha256(self) -> str:
        """Of the pixels."""
        return hashlib.sha256(self.pixels.tobytes()).hexdigest()


def read_targets(place: str, image_shape: tuple[int, int, int], align: str | None) -> list[Target]:
    """The images of --target.

    Args:
        place: an image, or a folder, zip or other source of images.
        image_shape: height, width and channels of the network's images.
        align: "ffhq" for faces.

    Raises:
        ValueError, OSError: there are none, or one cannot be used; one line that begins with the option.
    """
    recipe = _recipe(image_shape, align)
    memory = _face_memory() if align else None
    if _is_image(place):
        data = named_errors(_OPTION, pathlib.Path(place).read_bytes)
        return [Target("", _pixels(place, data, recipe, memory))]
    with opened_originals(_OPTION, place) as source:
        names = _folder_names(source.names)
        files = zip(names, _files(source), strict=True)
        return [Target(name, _pixels(typed, data, recipe, memory)) for name, (typed, data) in files]


def _is_image(place: str) -> bool:
    from sg_keras.curation.decode import original_suffixes

    path = pathlib.Path(place)
    return path.is_file() and path.suffix.lower() in original_suffixes()


def _files(source: OriginalSource) -> Iterator[tuple[str, bytes]]:
    for index, name in enumerate(source.names):
        if index in source.refused:
            raise ValueError(f"{_OPTION}: {source.path}: {name}: {source.refused[index]}")
        yield f"{source.path}: {name}", named_errors(_OPTION, functools.partial(source.read, index))


def _folder_names(names: list[str]) -> list[str]:
    """Names without endings, where that leaves them different."""
    stems = [str(pathlib.PurePosixPath(name).with_suffix("")) for name in names]
    return [name if stems.count(stem) > 1 else stem for name, stem in zip(names, stems, strict=True)]


def _recipe(image_shape: tuple[int, int, int], align: str | None) -> Recipe:
    from sg_keras.curation.recipe import Recipe, Transform

    height, width, channels = image_shape
    if channels not in (1, 3, 4):
        raise ValueError(f"--network: found images of {channels} channels, expected 1 (gray), 3 (RGB) or 4 (RGBA)")
    alpha = "keep" if channels == 4 else "white"
    crop = Transform(name="center-crop")
    return Recipe(resolution=(width, height), transform=crop, channels=channels, alpha=alpha, align=align or "")


def _face_memory() -> FaceMemory:
    from sg_keras.curation.faces import FaceMemory, MTCNNDetector

    return FaceMemory(MTCNNDetector("--align"))


def _pixels(typed: str, data: bytes, recipe: Recipe, memory: FaceMemory | None) -> np.ndarray:
    from PIL import Image

    from sg_keras.curation.work import Job, convert_original

    result = convert_original(Job(0, typed, data, face=_largest(memory, data)), recipe)
    if not result.images:
        reason = result.reason or "found no face in it, expected one for --align"
        raise ValueError(f"{_OPTION}: {typed}: {reason}")
    with contextlib.closing(Image.open(io.BytesIO(result.images[0][0]))) as image:
        pixels = np.asarray(image)
    return pixels.reshape([*pixels.shape[:2], -1])


def _largest(memory: FaceMemory | None, data: bytes) -> Face | None:
    from sg_keras.curation.faces import LEAST_CONFIDENCE

    faces = () if memory is None else memory.faces(data)
    return next((face for face in faces if face.confidence >= LEAST_CONFIDENCE), None)
