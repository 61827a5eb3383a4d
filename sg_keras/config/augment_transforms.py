"""Which transforms the discriminator's augmentation is made of, how often they occur, and how strong they are.

Names, groups and strengths are those of Karras et al. 2020 (arXiv:2006.06676, appendix B and table 6).
"""

from __future__ import annotations

import dataclasses
import math

_BLIT = ("xflip", "rotate90", "xint")
_GEOM = ("scale", "rotate", "aniso", "xfrac")
_COLOR = ("brightness", "contrast", "lumaflip", "hue", "saturation")
_FILTER, _NOISE, _CUTOUT = ("imgfilter",), ("noise",), ("cutout",)

TRANSFORMS = _BLIT + _GEOM + _COLOR + _FILTER + _NOISE + _CUTOUT

# The transforms of each named pipe. "body" leaves out what real images of upright figures never show: turned and
# sheared images, negatives and other hues.
PIPES: dict[str, tuple[str, ...]] = {
    "blit": _BLIT,
    "geom": _GEOM,
    "color": _COLOR,
    "filter": _FILTER,
    "noise": _NOISE,
    "cutout": _CUTOUT,
    "bg": _BLIT + _GEOM,
    "bgc": _BLIT + _GEOM + _COLOR,
    "bgcf": _BLIT + _GEOM + _COLOR + _FILTER,
    "bgcfn": _BLIT + _GEOM + _COLOR + _FILTER + _NOISE,
    "bgcfnc": TRANSFORMS,
    "body": ("xflip", "xint", "scale", "aniso", "xfrac", "brightness", "contrast", "saturation"),
}

# What DiffAugment can do to images, in the order in which it does it (Zhao et al. 2020, arXiv:2006.10738).
DIFFAUG_POLICIES = ("color", "translation", "cutout")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AugmentTransforms:
    """The transforms of an augmentation pipeline; a transform of multiplier m occurs with probability m * p.

    Deviations are those of a normal distribution. Multipliers default to 0, which is no augmentation at all.
    """

    xflip: float = 0.0
    rotate90: float = 0.0
    xint: float = 0.0
    scale: float = 0.0
    rotate: float = 0.0
    aniso: float = 0.0
    xfrac: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    lumaflip: float = 0.0
    hue: float = 0.0
    saturation: float = 0.0
    imgfilter: float = 0.0
    noise: float = 0.0
    cutout: float = 0.0

    xint_max: float = 0.125  # longest translation by whole pixels, as a share of the size
    scale_std: float = 0.2  # deviation of log2 of the size
    rotate_max: float = 1.0  # largest angle, 1 = half a turn either way
    aniso_std: float = 0.2  # deviation of log2 of the stretching of one axis against the other
    xfrac_std: float = 0.125  # deviation of the translation by fractions of pixels, as a share of the size
    brightness_std: float = 0.2  # deviation of what is added to pixels in -1..1
    contrast_std: float = 0.5  # deviation of log2 of the contrast
    hue_max: float = 1.0  # largest turn of the hue, 1 = half a turn either way
    saturation_std: float = 1.0  # deviation of log2 of the saturation
    imgfilter_bands: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)  # multipliers, low frequencies first
    imgfilter_std: float = 1.0  # deviation of log2 of a band's amplification
    noise_std: float = 0.1  # deviation of the noise's own deviation
    cutout_size: float = 0.5  # sides of the erased rectangle, as a share of the image's

    def __post_init__(self) -> None:
        object.__setattr__(self, "imgfilter_bands", tuple(self.imgfilter_bands))  # a list, where JSON was read
        for name, values, limit, expected in self._limits():
            if not all(0 <= value <= limit and math.isfinite(value) for value in values):
                raise ValueError(f"{name}: found {getattr(self, name)!r}, expected {expected}")
        if len(self.imgfilter_bands) != 4:
            raise ValueError(f"imgfilter_bands: found {self.imgfilter_bands!r}, expected 4 numbers of at least 0")

    def _limits(self) -> list[tuple[str, tuple[float, ...], float, str]]:
        """Field, its numbers, the greatest that is valid, and what to say otherwise."""
        limits = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            limit = {"xint_max": 1.0, "rotate_max": 1.0, "hue_max": 1.0, "cutout_size": 2.0}.get(field.name, math.inf)
            expected = "a number of at least 0" if limit == math.inf else f"0 to {limit:g}"
            if isinstance(value, tuple):
                limits.append((field.name, value, limit, "4 numbers of at least 0"))
            else:
                limits.append((field.name, (value,), limit, expected))
        return limits

    @classmethod
    def of_pipe(cls, pipe: str, **changes: float) -> AugmentTransforms:
        """The transforms of a named pipe, each with multiplier 1.

        Args:
            pipe: a key of PIPES, such as "bgc".
            changes: other multipliers and strengths, by field.

        Raises:
            ValueError: there is no such pipe, or a number is out of range.
        """
        if pipe not in PIPES:
            raise ValueError(f"augpipe: found {pipe!r}, expected one of {', '.join(PIPES)}")
        return cls(**{**dict.fromkeys(PIPES[pipe], 1.0), **changes})  # type: ignore[arg-type]

    def has(self, *names: str) -> bool:
        """Whether any of these transforms can occur."""
        return any(getattr(self, name) > 0 for name in names)

    @property
    def geometric(self) -> bool:
        """Whether a transform that moves pixels can occur."""
        return self.has(*_BLIT, *_GEOM)

    @property
    def colored(self) -> bool:
        """Whether a transform of colours can occur."""
        return self.has(*_COLOR)
