"""How images are projected: the numbers of StyleGAN2's projection (arXiv:1912.04958, appendix D), and its schedules."""

from __future__ import annotations

import dataclasses
import math

SPACES = ("w", "w+")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionSettings:
    """What projection depends on beside network, images and features.

    Attributes:
        space: "w", one style for all layers, or "w+", a style for each.
        num_steps: of the optimisation.
        w_avg_samples, w_avg_seed: latents whose styles give the start, their mean, and the scale of the noise.
        initial_learning_rate: of Adam, before it is ramped.
        initial_noise_factor: noise that is added to w at first, in standard deviations of the styles.
        lr_rampdown_length, lr_rampup_length, noise_ramp_length: parts of all steps in which the learning rate falls, at
            the end, and rises, at the beginning, and in which the noise fades out, from the beginning on.
        regularize_noise_weight: of the penalty on images of noise that resemble their own neighbourhood.
        fits_noise: whether images of noise are fitted beside w, as published, and forgotten then; False = the network's
            stored ones stay.
        w_plus_pull: with "w+", weight of the mean squared distance of the layers' styles from their mean, in variances
            of the styles.
        holds_transform: whether StyleGAN3's first style, which moves and rotates the image, stays that of the mean.
        stop_below: end as soon as all images' distances are below this; None = never.

    Raises:
        ValueError: a number of steps or samples below 1, or a space that is not known.

    Example:
        >>> settings = ProjectionSettings(space="w+", num_steps=500)
        >>> [round(settings.learning_rate(step), 4) for step in (0, 25, 375, 499)]
        [0.0, 0.1, 0.1, 0.0]
    """

    space: str = "w"
    num_steps: int = 1000
    w_avg_samples: int = 10000
    w_avg_seed: int = 123
    initial_learning_rate: float = 0.1
    initial_noise_factor: float = 0.05
    lr_rampdown_length: float = 0.25
    lr_rampup_length: float = 0.05
    noise_ramp_length: float = 0.75
    regularize_noise_weight: float = 1e5
    fits_noise: bool = True
    w_plus_pull: float = 0.1
    holds_transform: bool = True
    stop_below: float | None = None

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise ValueError(f"space: found {self.space!r}, expected {' or '.join(SPACES)}")
        for name in ("num_steps", "w_avg_samples"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: found {getattr(self, name)}, expected 1 or more")

    def learning_rate(self, step: int) -> float:
        """Of a step, counted from 0: it rises linearly, and falls as a cosine does."""
        done = step / self.num_steps
        falling = min(1.0, (1 - done) / max(self.lr_rampdown_length, 1e-9))
        rising = min(1.0, done / max(self.lr_rampup_length, 1e-9))
        return self.initial_learning_rate * (0.5 - 0.5 * math.cos(math.pi * falling)) * rising

    def noise_scale(self, step: int) -> float:
        """Of the noise that is added to w at a step, in standard deviations of the styles; it falls as a square."""
        left = max(0.0, 1 - step / self.num_steps / max(self.noise_ramp_length, 1e-9))
        return self.initial_noise_factor * left**2
