"""Whether an export makes the images of the network that it was made of, and how fast."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from sg_keras.export.signatures import GENERATE, MAPPING, SYNTHESIS
from sg_keras.models import Generator, in_full_precision
from sg_keras.ops.pixel_values import to_uint8

SIGNATURES = (MAPPING, SYNTHESIS, GENERATE)
#: Largest error of styles and images, and of a pixel in levels of 255, by the type of the weights.
TOLERANCES = {"float32": (1e-4, 1), "float16": (3e-2, 4)}
_PSI = 0.7
_BATCHES = (1, 3)
_TIMED_SEC, _TIMED_LEAST = 0.5, 3  # calls


class Functions(Protocol):
    """Functions of a generator, whoever computes them.

    Attributes:
        signatures: names of those that there are.
        batch: images of a call; None = any number.
    """

    signatures: Sequence[str]
    batch: int | None

    def __call__(self, name: str, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Outputs of a function, by name."""


@dataclasses.dataclass(frozen=True)
class Parity:
    """How a function of an export compares with the network's.

    Attributes:
        signature: "mapping", "synthesis" or "generate".
        error: largest difference of images, or of styles relative to the largest of them; None where all is uint8.
        equal_pixels: share of the uint8 values that are equal; None where there are none.
        max_levels: largest difference of uint8 values.
        ms: milliseconds an image, one at a time.
        is_close: whether all is within the tolerances.
    """

    signature: str
    error: float | None
    equal_pixels: float | None
    max_levels: int
    ms: float
    is_close: bool


class GeneratorFunctions:
    """The functions of a generator of ours, compiled.

    Args:
        G: generator.
        noise_mode: "const" or "none".
        impl: implementation of the fused ops.
    """

    signatures: Sequence[str] = SIGNATURES
    batch: int | None = None

    def __init__(self, G: Generator, noise_mode: str = "const", impl: str = "auto") -> None:
        G = in_full_precision(G, impl)

        def mapping(z: tf.Tensor, truncation_psi: tf.Tensor, c: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
            return {"ws": G.mapping(z, c, truncation_psi=truncation_psi)}

        def synthesis(ws: tf.Tensor) -> dict[str, tf.Tensor]:
            images = G.synthesis(ws, noise_mode=noise_mode)
            return {"images": images, "images_uint8": to_uint8(images)}

        def generate(**latents: tf.Tensor) -> dict[str, tf.Tensor]:
            return synthesis(mapping(**latents)["ws"])

        functions = zip(SIGNATURES, (mapping, synthesis, generate), strict=True)
        self._functions = {name: tf.function(function, autograph=False) for name, function in functions}

    def __call__(self, name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of a function, by name."""
        outputs = self._functions[name](**{key: tf.constant(value) for key, value in inputs.items()})
        return {key: value.numpy() for key, value in outputs.items()}


def compare(
    G: Generator, expected: Functions, found: Functions, weights: str = "float32", timed_sec: float | None = None
) -> Iterator[Parity]:
    """Compare functions of an export with those of the network.

    Args:
        G: the network.
        expected: its functions.
        found: the export's.
        weights: type of the export's weights, which the tolerances depend on.
        timed_sec: how long each function is timed, three calls at least; None = half a second.

    Yields:
        For each of the export's functions, how it compares.

    Example:
        >>> G = sg_keras.models.Generator(z_dim=8, w_dim=8, img_resolution=8, channel_base=64)
        >>> ours, plain = GeneratorFunctions(G), GeneratorFunctions(G, impl="reference")
        >>> [(row.signature, row.is_close) for row in compare(G, ours, plain, timed_sec=0)]
        [('mapping', True), ('synthesis', True), ('generate', True)]
    """
    batches = _BATCHES if found.batch is None else (found.batch,)
    for name in found.signatures:
        pairs = []
        for batch in batches:
            given = _inputs(G, batch, name, expected)
            pairs.append((expected(name, given), found(name, given)))
        one = _inputs(G, 1, name, expected)
        ms = _milliseconds(functools.partial(found, name, one), timed_sec)
        yield _parity(name, pairs, ms, weights)


def milliseconds(G: Generator, functions: Functions) -> dict[str, float]:
    """Milliseconds an image, one at a time, of each of the functions of a network."""
    given = {name: _inputs(G, 1, name, functions) for name in functions.signatures}
    return {name: _milliseconds(functools.partial(functions, name, given[name])) for name in given}


def _inputs(G: Generator, batch: int, name: str, expected: Functions) -> dict[str, np.ndarray]:
    """Of the first seeds; those of synthesis follow from the others."""
    z = np.concatenate([np.random.RandomState(seed).randn(1, G.z_dim) for seed in range(batch)]).astype(np.float32)
    latents = {"z": z, "truncation_psi": np.array(_PSI, np.float32)}
    if G.c_dim > 0:
        latents["c"] = np.eye(G.c_dim, dtype=np.float32)[np.arange(batch) % G.c_dim]
    return dict(expected(MAPPING, latents)) if name == SYNTHESIS else latents


def _parity(
    name: str,
    pairs: Sequence[tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]],
    ms: float,
    weights: str,
) -> Parity:
    errors, equal, levels = [], [], [0]
    for expected, found in pairs:
        for key, value in found.items():
            value = np.asarray(value)
            if value.shape != expected[key].shape or not np.isfinite(value).all():
                errors.append(np.inf)
            elif value.dtype == np.uint8:
                difference = np.abs(value.astype(int) - expected[key])
                equal.append(np.mean(difference == 0))
                levels.append(int(difference.max()))
            else:
                largest = np.abs(expected[key]).max() if key == "ws" else 1.0
                errors.append(np.abs(value - expected[key]).max() / largest)
    error = float(max(errors)) if errors else None
    most, most_levels = TOLERANCES[weights]
    is_close = (error is None or error <= most) and max(levels) <= most_levels
    return Parity(name, error, float(np.mean(equal)) if equal else None, max(levels), ms, is_close)


def _milliseconds(call: Callable[[], object], timed_sec: float | None = None) -> float:
    call()  # what is compiled or laid out at the first call
    times: list[float] = []
    longest = _TIMED_SEC if timed_sec is None else timed_sec
    while len(times) < _TIMED_LEAST or sum(times) < longest:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return 1000 * float(np.median(times))
