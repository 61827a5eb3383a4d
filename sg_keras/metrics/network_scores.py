"""Scores that ask a generator for images of their own: path lengths (PPL) and equivariance (EQ-T, EQ-R).

Latents, labels, points on paths and moves of the input follow from the seed and the number of the sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from sg_keras.config.metric_specs import MetricSpec
from sg_keras.features import FeatureExtractor
from sg_keras.features.vgg16 import VGG16
from sg_keras.metrics import equivariance
from sg_keras.metrics.bootstrap import interval, interval_of_mean
from sg_keras.metrics.fakes import NetworkFakes, stream_of
from sg_keras.metrics.path_length import PathSampling, mean_without_outliers, path_distances
from sg_keras.metrics.rendering import noise_seeds
from sg_keras.metrics.scores import Measured
from sg_keras.models import Generator, in_full_precision

#: PPL in W is that of arXiv:1912.04958, without the crop to faces; the others are those of arXiv:1812.04948.
PATHS = {
    "ppl2_wend": PathSampling(),
    "ppl_zfull": PathSampling(space="z", sampling="full", crop=True),
    "ppl_wfull": PathSampling(space="w", sampling="full", crop=True),
    "ppl_zend": PathSampling(space="z", sampling="end", crop=True),
    "ppl_wend": PathSampling(space="w", sampling="end", crop=True),
}
NETWORK_FAMILIES = ("ppl", "eqt", "eqr")
_AT_ONCE = 4  # pairs of images, or images that share one move: the more moves, the surer the mean


def measure_network(
    spec: MetricSpec,
    network: NetworkFakes | None,
    extractors: Mapping[str, FeatureExtractor],
    on_images: Callable[[int], None] | None = None,
) -> Measured:
    """A score of NETWORK_FAMILIES, in full precision.

    Args:
        spec: of the score.
        network: None = there are images alone.
        extractors: VGG16 under "vgg16" for path lengths.
        on_images: is told how many pairs or images are done.

    Raises:
        ValueError: there is no network, or one whose images cannot be moved; one line.
    """
    network = check_network(spec, network)
    G = in_full_precision(network.G, network.G.get_config()["impl"])
    if spec.family == "ppl":
        return _path_length(spec, G, network, extractors["vgg16"], on_images)
    return _equivariance(spec, G, network, on_images)


def check_network(spec: MetricSpec, network: NetworkFakes | None) -> NetworkFakes:
    """The network, if it can be asked for a score of NETWORK_FAMILIES; else a ValueError as of measure_network."""
    if network is None:
        raise ValueError(f"{spec.name}: found images alone, expected a network, which is asked for images on the way")
    if spec.family != "ppl" and not network.G.takes_transform:
        raise ValueError(f"{spec.name}: found a StyleGAN2 network, expected StyleGAN3, whose input can be moved")
    return network


def _draws(spec: MetricSpec, seed: int) -> Iterator[tuple[int, list[np.random.Generator]]]:
    """Number of the first sample of each batch, and streams of its samples; the last batch may be smaller."""
    for first in range(0, spec.num_generated, _AT_ONCE):
        yield first, [stream_of(seed, number) for number in range(first, min(first + _AT_ONCE, spec.num_generated))]


def _labels(network: NetworkFakes, streams: list[np.random.Generator]) -> np.ndarray:
    uniform = np.array([stream.random() for stream in streams])
    return np.zeros([len(streams), 0], np.float32) if network.labels is None else network.labels(uniform)


def _latents(G: Generator, streams: list[np.random.Generator]) -> tf.Tensor:
    return tf.constant(np.stack([stream.standard_normal(G.z_dim, np.float32) for stream in streams]))


# ---- path lengths ----------------------------------------------------------------------------------------------------


def _path_length(
    spec: MetricSpec,
    G: Generator,
    network: NetworkFakes,
    vgg16: FeatureExtractor,
    on_images: Callable[[int], None] | None,
) -> Measured:
    if not isinstance(vgg16, VGG16):
        raise TypeError(f"vgg16: found {type(vgg16).__name__}, expected VGG16")
    distances = _distances_of(G, network, vgg16, PATHS[spec.name])
    found = []
    for first, streams in _draws(spec, network.sampling.seed):
        c = _labels(network, streams)
        ends = _latents(G, streams), _latents(G, streams)
        t = tf.constant([stream.random() for stream in streams], tf.float32)
        seeds = noise_seeds(network.sampling.seed, np.arange(first, first + len(streams)))
        found.append(distances(*ends, tf.constant(c), t, seeds).numpy())
        if on_images is not None:
            on_images(first + len(streams))
    every = np.concatenate(found)
    value, low, high = mean_without_outliers(every)
    return Measured(value, *interval_of_mean(every[(every >= low) & (every <= high)]))


def _distances_of(
    G: Generator, network: NetworkFakes, vgg16: VGG16, sampling: PathSampling
) -> Callable[..., tf.Tensor]:
    """From both ends z, labels, t and the seeds of the noise to squared distances [n]."""
    options = network.sampling

    @tf.function(autograph=False, jit_compile=False)
    def distances(z: tf.Tensor, other: tf.Tensor, c: tf.Tensor, t: tf.Tensor, noise_seeds: tf.Tensor) -> tf.Tensor:
        def mapping(both: tf.Tensor) -> tf.Tensor:
            return G.mapping(both, tf.concat([c, c], 0), truncation_psi=options.truncation_psi)

        def synthesize(ws: tf.Tensor) -> tf.Tensor:
            halves = tf.split(ws, 2)  # each with the same noise
            return tf.concat([G.synthesis(w, noise_mode=options.noise_mode, noise_seed=noise_seeds) for w in halves], 0)

        return path_distances((z, other), t, sampling, (mapping, synthesize, vgg16.perceptual_features))

    return distances


# ---- equivariance ----------------------------------------------------------------------------------------------------


def _equivariance(
    spec: MetricSpec, G: Generator, network: NetworkFakes, on_images: Callable[[int], None] | None
) -> Measured:
    @tf.function(autograph=False, jit_compile=False)
    def synthesize(ws: tf.Tensor, transform: tf.Tensor) -> tf.Tensor:
        return G.synthesis(ws, transform=tf.cast(transform, ws.dtype))

    def ws() -> Iterator[tf.Tensor]:
        for first, streams in _draws(spec, network.sampling.seed):
            c, z = _labels(network, streams), _latents(G, streams)
            yield G.mapping(z, tf.constant(c), truncation_psi=network.sampling.truncation_psi)
            if on_images is not None:
                on_images(first + len(streams))

    count = math.ceil(spec.num_generated / _AT_ONCE)
    moves = np.random.Generator(np.random.Philox(key=[network.sampling.seed, 1 << 63])).random([count, 2])
    if spec.family == "eqr":
        noise = equivariance.eqr(synthesize, ws(), moves[:, 0])
    else:
        measure = equivariance.eqt_int if spec.name.endswith("_int") else equivariance.eqt_frac
        noise = measure(synthesize, ws(), moves)
    value = noise.decibels()
    return Measured(value, *interval(value, noise.standard_error()))
