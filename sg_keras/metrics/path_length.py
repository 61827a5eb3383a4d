"""Perceptual path length (PPL, arXiv:1812.04948): how far an image moves, for a network that sees, per step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
import tensorflow as tf

Mapping: TypeAlias = Callable[[tf.Tensor], tf.Tensor]  # z [N,z_dim] to w [N,...]
Synthesize: TypeAlias = Callable[[tf.Tensor], tf.Tensor]  # w to images [N,H,W,C], nominally -1..1
Features: TypeAlias = Callable[[tf.Tensor], tf.Tensor]  # images in 0..255 to [N,D]

LARGEST_SIDE = 256  # images of twice that and more are averaged down, since the network that sees was made for 224


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PathSampling:
    """Which paths are measured.

    Attributes:
        space: where the two ends lie on a line ("w") or an arc ("z").
        sampling: at which point of the path: at a "full" range of t, or its "end", t = 0.
        epsilon: the step.
        crop: look at the middle half in x and somewhat lower than the middle in y, where faces are.
    """

    space: Literal["z", "w"] = "w"
    sampling: Literal["full", "end"] = "end"
    epsilon: float = 1e-4
    crop: bool = False


def slerp(a: tf.Tensor, b: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
    """Along the arc from a to b. Both ends, and what is returned, have length 1.

    Args:
        a, b: [...,D].
        t: [...,1], 0 at a and 1 at b.

    Returns:
        [...,D].
    """
    a, b = _unit(a), _unit(b)
    cosine = tf.reduce_sum(a * b, axis=-1, keepdims=True)
    angle = t * tf.acos(cosine)
    across = _unit(b - cosine * a)
    return _unit(a * tf.cos(angle) + across * tf.sin(angle))


def path_distances(
    ends: tuple[tf.Tensor, tf.Tensor],
    t: tf.Tensor,
    sampling: PathSampling,
    networks: tuple[Mapping, Synthesize, Features],
) -> tf.Tensor:
    """Squared distances of features at t and t + epsilon, divided by epsilon^2.

    Args:
        ends: z of both ends, each [N,z_dim].
        t: [N], uniform in 0..1; taken where sampling is "full".
        networks: the mapping (of the same labels at all points), the synthesis, called once with all points at t
            followed by all at t + epsilon (noise must be the same in both halves), and the network that sees.

    Returns:
        [N].
    """
    mapping, synthesize, features = networks
    t = t[:, tf.newaxis] if sampling.sampling == "full" else tf.zeros_like(t)[:, tf.newaxis]
    later = t + sampling.epsilon
    if sampling.space == "z":
        w = mapping(tf.concat([slerp(*ends, t), slerp(*ends, later)], 0))
    else:
        first, last = tf.split(mapping(tf.concat(ends, 0)), 2)
        at, then = (tf.reshape(part, [-1, *[1] * (len(first.shape) - 1)]) for part in (t, later))
        w = tf.concat([first + at * (last - first), first + then * (last - first)], 0)
    seen = features(viewed(synthesize(w), crop=sampling.crop))
    here, there = tf.split(seen, 2)
    return tf.reduce_sum(tf.square(here - there), axis=1) / sampling.epsilon**2


def viewed(images: tf.Tensor, *, crop: bool) -> tf.Tensor:
    """Images -1..1 [N,H,W,C] as the network that sees takes them: [N,h,w,3] in 0..255, neither rounded nor clipped."""
    if crop:
        eighth_y, eighth_x = images.shape[1] // 8, images.shape[2] // 8
        images = images[:, 3 * eighth_y : 7 * eighth_y, 2 * eighth_x : 6 * eighth_x]
    factor = images.shape[1] // LARGEST_SIDE
    if factor > 1:
        images = tf.nn.avg_pool2d(images, factor, factor, "VALID")
    if images.shape[3] == 1:
        images = tf.repeat(images, 3, axis=3)
    return (images[..., :3] + 1) * 127.5


def mean_without_outliers(distances: np.ndarray) -> tuple[float, float, float]:
    """The score: the mean of what lies from the 1st percentile to the 99th, both included.

    Returns:
        The mean, and the two percentiles: the next lower and the next higher distance.

    Example:
        >>> sg_keras.metrics.mean_without_outliers(np.array([1.0, 2.0, 3.0]))
        (2.0, 1.0, 3.0)
    """
    low = np.percentile(distances, 1, method="lower")
    high = np.percentile(distances, 99, method="higher")
    kept = distances[(distances >= low) & (distances <= high)]
    return float(kept.astype(np.float64).mean()), float(low), float(high)


def _unit(vectors: tf.Tensor) -> tf.Tensor:
    return vectors / tf.norm(vectors, axis=-1, keepdims=True)
