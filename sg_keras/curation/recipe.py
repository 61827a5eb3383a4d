"""What becomes of each image, as one value that goes to the workers and on record."""

from __future__ import annotations

import dataclasses
from typing import Any

PIXELS = "pixels"  # the format of TFRecords


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """How an image gets its size.

    Attributes:
        name: of CROP_TRANSFORMS.
        numbers: of random-crops how many; of tiles their size and stride in pixels.
    """

    name: str = "none"
    numbers: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.name + (f"={','.join(map(str, self.numbers))}" if self.numbers else "")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What becomes of each image.

    Attributes:
        resolution: (width, height) of the images; None = as the originals are.
        transform: how they get there.
        filter: of RESIZE_FILTERS.
        linear_light: whether pixels are averaged as amounts of light, rather than as they are stored (sRGB).
        background: of bars and borders: #rrggbb, blur or edge.
        channels: 1, 3 or 4; None = not settled yet.
        alpha: keep, white, black, #rrggbb or drop-transparent; None = transparency is refused.
        format: png, jpeg:QUALITY, webp-lossless, or pixels.
        seed: of random crops.
        crop_box_from: faces = the transform gets a box around the largest face; "" = all of the image.
        align: ffhq = the transform gets the largest face, rotated and cut to FFHQ's template; "" = not.
        draft: whether JPEG files are decoded at a fraction of their size where that is enough.
    """

    resolution: tuple[int, int] | None = None
    transform: Transform = Transform()
    filter: str = "lanczos"
    linear_light: bool = False
    background: str = "#000000"
    channels: int | None = None
    alpha: str | None = None
    format: str = "png"
    seed: int = 0
    draft: bool = False
    crop_box_from: str = ""
    align: str = ""

    def __post_init__(self) -> None:
        width, height = self.resolution or (0, 0)
        name = self.transform.name
        if self.resolution is None and name not in ("none", "tiles"):
            raise ValueError(f"--resolution: found none with transform {name}, expected WIDTHxHEIGHT")
        if name == "center-crop-wide" and width < height:
            raise ValueError(f"--resolution: found {width}x{height} with center-crop-wide, expected width above height")
        if name == "center-crop-tall" and width > height:
            raise ValueError(f"--resolution: found {width}x{height} with center-crop-tall, expected height above width")
        self._check_faces()
        if self.alpha == "keep" and self.channels in (1, 3):
            raise ValueError(f"--alpha: found keep with {self.channels} channels, expected 4 or auto")
        if self.channels == 4 and self.format not in ("png", PIXELS):  # WebP drops alpha where all is opaque
            raise ValueError(f"--format: found {self.format} with 4 channels, expected png, which keeps all of them")
        if self.format == "webp-lossless" and self.channels == 1:
            raise ValueError("--format: found webp-lossless with gray images, which it does not know, expected png")

    def _check_faces(self) -> None:
        option = "--align" if self.align else "--crop-box-from"
        if self.align and self.crop_box_from:
            raise ValueError(f"--align: found {self.align} with --crop-box-from, expected one of the two")
        if not self.wants_faces:
            return
        if self.transform.name in ("random-crops", "tiles"):
            raise ValueError(f"{option}: found it with transform {self.transform}, expected one that makes one image")
        if self.resolution is None:
            raise ValueError(f"--resolution: found none with {option}, expected WIDTHxHEIGHT")
        if self.draft:
            raise ValueError(f"{option}: found it with --draft, expected one of the two: faces lie in whole pixels")

    @property
    def wants_faces(self) -> bool:
        """Whether images follow from the faces in them."""
        return bool(self.align or self.crop_box_from)

    def record(self) -> dict[str, Any]:
        """What is told of it in dataset.json."""
        values = dataclasses.asdict(self)
        values["transform"] = str(self.transform)
        values["resolution"] = None if self.resolution is None else "x".join(map(str, self.resolution))
        for name in ("crop_box_from", "align"):  # what is not asked for leaves no trace
            if not values[name]:
                del values[name]
        return values
