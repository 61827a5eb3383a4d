"""Whether transforms that augmentation applies show in generated images (arXiv:2006.06676, section 2.2).

Augmentation leaks if the generator makes transformed images, such as rotated ones. For each transform T a classifier
learns to tell real images from T(real images) on one half of them: ridge regression with radial kernels on small
images and on figures such as contrast, hue and sharpness. On the other half, scores of reals and of T(reals) show
what the classifier makes of both. The share of fakes that look transformed follows from how their scores lie between
the two, by counting beyond each side's median:

    (share of fakes scored above the median of T(reals) - that of reals) / (1/2 - that of reals)
    1 - (share of fakes scored below the median of reals - that of T(reals)) / (1/2 - that of T(reals))

A leak moves both from 0 to the share of transformed fakes; the smaller one counts.

Images that are just bad, as those of a generator that has not learned yet, may look like T(reals) to such a
classifier. So a second figure says how much of the difference between fakes and reals the transform explains: with the
means of both in the kernel's feature space, the squared cosine between mean(fakes) - mean(reals) and mean(T(reals)) -
mean(reals) (unbiased, as in maximum mean discrepancy; Gretton et al. 2012). If all that is wrong with the fakes is that
some are transformed, it is 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import tensorflow as tf

from sg_keras.augment import AugmentPipeline, AugmentRandom, AugmentTransforms, DiffAugment
from sg_keras.augment.leak_features import Features, image_features, kernel
from sg_keras.augment.sampling import UNIFORMS
from sg_keras.augment.transform_layer import COLORS
from sg_keras.config import AugmentConfig
from sg_keras.config.augment_transforms import DIFFAUG_POLICIES, PIPES, TRANSFORMS
from sg_keras.ops.pixel_values import from_uint8

MAX_IMAGES = 512  # of each kind: more tell little more
_SMALL = 32  # pixels a side that images are reduced to
_DETAIL = ("imgfilter", "noise")  # seen in details: in the middle of an image at its full size
_HALF_TURN = "rotate180"  # a transform to look for, though no pipe has it alone
_COLORFUL = ("hue", "saturation")  # of which gray images have none
_RIDGE = 0.1
_RESAMPLED = 100  # times, for the standard error
_LEAST_SHARE = 0.1  # that is warned of
_LEAST_ERRORS = 4.0  # standard errors that it must be above 0
_LEAST_EXPLAINED = 0.5  # of the difference between fakes and reals
_LEAST_POWER = 0.1  # share of transformed reals beyond reals' that must be told apart for an estimate to mean anything


@dataclasses.dataclass(frozen=True)
class Leak:
    """How far one transform shows in generated images.

    Attributes:
        transform: its name.
        share: estimated share of generated images that are transformed, around 0 where none are, at most about 1.
        standard_error: of the share.
        explained: how much of the difference between generated and real images the transform explains, 0 to 1.
        told_apart: how well the classifier knows the transform: 0 (not at all) to 1/2. Below 0.1 the share is nan.
    """

    transform: str
    share: float
    standard_error: float
    explained: float
    told_apart: float

    @property
    def certain(self) -> bool:
        """Whether the leak is large enough to matter, too large to be chance, and of this transform."""
        large = self.share >= max(_LEAST_SHARE, _LEAST_ERRORS * self.standard_error)
        return large and self.explained >= _LEAST_EXPLAINED


def checked_transforms(config: AugmentConfig, channels: int, mirror: bool, mirrory: bool) -> tuple[str, ...]:
    """Transforms of a run's augmentation that can be told from its data: not flips of data that has flipped copies.

    Args:
        config: of the run.
        channels: of the images.
        mirror: whether the data has copies with left and right exchanged.
        mirrory: whether it has copies with top and bottom exchanged.
    """
    if config.mode == "noaug":
        return ()
    names = config.diffaug if config.mode == "diffaug" else PIPES[config.pipe]
    if "rotate90" in names:  # of which rotations by 180 degrees are the likeliest: many objects look alike upside down
        names = (*names, _HALF_TURN)
    hidden = ("xflip",) * mirror + (_HALF_TURN,) * (mirror and mirrory) + _COLORFUL * (channels == 1)
    if channels not in COLORS:
        hidden += (*PIPES["color"], "color")
    return tuple(name for name in names if name not in hidden)


def find_leaks(reals: np.ndarray, fakes: np.ndarray, transforms: Sequence[str], seed: int = 0) -> list[Leak]:
    """Estimate for each transform what share of the fakes is transformed.

    Args:
        reals: uint8 [N,H,W,C], at least 8, in random order; training images are fine.
        fakes: uint8 [N,H,W,C], with labels distributed like those of the reals.
        transforms: names of ADA's transforms or of DiffAugment's policies.
        seed: of the transforms' parameters.

    Raises:
        ValueError: shapes do not agree, there are too few images, or a name is unknown.
    """
    if reals.shape != fakes.shape or reals.ndim != 4 or len(reals) < 8:
        raise ValueError(
            f"reals, fakes: found shapes {reals.shape} and {fakes.shape}, expected the same [N,H,W,C], N at least 8"
        )
    reals, fakes = (pixels[:MAX_IMAGES] for pixels in (reals, fakes))
    leaks: dict[str, Leak] = {}
    for view, detail in ((_middle, True), (_reduced, False)):
        names = [name for name in transforms if (name in _DETAIL) == detail]
        if names:
            real, fake = view(reals), view(fakes)
            of_reals, of_fakes = image_features(real), image_features(fake)
        for name in names:
            features = [of_reals, image_features(_transformed(real, name, seed)), of_fakes]
            leaks[name] = _find_leak(name, features, seed)
    return [leaks[name] for name in transforms]


def _find_leak(name: str, features: list[Features], seed: int) -> Leak:
    """The leak of one transform, from features of reals, transformed reals and fakes."""
    scores = [_scores(features, part) for part in (0, 1)]
    rng = np.random.default_rng(seed)
    share, told_apart = _share(scores)
    if told_apart < _LEAST_POWER:
        return Leak(name, float("nan"), float("nan"), 0.0, told_apart)
    resampled = [_share([_resample(part, rng) for part in scores])[0] for _ in range(_RESAMPLED)]
    return Leak(name, share, float(np.std(resampled)), _explained(*features), told_apart)


# ---------------------------------------------------------------------------------------------------- images


def _reduced(pixels: np.ndarray) -> np.ndarray:
    """Images float32 in -1..1, reduced to 32 pixels on the shorter side by averaging."""
    count, height, width, channels = pixels.shape
    by = max(min(height, width) // _SMALL, 1)
    rows, columns = height // by, width // by
    blocks = pixels[:, : rows * by, : columns * by].reshape(count, rows, by, columns, by, channels)
    return from_uint8(blocks.mean(axis=(2, 4), dtype=np.float32))


def _middle(pixels: np.ndarray) -> np.ndarray:
    """The middle of images, float32 in -1..1, at most 32 pixels a side."""
    top, left = (max((side - _SMALL) // 2, 0) for side in pixels.shape[1:3])
    return from_uint8(pixels[:, top : top + _SMALL, left : left + _SMALL])


class _Applied(AugmentRandom):
    """Random numbers with which flips, rotations by 90 degrees and inversions always change an image."""

    ranges: ClassVar = {"xflip": (0.5, 1.0), "lumaflip": (0.5, 1.0), "rotate90": (0.25, 1.0)}

    def uniforms(self, count: int | tf.Tensor) -> tf.Tensor:
        least, most = tf.unstack(tf.constant([self.ranges.get(name, (0.0, 1.0)) for name in UNIFORMS]), axis=1)
        return least + (most - least) * super().uniforms(count)


class _HalfTurned(_Applied):
    """With which rotations by 90 degrees are two."""

    ranges: ClassVar = {"rotate90": (0.5, 0.75)}


def _transformed(images: np.ndarray, name: str, seed: int) -> np.ndarray:
    """Every image transformed at random, with values that 8-bit images can have."""
    layer: Callable[..., tf.Tensor]
    make_random, name = (_HalfTurned, "rotate90") if name == _HALF_TURN else (_Applied, name)
    if name in DIFFAUG_POLICIES and name != "cutout":
        layer = DiffAugment((name,))
    elif name in TRANSFORMS:
        layer = AugmentPipeline(AugmentTransforms(**{name: 1.0}))  # type: ignore[arg-type]
    else:
        raise ValueError(f"transforms: found {name!r}, expected names of transforms")
    result = layer(tf.constant(images), p=1.0, random=make_random(tf.constant([seed, 1], tf.int64), 0))
    return from_uint8(np.round((result.numpy().clip(-1, 1) + 1) * 127.5))


# ---------------------------------------------------------------------------------------------------- estimate


def _scores(features: list[Features], part: int) -> list[np.ndarray]:
    """Scores of held-out reals, transformed reals and of fakes by a classifier that learned on the other half.

    Args:
        features: of reals, transformed reals and fakes.
        part: 0 or 1, the half that is held out.
    """
    learned, judged = slice(1 - part, None, 2), slice(part, None, 2)
    real, transformed, _ = ([group[learned] for group in groups] for groups in features)
    known = [np.concatenate(pair) for pair in zip(real, transformed, strict=True)]
    targets = np.repeat([-1.0, 1.0], [len(real[0]), len(transformed[0])])
    similar, widths = kernel(known, known, scale=known)
    weights = np.linalg.solve(similar + _RIDGE * np.eye(len(similar)), targets)
    return [kernel([group[judged] for group in groups], known, widths, scale=known)[0] @ weights for groups in features]


def _share(parts: list[list[np.ndarray]]) -> tuple[float, float]:
    """(share of fakes that look transformed, how well the classifier tells), from scores of both halves."""
    estimates = np.zeros([len(parts), 3])
    for row, (real, transformed, fake) in zip(estimates, parts, strict=True):
        high, low = np.median(transformed), np.median(real)
        real_high, transformed_low = np.mean(real > high), np.mean(transformed < low)
        told_apart = max(0.5 - max(real_high, transformed_low), 1e-3)
        by_high = (np.mean(fake > high) - real_high) / max(0.5 - real_high, 1e-3)
        by_low = 1 - (np.mean(fake < low) - transformed_low) / max(0.5 - transformed_low, 1e-3)
        row[:] = by_high, by_low, told_apart
    by_high, by_low, told_apart = estimates.mean(axis=0)
    return float(min(by_high, by_low)), float(told_apart)


def _explained(real: Features, transformed: Features, fake: Features) -> float:
    """Squared cosine between the ways from reals to fakes and to transformed reals, in the kernel's feature space."""
    groups = {"r": real, "t": transformed, "f": fake}
    both = [np.concatenate(pair) for pair in zip(real, transformed, strict=True)]
    _, widths = kernel(both, transformed, scale=both)
    means = {}
    for left, right in ("rr", "tt", "ff", "rt", "fr", "ft"):
        similar, _ = kernel(groups[left], groups[right], widths, scale=both)
        # An image is no sample of its likeness to itself, nor to what a transform made of it.
        means[left + right] = (similar.sum() - similar.trace()) / (similar.size - len(similar))
    to_fakes = means["ff"] + means["rr"] - 2 * means["fr"]
    to_transformed = means["tt"] + means["rr"] - 2 * means["rt"]
    common = means["ft"] - means["fr"] - means["rt"] + means["rr"]
    if min(to_fakes, to_transformed, common) <= 0:
        return 0.0
    return float(min(common**2 / (to_fakes * to_transformed), 1.0))


def _resample(scores: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.choice(group, len(group)) for group in scores]
