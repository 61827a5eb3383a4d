"""Images that a generator makes a second.

    python -m benchmarks.generate [--cfg=stylegan2,stylegan3-t,stylegan3-r] [--resolution=32] [--cbase=2048]
                                  [--cmax=64] [--batches=1,8,32] [--seconds=2] [--json]

Each batch size in three ways, in turns, so that whatever disturbs the machine disturbs all of them: the network called
on a batch of latents (`network`), seeds handed to `generate`'s two halves in groups of that size, with each image to
the bit what it is alone (`alone`), and the same with that many images in each call (`together`). 8-bit conversion is
part of all of them, compilation of none. The best of the rounds is printed; the ratios are medians over the turns.
Processor time an image, of all threads, is what to look at where other processes run. other_load is the share of the
cores' time that other processes had meanwhile.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.other_load import OtherLoad
from sg_keras.inference import StyleMaker, StyleRenderer, to_uint8
from sg_keras.inference.latents import latents
from sg_keras.models import Generator

_ROUNDS = 5
_LINE = "{images_per_sec:8.1f} images/s {processor_ms:8.2f} ms of processor time {ratio:6.2f} of the network"
_DISTURBED = 0.02  # other_load; figures of busy machines mean little

Make = Callable[[Sequence[int]], np.ndarray]


def generator(cfg: str, resolution: int, cbase: int, cmax: int) -> Generator:
    """An untrained one, as the published options make it: twice as wide for R."""
    keras.utils.set_random_seed(0)
    wider = 2 if cfg == "stylegan3-r" else 1
    return Generator(cfg=cfg, img_resolution=resolution, channel_base=wider * cbase, channel_max=wider * cmax)


def network(G: Generator) -> Make:
    """The network called on a batch of latents."""
    call = tf.function(lambda z, seeds: G(z, noise_seed=seeds), autograph=False, jit_compile=False)

    def make(seeds: Sequence[int]) -> np.ndarray:
        z = tf.constant(latents(seeds, G.z_dim), G.compute_dtype)
        return to_uint8(call(z, tf.constant([(0, seed) for seed in seeds], tf.int64)).numpy())

    return make


def by_styles(G: Generator, batch: int) -> Make:
    """The halves of `generate`, compiled once."""
    maker, renderer = StyleMaker(G), StyleRenderer(G, batch=batch)

    def make(seeds: Sequence[int]) -> np.ndarray:
        labels = np.zeros([len(seeds), 0], np.float32)
        return np.stack(list(renderer.images(maker.of_seeds(seeds, labels), noise_seeds=seeds)))

    return make


def speed(make: Make, batch: int, seconds: float) -> tuple[float, float]:
    """Images a second, and seconds of processor time an image, over as many batches as begin within `seconds`."""
    start, processor, made = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds:
        made += len(make(range(made, made + batch)))
    return made / (time.perf_counter() - start), (time.process_time() - processor) / made


def compare(G: Generator, batch: int, seconds: float) -> dict[str, Any]:
    """Images a second and processor time an image in each way, and ratios of the images a second to the network's."""
    ways = {"network": network(G), "alone": by_styles(G, 1), "together": by_styles(G, batch)}
    if batch == 1:
        del ways["together"]  # the same
    for make in ways.values():
        make(range(batch))
    rounds = [{name: speed(make, batch, seconds / _ROUNDS) for name, make in ways.items()} for _ in range(_ROUNDS)]
    return {
        name: {
            "images_per_sec": max(found[name][0] for found in rounds),
            "processor_ms": 1000 * min(found[name][1] for found in rounds),
            "ratio": statistics.median(found[name][0] / found["network"][0] for found in rounds),
        }
        for name in ways
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print; see the module's description."""
    words = _parse(argv)
    new = functools.partial(generator, resolution=words.resolution, cbase=words.cbase, cmax=words.cmax)
    load, found = OtherLoad(), {}
    for cfg in words.cfg.split(","):
        G, found[cfg] = new(cfg), {}
        for batch in map(int, words.batches.split(",")):
            found[cfg][batch] = compared = compare(G, batch, words.seconds)
            for name, numbers in compared.items():
                print(f"{cfg:<12} batch {batch:>3} {name:<9}" + _LINE.format(**numbers), flush=True)
    other_load = load.share()
    if other_load > _DISTURBED:
        print(f"Other processes had {other_load:.0%} of the cores: times are longer than they would be")
    if words.json:
        print(json.dumps({**found, "other_load": other_load}))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cfg", default="stylegan2,stylegan3-t,stylegan3-r", help="which networks")
    parser.add_argument("--resolution", type=int, default=32, help="of the images")
    parser.add_argument("--cbase", type=int, default=2048, help="capacity, doubled for R")
    parser.add_argument("--cmax", type=int, default=64, help="capacity, doubled for R")
    parser.add_argument("--batches", default="1,8,32", help="batch sizes")
    parser.add_argument("--seconds", type=float, default=2.0, help="of measuring, for each way and batch size")
    parser.add_argument("--json", action="store_true", help="the last line is a JSON object")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
