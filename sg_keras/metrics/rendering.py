"""A generator that makes fakes in bounded batches, on all devices of a strategy."""

from __future__ import annotations

import dataclasses
import functools
import logging
import math
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from sg_keras.ops.pixel_values import to_uint8

_MOST_IMAGES, _MOST_PIXELS = 64, 1 << 21  # of a batch
_SEED_STRIDE = 1 << 12  # layers add their index to the seed of their noise
_LOGGER = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class FakeSampling:
    """How fakes are made.

    Attributes:
        seed: of latents, labels and noise.
        truncation_psi: 1 = none, as published scores have it.
        noise_mode: "random", as published, "const" or "none".
    """

    seed: int = 0
    truncation_psi: float = 1.0
    noise_mode: str = "random"


def noise_seeds(seed: int, numbers: np.ndarray) -> tf.Tensor:
    """int64 [n,2]: seeds of the noise of the fakes of these numbers [n]."""
    return tf.constant(np.stack([np.full_like(numbers, seed * _SEED_STRIDE), numbers], axis=1), tf.int64)


class MakesImages(Protocol):
    """What is asked of a generator here, which need not be one of ours."""

    z_dim: int
    c_dim: int

    @property
    def image_shape(self) -> tuple[int, ...]: ...

    @property
    def compute_dtype(self) -> str: ...

    def __call__(self, z: tf.Tensor, c: tf.Tensor, **options: Any) -> tf.Tensor: ...


class Renderer:
    """Makes the fakes of a generator; compiled once, whatever its weights become.

    The noise of a fake is a function of the seed and its number. Where memory runs out, batches become smaller.

    Args:
        G: generator, usually G_ema.
        sampling: how they are made.
        strategy: batches are shared out between its replicas here, under whose scope G was made; None = one device.
    """

    def __init__(self, G: MakesImages, sampling: FakeSampling, strategy: tf.distribute.Strategy | None = None) -> None:
        self.G, self.sampling = G, sampling
        self._batch = max(1, min(_MOST_IMAGES, _MOST_PIXELS // math.prod(G.image_shape[:2])))
        self._strategy = strategy if strategy is not None and strategy.num_replicas_in_sync > 1 else None
        options = {"truncation_psi": sampling.truncation_psi, "noise_mode": sampling.noise_mode}

        def on_replica(z: tf.Tensor, c: tf.Tensor, noise_seed: tf.Tensor) -> tf.Tensor:
            return G(z, c, noise_seed=noise_seed, **options)

        run = on_replica if self._strategy is None else functools.partial(_run_on, self._strategy, on_replica)
        self._render = tf.function(run, autograph=False, jit_compile=False)

    def images(self, numbers: np.ndarray, z: np.ndarray, c: np.ndarray) -> np.ndarray:
        """Fakes uint8 [n,H,W,C] of their numbers [n], their z float32 [n,z_dim] and labels [n,c_dim].

        Raises:
            tf.errors.ResourceExhaustedError: there is no memory for one image at a time.
        """
        while True:
            try:
                return np.concatenate([*self._batches(numbers, z, c)])[: len(z)]
            except tf.errors.ResourceExhaustedError:
                if self._batch == 1:
                    raise
                self._batch //= 2
                _LOGGER.warning("out of memory: fakes are made %d at a time from now on", self._batch)

    def _batches(self, numbers: np.ndarray, z: np.ndarray, c: np.ndarray) -> Iterator[np.ndarray]:
        replicas = 1 if self._strategy is None else len(self._strategy.extended.worker_devices)
        for start in range(0, len(z), self._batch * replicas):
            # Always so many: others would have to be compiled for.
            rows = np.arange(start, start + self._batch * replicas) % len(z)
            parts = rows.reshape(replicas, self._batch)
            yield from self._made([self._inputs(numbers[part], z[part], c[part]) for part in parts])

    def _inputs(self, numbers: np.ndarray, z: np.ndarray, c: np.ndarray) -> tuple[tf.Tensor, ...]:
        dtype = self.G.compute_dtype
        return tf.constant(z, dtype), tf.constant(c, dtype), noise_seeds(self.sampling.seed, numbers)

    def _made(self, inputs: list[tuple[tf.Tensor, ...]]) -> list[np.ndarray]:
        """Of the inputs of each replica."""
        strategy = self._strategy
        if strategy is None:
            return [to_uint8(self._render(*inputs[0]).numpy())]

        def of_replica(part: int, context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
            return inputs[context.replica_id_in_sync_group % len(inputs)][part]

        spread = [
            strategy.experimental_distribute_values_from_function(functools.partial(of_replica, part))
            for part in range(len(inputs[0]))
        ]
        return [to_uint8(made.numpy()) for made in strategy.experimental_local_results(self._render(*spread))]


def _run_on(strategy: tf.distribute.Strategy, on_replica: Callable[..., tf.Tensor], *values: tf.Tensor) -> tf.Tensor:
    return strategy.run(on_replica, args=values)
