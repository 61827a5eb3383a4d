"""Everything that depends on how many real images were seen (nimg), as pure functions of that number.

A training step reads all of it as one tuple of scalars, `Schedules.at(cur_nimg)`: a resumed run has the values that the
uninterrupted one has, and nothing of this needs saving.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import NamedTuple

from sg_keras.config.freeze import FreezeRule, parse_freeze
from sg_keras.config.parts import AugmentConfig, LossConfig, OptimizerConfig
from sg_keras.config.schedule import Schedule, Scheduled, ScheduledCount


class ScheduledValues(NamedTuple):
    """What holds in the iteration that starts after a given number of real images."""

    g_lr: float  # learning rates, before the correction for lazy regularisation
    d_lr: float
    beta2: float  # of Adam, before that correction, too
    r1_gamma: float
    pl_weight: float
    blur_sigma: float | None  # width of the blur before D in pixels; None: no blur
    ema_beta: float  # share of G_ema that is kept
    augment_p: float  # of --aug=fixed
    ada_target: float
    ada_kimg: float  # thousands of images in which ADA's p can move by one
    frozen: tuple[FreezeRule, ...]  # the rules of --freeze that hold
    num_fp16_res: int | None  # of the highest resolutions, in half precision; None: as the networks were made


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Schedules:
    """The schedules of a run.

    Attributes:
        of: schedules by the name of the value, those of ScheduledValues or what they follow from.
        ema_rampup: the half-life of G_ema is at most so many times nimg; None = no ramp-up.
        blur_init_sigma, blur_fade_kimg: of `blur_sigma`, where "blur" is not among the schedules.
        freeze: rules of what is not trained.
        batch: real images per iteration, over all replicas.
    """

    of: Mapping[str, Schedule]
    ema_rampup: float | None
    blur_init_sigma: float
    blur_fade_kimg: float
    freeze: tuple[FreezeRule, ...]
    batch: int

    @classmethod
    def of_parts(
        cls,
        loss: LossConfig,
        optimizer: OptimizerConfig,
        augment: AugmentConfig,
        *,
        batch: int,
        ema_kimg: Scheduled,
        ema_rampup: float | None,
        freeze: str = "",
        num_fp16_res: ScheduledCount | None = None,
    ) -> Schedules:
        """Those of a configuration."""
        values = {
            "g_lr": optimizer.g_lr,
            "d_lr": optimizer.d_lr,
            "beta2": optimizer.beta2,
            "r1_gamma": loss.r1_gamma,
            "pl_weight": loss.pl_weight,
            "augment_p": augment.p,
            "ada_target": augment.target,
            "ada_kimg": augment.ada_kimg,
            "ema_kimg": ema_kimg,
            **({} if loss.blur is None else {"blur": loss.blur}),
            **({} if num_fp16_res is None else {"num_fp16_res": num_fp16_res}),
        }
        return cls(
            of={name: Schedule.of(value) for name, value in values.items()},
            ema_rampup=ema_rampup,
            blur_init_sigma=loss.blur_init_sigma,
            blur_fade_kimg=loss.blur_fade_kimg,
            freeze=parse_freeze(freeze),
            batch=batch,
        )

    def changing_at(self, cur_nimg: int) -> dict[str, float]:
        """By name, the values after `cur_nimg` real images of those schedules that are no constants."""
        return {name: one.at(cur_nimg) for name, one in self.of.items() if not one.is_constant}

    def at(self, cur_nimg: int) -> ScheduledValues:
        """What holds in the iteration that starts after `cur_nimg` real images."""
        now = {name: schedule.at(cur_nimg) for name, schedule in self.of.items()}
        beta = ema_beta(cur_nimg, self.batch, now.pop("ema_kimg"), self.ema_rampup)
        if "blur" in now:
            sigma = visible_blur(now.pop("blur"))
        else:
            sigma = blur_sigma(cur_nimg, self.blur_init_sigma, self.blur_fade_kimg)
        frozen = tuple(rule for rule in self.freeze if rule.is_active(cur_nimg))
        half = now.pop("num_fp16_res", None)
        count = None if half is None else int(half)
        return ScheduledValues(**now, blur_sigma=sigma, ema_beta=beta, frozen=frozen, num_fp16_res=count)


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
    return visible_blur(initial_sigma * max(1 - cur_nimg / (fade_kimg * 1e3), 0))


def visible_blur(sigma: float) -> float | None:
    """A blur's width in pixels; None where its filter would be a single tap."""
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
