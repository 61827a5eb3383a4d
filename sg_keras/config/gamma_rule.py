"""The weight of the R1 penalty that the published configurations suggest, by resolution and batch."""

from __future__ import annotations

from typing import NamedTuple

from sg_keras.config.sizes import ImageSize

_STYLEGAN2 = 0.0002  # of StyleGAN2-ADA's automatic configuration (arXiv:2006.06676): times pixels / batch
_STYLEGAN3 = 1 / 1024  # what the published rows of StyleGAN3-T and -R come to: 2 at 256x256 with a batch of 32
_DIGITS = 6


class SuggestedGamma(NamedTuple):
    """A weight, and in words where it comes from."""

    gamma: float
    source: str


def suggested_gamma(cfg: str, size: ImageSize, batch: int) -> SuggestedGamma:
    """Where a search for gamma may begin: it grows with the number of pixels, and with smaller batches.

    Args:
        cfg: stylegan2, stylegan3-t or stylegan3-r.
        size: of the images.
        batch: images in a batch, over all replicas.

    Example:
        >>> suggested_gamma("stylegan2", ImageSize(256, 256), batch=16).gamma
        0.8192
        >>> suggested_gamma("stylegan3-t", ImageSize(512, 512), batch=32).gamma
        8.0
    """
    if cfg == "stylegan2":
        factor, rule, source = _STYLEGAN2, f"{_STYLEGAN2} *", "the rule of StyleGAN2-ADA's automatic configuration"
    else:
        factor, rule, source = _STYLEGAN3, "1/1024 *", "the rule of the published rows of StyleGAN3"
    gamma = float(f"{factor * size.height * size.width / batch:.{_DIGITS}g}")
    return SuggestedGamma(gamma, f"{gamma:g} = {rule} {size.width} * {size.height} / batch of {batch}, {source}")
