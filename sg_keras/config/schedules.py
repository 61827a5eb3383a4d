"""Everything that depends on how many real images were seen (nimg), as pure functions of that number.

A training step reads all of it as one tuple of scalars, `Schedules.at(cur_nimg)`: a resumed run has the values that the
uninterrupted one has, and nothing of this needs saving.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from typing import NamedTuple

from sg_keras.config.freeze import FreezeRule, parse_freeze
from sg_keras.config.parts import AugmentConfig, LossConfig, OptimizerConfig


@dataclasses.dataclass(frozen=True, slots=True)
class Piecewise:
    """A value given at some points of a run.

    Attributes:
        points: (nimg, value) in rising order of nimg. Before the first and after the last one their values hold.
        linear: between two points the value moves along a straight line; otherwise it stays until the next point.
    """

    points: tuple[tuple[float, float], ...]
    linear: bool = False

    def __post_init__(self) -> None:
        nimgs = [nimg for nimg, _ in self.points]
        if not nimgs or nimgs != sorted(set(nimgs)):
            raise ValueError(f"schedule: found points at {nimgs}, expected one or more, each later than the one before")

    @classmethod
    def constant(cls, value: float) -> Piecewise:
        """The same value all along."""
        return cls(((0.0, value),))

    def at(self, cur_nimg: int) -> float:
        """The value after `cur_nimg` real images."""
        number = bisect.bisect_right([nimg for nimg, _ in self.points], cur_nimg)
        if number == 0 or number == len(self.points) or not self.linear:
            return self.points[max(number - 1, 0)][1]
        (start, before), (end, after) = self.points[number - 1 : number + 1]
        return before + (after - before) * (cur_nimg - start) / (end - start)


class ScheduledValues(NamedTuple):
    """What holds in the iteration that starts after a given number of real images."""

    g_lr: float  # learning rates, before the correction for lazy regularisation
    d_lr: float
    r1_gamma: float
    blur_sigma: float | None  # width of the blur before D in pixels; None: no blur
    ema_beta: float  # share of G_ema that is kept
    ada_kimg: float  # thousands of images in which ADA's p can move by one
    frozen: tuple[FreezeRule, ...]  # the rules of --freeze that hold


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Schedules:
    """The schedules of a run.

    Attributes:
        g_lr, d_lr, r1_gamma, ema_kimg, ada_kimg: values over the run.
        ema_rampup: the half-life of G_ema is at most so many times nimg; None = no ramp-up.
        blur_init_sigma, blur_fade_kimg: of `blur_sigma`.
        freeze: rules of what is not trained.
        batch: real images per iteration, over all replicas.
    """

    g_lr: Piecewise
    d_lr: Piecewise
    r1_gamma: Piecewise
    ema_kimg: Piecewise
    ada_kimg: Piecewise
    ema_rampup: float | None
    blur_init_sigma: float
    blur_fade_kimg: float
    freeze: tuple[FreezeRule, ...]
    batch: int

    @classmethod
    def of(
        cls,
        loss: LossConfig,
        optimizer: OptimizerConfig,
        augment: AugmentConfig,
        *,
        batch: int,
        ema_kimg: float,
        ema_rampup: float | None,
        freeze: str = "",
    ) -> Schedules:
        """Those of a configuration, in which learning rates, gamma and speeds are constant."""
        return cls(
            g_lr=Piecewise.constant(optimizer.g_lr),
            d_lr=Piecewise.constant(optimizer.d_lr),
            r1_gamma=Piecewise.constant(loss.r1_gamma),
            ema_kimg=Piecewise.constant(ema_kimg),
            ada_kimg=Piecewise.constant(augment.ada_kimg),
            ema_rampup=ema_rampup,
            blur_init_sigma=loss.blur_init_sigma,
            blur_fade_kimg=loss.blur_fade_kimg,
            freeze=parse_freeze(freeze),
            batch=batch,
        )

    def at(self, cur_nimg: int) -> ScheduledValues:
        """What holds in the iteration that starts after `cur_nimg` real images."""
        return ScheduledValues(
            g_lr=self.g_lr.at(cur_nimg),
            d_lr=self.d_lr.at(cur_nimg),
            r1_gamma=self.r1_gamma.at(cur_nimg),
            blur_sigma=blur_sigma(cur_nimg, self.blur_init_sigma, self.blur_fade_kimg),
            ema_beta=ema_beta(cur_nimg, self.batch, self.ema_kimg.at(cur_nimg), self.ema_rampup),
            ada_kimg=self.ada_kimg.at(cur_nimg),
            frozen=tuple(rule for rule in self.freeze if rule.is_active(cur_nimg)),
        )


def blur_sigma(cur_nimg: int, initial_sigma: float, fade_kimg: float) -> float | None:
    """Width of the blur of what D sees, in pixels (StyleGAN3-R; arXiv:2106.12423, appendix F).

    Falls linearly from `initial_sigma` at the start to 0 at `fade_kimg`.

    Args:
        cur_nimg: real images seen so far.
        initial_sigma: width at the start in pixels, 0 = never any blur.
        fade_kimg: thousands of images until there is no blur, 0 = never any blur.

    Returns:
        None where the filter would be a single tap.
    """
    if fade_kimg <= 0:
        return None
    sigma = initial_sigma * max(1 - cur_nimg / (fade_kimg * 1e3), 0)
    return sigma if math.floor(3 * sigma) > 0 else None


def ema_beta(cur_nimg: int, batch: int, ema_kimg: float, ema_rampup: float | None) -> float:
    """Decay of G_ema in the iteration that starts after `cur_nimg` real images.

    0.5 ** (batch / half-life) with a half-life of ema_kimg thousand images, at most ema_rampup * cur_nimg images
    (Karras et al. 2018, arXiv:1710.10196; ramp-up of arXiv:2006.06676).
    """
    half_life_nimg = ema_kimg * 1000
    if ema_rampup is not None:
        half_life_nimg = min(half_life_nimg, cur_nimg * ema_rampup)
    return 0.5 ** (batch / max(half_life_nimg, 1e-8))
