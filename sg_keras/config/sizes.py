"""Sizes that networks, data and options agree on: the default capacity, and sizes of images that networks can have.

A size is written WxH for people, as in 768x512, and is height and width, in this order, in arguments and files; the
size of a square is one number there.

StyleGAN2 doubles a small image until it has its size, so sizes are w0*2^k x h0*2^k with 4 <= min(w0, h0) < 8.
StyleGAN3 takes any even sides. A discriminator halves, rounding down, until the shorter side is 4 to 7. The blocks of
all of them are called by their level: the largest power of two that is not above the block's shorter side, which for
a square of a power of two is the side itself. Levels decide the number of channels and which blocks compute in half
precision, so networks of different shapes have as many weights in common as can be.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

#: Feature maps at resolution r are min(base // r, max) (arXiv:1912.04958, appendix B): the published full capacity.
DEFAULT_CHANNEL_BASE = 32768
DEFAULT_CHANNEL_MAX = 512
#: Factor on the learning rate of the mapping network's layers (StyleGAN, arXiv:1812.04948, appendix C).
MAPPING_LR_MULTIPLIER = 0.01
#: Pixels that the shorter side must have: the discriminator needs a block above its last one.
LEAST_SIDE = 8
_LOWEST_LEVEL = 4

#: A size in arguments and files: the side of a square, or height and width.
Resolution: TypeAlias = int | Sequence[int]


@dataclasses.dataclass(frozen=True, slots=True)
class ImageSize:
    """Height and width in pixels, or in samples.

    Example:
        >>> size = image_size((512, 768))
        >>> str(size), size.level, image_size(64).plain
        ('768x512', 512, 64)
    """

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def shorter(self) -> int:
        """The shorter side."""
        return min(self.height, self.width)

    @property
    def plain(self) -> int | tuple[int, int]:
        """As arguments and files have it: the side of a square, or (height, width)."""
        return self.height if self.height == self.width else (self.height, self.width)

    @property
    def level(self) -> int:
        """The largest power of two that is not above the shorter side."""
        return 1 << (self.shorter.bit_length() - 1)

    def halved(self, times: int = 1) -> ImageSize:
        """The size after so many halvings, each rounded down."""
        return ImageSize(self.height >> times, self.width >> times)


def image_size(resolution: Resolution | ImageSize, name: str = "resolution") -> ImageSize:
    """The size that an argument or a file says.

    Raises:
        ValueError: it is neither a positive whole number nor two; one line that begins with the name.
    """
    if isinstance(resolution, ImageSize):
        return resolution
    is_pair = isinstance(resolution, list | tuple) and len(resolution) == 2
    sides = tuple(resolution) if is_pair else (resolution, resolution)  # type: ignore[arg-type]
    if not all(isinstance(side, int) and side > 0 for side in sides):
        raise ValueError(f"{name}: found {resolution!r}, expected a positive number of pixels, or height and width")
    return ImageSize(*sides)


def resolution_text(resolution: Resolution) -> str:
    """An argument's or file's size for people: the side of a square, or WxH.

    Example:
        >>> resolution_text(64), resolution_text((512, 768))
        ('64', '768x512')
    """
    return f"{resolution}" if isinstance(resolution, int) else f"{image_size(resolution)}"


def parse_size(text: str) -> ImageSize:
    """The size that people write: 768x512 is 768 wide and 512 high, 256 a square.

    Raises:
        ValueError: it is no size; the message is the end of a line.

    Example:
        >>> parse_size("768x512").shorter, parse_size("256").plain
        (512, 256)
    """
    match = re.fullmatch(r"\s*([1-9][0-9]*)(?:\s*[xX*]\s*([1-9][0-9]*))?\s*", text, re.ASCII)
    if match is None:
        raise ValueError(f"found {text!r}, expected WIDTHxHEIGHT in pixels, such as 768x512, or the side of a square")
    width = int(match[1])
    return ImageSize(width if match[2] is None else int(match[2]), width)


# ---- blocks ----------------------------------------------------------------------------------------------------------


def block_sizes(size: ImageSize) -> dict[int, ImageSize]:
    """Sizes of a network's blocks by level, the lowest first: each is half of the next one, rounded down.

    Raises:
        ValueError: the shorter side is below 4.

    Example:
        >>> {level: str(size) for level, size in block_sizes(ImageSize(height=24, width=40)).items()}
        {4: '10x6', 8: '20x12', 16: '40x24'}
    """
    if size.shorter < _LOWEST_LEVEL:
        raise ValueError(f"img_resolution: found {size}, expected {_LOWEST_LEVEL} pixels at least on the shorter side")
    times = (size.level // _LOWEST_LEVEL).bit_length() - 1
    return {_LOWEST_LEVEL << step: size.halved(times - step) for step in range(times + 1)}


def doubling_sizes(size: ImageSize) -> dict[int, ImageSize]:
    """The same where each block has to be exactly twice the one before, as in StyleGAN2's synthesis network.

    Raises:
        ValueError: there are no such blocks; the line names sizes near by that have them.
    """
    sizes = block_sizes(size)
    if not _doubles(size):
        raise ValueError(f"img_resolution: found {size}, expected {_sizes_text(size, 'stylegan2')}")
    return sizes


def no_const_size(size: ImageSize) -> ImageSize:
    """What a StyleGAN2 without a constant begins with: half of its first block.

    Raises:
        ValueError: there is no such network; one line.

    Example:
        >>> str(no_const_size(ImageSize(height=64, width=96)))
        '3x2'
    """
    first = doubling_sizes(size)[_LOWEST_LEVEL]
    if first.height % 2 or first.width % 2:
        factor = 2 * size.level // _LOWEST_LEVEL
        raise ValueError(
            f"no_const: found images of {size}, whose first block of {first} has no half, expected sides that are "
            f"multiples of {factor}"
        )
    return first.halved()


# ---- which sizes a configuration takes -------------------------------------------------------------------------------


def takes_size(cfg: str, size: ImageSize) -> bool:
    """Whether a network of a configuration ("stylegan2", "stylegan3-t", "stylegan3-r") can make images of a size.

    Example:
        >>> takes_size("stylegan2", ImageSize(720, 1280)), takes_size("stylegan3-t", ImageSize(720, 1280))
        (False, True)
    """
    if size.shorter < LEAST_SIDE:
        return False
    return _doubles(size) if cfg == "stylegan2" else size.height % 2 == 0 and size.width % 2 == 0


def expected_size(cfg: str, size: ImageSize) -> str:
    """What to say was expected instead of a size that a configuration does not take: the nearest ones that work.

    Example:
        >>> expected_size("stylegan2", ImageSize(height=720, width=1280))
        '1280x640 or 1280x768, the nearest sizes that StyleGAN2 can make (StyleGAN3 takes any even sides)'
    """
    others = takes_size("stylegan3-t", size) and cfg == "stylegan2"
    return f"{_sizes_text(size, cfg)}{' (StyleGAN3 takes any even sides)' if others else ''}"


def nearest_sizes(cfg: str, size: ImageSize) -> list[ImageSize]:
    """At most two sizes that a configuration takes, those that least has to be cropped or added for, smaller first."""

    def distance(other: ImageSize) -> tuple[int, float]:
        changed = abs(other.height - size.height) + abs(other.width - size.width)
        return changed, abs(math.log(other.height * size.width / (other.width * size.height)))

    candidates = sorted({other for other in _candidates(cfg, size) if takes_size(cfg, other)}, key=distance)
    return sorted(candidates[:2], key=lambda other: other.height * other.width)


def _candidates(cfg: str, size: ImageSize) -> Iterator[ImageSize]:
    def fits(height: int, width: int) -> bool:  # squares stay squares
        return height == width or size.height != size.width

    coarse = max(size.level // _LOWEST_LEVEL, 2)
    for step in (coarse, 2 * coarse) if cfg == "stylegan2" else (2,):
        for height in _multiples(size.height, step):
            yield from (ImageSize(height, width) for width in _multiples(size.width, step) if fits(height, width))


def _multiples(side: int, step: int) -> set[int]:
    return {max(side // step * step, LEAST_SIDE), max(-(-side // step) * step, LEAST_SIDE)}


def _doubles(size: ImageSize) -> bool:
    factor = max(size.level // _LOWEST_LEVEL, 1)
    return size.height % factor == 0 and size.width % factor == 0


def _sizes_text(size: ImageSize, cfg: str) -> str:
    nearest = nearest_sizes(cfg, size)
    which = "size" if len(nearest) == 1 else "sizes"
    network = "StyleGAN2" if cfg == "stylegan2" else "StyleGAN3"
    return f"{' or '.join(map(str, nearest))}, the nearest {which} that {network} can make"
