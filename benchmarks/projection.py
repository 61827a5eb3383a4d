"""Steps a second of projection, beside the generator alone.

    python -m benchmarks.projection [--cfg=stylegan2|stylegan3-t] [--resolution=32] [--cbase=2048] [--cmax=64]
        [--batch=1] [--loss=effnet+pixel|pixel] [--steps=50] [--json]

A step is all that projection into W does: the images, what is seen of them, the gradients of styles and noise, their
penalties, Adam, and the normalisation of noise. The network alone is its images and their gradient with respect to the
styles, at the same batch, in turns with the steps. other_load is the share of the cores' time that other processes had
meanwhile.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.other_load import OtherLoad
from sg_keras.features import PixelFeatures
from sg_keras.inference.projection import Projector, default_features
from sg_keras.inference.projection_noise import SeededDraws
from sg_keras.inference.projection_settings import ProjectionSettings
from sg_keras.models import Generator

_ROUNDS = 5
_DISTURBED = 0.02  # other_load; figures of busy machines mean little


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Steps and images a second of projection and of the network alone, medians of rounds in turns."""
    G = Generator(
        z_dim=64,
        w_dim=64,
        img_resolution=options.resolution,
        cfg=options.cfg,
        channel_base=options.cbase,
        channel_max=options.cmax,
    )
    features = PixelFeatures() if options.loss == "pixel" else default_features()
    settings = ProjectionSettings(num_steps=(_ROUNDS + 1) * options.steps, w_avg_samples=100)
    targets = np.random.default_rng(0).integers(0, 256, [options.batch, *G.image_shape], np.uint8)
    projection = Projector(G, features, settings).steps(
        targets, np.zeros([options.batch, 0], np.float32), SeededDraws(range(options.batch))
    )
    alone = _network_alone(G, options.batch)
    load, rounds = OtherLoad(), []
    for _ in range(_ROUNDS + 1):
        rounds.append((_seconds(lambda: next(projection), options.steps), _seconds(alone, options.steps)))
    steps, network = (options.steps / statistics.median(of) for of in zip(*rounds[1:], strict=True))
    return {
        "steps_per_sec": round(steps, 2),
        "images_per_sec": round(steps * options.batch, 2),
        "network_alone_steps_per_sec": round(network, 2),
        "ratio": round(steps / network, 3),
        "other_load": round(load.share(), 3),
    }


def _network_alone(G: Generator, count: int) -> Any:
    """Images and their gradient with respect to the styles."""
    ws = tf.Variable(np.random.default_rng(0).standard_normal([count, G.num_ws, G.w_dim]), dtype=tf.float32)

    @tf.function(autograph=False)
    def run() -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(ws)
            loss = tf.reduce_sum(tf.square(G.synthesis(tf.convert_to_tensor(ws))))
        return tape.gradient(loss, ws)

    return lambda: run().numpy()


def _seconds(work: Any, times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - start


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.projection", description=__doc__.partition("\n")[0])
    parser.add_argument("--cfg", choices=("stylegan2", "stylegan3-t", "stylegan3-r"), default="stylegan2")
    parser.add_argument("--resolution", type=int, default=32)
    parser.add_argument("--cbase", type=int, default=2048)
    parser.add_argument("--cmax", type=int, default=64)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--loss", choices=("effnet+pixel", "pixel"), default="effnet+pixel")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    found = measure(options)
    print(
        f"{options.cfg} {options.resolution}x{options.resolution}, {options.batch} at a time, {options.loss}: "
        f"{found['steps_per_sec']:g} steps/s, {found['images_per_sec']:g} images' steps/s; the network alone "
        f"{found['network_alone_steps_per_sec']:g}, ratio {found['ratio']:g}"
    )
    if found["other_load"] > _DISTURBED:
        print(f"Other processes had {100 * found['other_load']:.0f}% of the cores' time: measure on a quiet machine")
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
