"""Images of a generator to be scored: each a function of a seed and its number, whatever else is scored."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from sg_keras.data import ImageDataset
from sg_keras.metrics.feature_blocks import BLOCK, ImageBlock
from sg_keras.metrics.rendering import FakeSampling, MakesImages, Renderer
from sg_keras.models import Generator

Labels: TypeAlias = Callable[[np.ndarray], np.ndarray]  # from uniform numbers in 0..1 [n] to labels [n,c_dim]


@dataclasses.dataclass(frozen=True, slots=True)
class Fakes:
    """What is scored.

    Attributes:
        blocks: gives the first so many images; more than there are is a ValueError of its own.
        made: how they were made, as fingerprints say it.
        network: makes them, for scores that make images of their own; None = there are images alone.
    """

    blocks: Callable[[int], Iterable[ImageBlock]]
    made: Mapping[str, Any]
    network: NetworkFakes | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkFakes:
    """A generator and how its fakes are made."""

    G: Generator
    labels: Labels | None
    sampling: FakeSampling


def network_fakes(renderer: Renderer, snapshot: str, dataset: ImageDataset | None = None) -> Fakes:
    """Fakes of a generator.

    Args:
        renderer: makes them; usually of G_ema.
        snapshot: where it is from, for fingerprints.
        dataset: opened with labels; those of images drawn uniformly from it go in. None = G takes no labels.

    Raises:
        ValueError: G is conditional, and there is no data set, or one with labels of another width; one line.
    """
    G, sampling = renderer.G, renderer.sampling
    labels = labels_drawn_from(dataset, G.c_dim) if G.c_dim else None
    network = NetworkFakes(G, labels, sampling) if isinstance(G, Generator) else None
    digest = network_digest(G)
    made = {
        "snapshot": snapshot,
        "seed": sampling.seed,
        "truncation": sampling.truncation_psi,
        "noise_mode": sampling.noise_mode,
        "network_sha256": digest,
    }
    return Fakes(lambda count: fake_blocks(renderer, count, labels, digest), made, network)


def labels_drawn_from(dataset: ImageDataset | None, c_dim: int) -> Labels:
    """From uniform numbers to labels of images.

    Raises:
        ValueError: there is no data set, or its labels have another width; one line.
    """
    if dataset is None:
        raise ValueError("the network is conditional: found no labels, expected those of its training images")
    if dataset.c_dim != c_dim:
        found = f"labels of width {dataset.c_dim}" if dataset.c_dim else "no labels"
        raise ValueError(f"{dataset.name}: found {found}, expected {c_dim}, those of the network")
    count = dataset.num_images  # copies have the same labels
    return lambda uniform: dataset.labels(np.minimum((uniform * count).astype(np.int64), count - 1))


def network_digest(G: MakesImages) -> str:
    """SHA-256 of a generator's variables, by name, and of its configuration: all that its images follow from.

    Raises:
        TypeError: it is none of ours, and has no `digest` of its own.
    """
    if not isinstance(G, Generator):
        own: Callable[[], str] | None = getattr(G, "digest", None)
        if own is None:
            raise TypeError(f"found {type(G).__name__}, expected a Generator, or one with a digest")
        return own()
    configuration = {key: value for key, value in G.get_config().items() if key not in ("impl", "name")}
    digest = hashlib.sha256(json.dumps(configuration, sort_keys=True, default=str).encode())
    for variable in sorted(G.variables, key=lambda variable: variable.path):
        path = variable.path.partition("/")[2]  # without the network's name
        digest.update(f"{path} {tuple(variable.shape)} ".encode() + np.asarray(variable).tobytes())
    return digest.hexdigest()


def fake_blocks(renderer: Renderer, count: int, labels: Labels | None, digest: str) -> Iterator[ImageBlock]:
    """The first `count` fakes of a generator, made when they are asked for.

    Args:
        renderer: makes them.
        count: of the fakes.
        labels: from uniform numbers in 0..1 [n], one for each fake, to labels float32 [n,c_dim]; None = G takes none.
        digest: of the generator, as of `network_digest`.

    Raises:
        ValueError: G is conditional, and there are no labels.
    """
    G, sampling = renderer.G, renderer.sampling
    if G.c_dim and labels is None:
        raise ValueError("the network is conditional: found no labels, expected those of its training images")
    made_by = f"{digest} {sampling} "
    for start in range(0, count, BLOCK):
        numbers = np.arange(start, min(start + BLOCK, count))
        z, c = _inputs(G, numbers, labels, sampling.seed)
        content = hashlib.sha256(made_by.encode() + f"{start} ".encode() + z.tobytes() + c.tobytes()).hexdigest()
        yield ImageBlock(len(numbers), content, functools.partial(renderer.images, numbers, z, c))


def _inputs(G: MakesImages, numbers: np.ndarray, labels: Labels | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """z float32 [n,z_dim] and labels float32 [n,c_dim] of the fakes of these numbers."""
    streams = [stream_of(seed, int(number)) for number in numbers]
    uniform = np.array([stream.random() for stream in streams])
    z = np.stack([stream.standard_normal(G.z_dim, np.float32) for stream in streams])
    c = np.zeros([len(numbers), 0], np.float32) if labels is None else labels(uniform)
    return z, c


def stream_of(seed: int, number: int) -> np.random.Generator:
    """Random numbers of one fake."""
    return np.random.Generator(np.random.Philox(key=[seed, number]))
