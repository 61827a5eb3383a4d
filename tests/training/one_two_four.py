"""Trains the same run on one, two and four CPU devices, with everything on, and prints what differs as JSON.

A process of its own: the number of devices is set before TensorFlow does anything.
"""

import json
import pathlib
import sys
from typing import Any

import numpy as np
import tensorflow as tf

from sg_keras.data import make_pipeline, open_dataset
from sg_keras.training.devices import make_strategy, own_samples, split_for_replicas
from sg_keras.training.stylegan import StyleGAN, build_stylegan
from tests.training.tiny_run import tiny_config

ITERATIONS = 20
REPLICAS = (4, 2, 1)
BATCH, BATCH_GPU = 16, 4
NOISE_STRENGTH = 0.1  # layers start with 0, which would hide their noise
EVERYTHING = {
    "aug": "ada",
    "augment": {"p": 0.3, "pipe": "bgcfnc", "ada_interval": 2, "ada_kimg": 0.64},
    "style_mixing_prob": 0.9,
    "g_reg_interval": 2,
    "d_reg_interval": 3,
}


def trained(replicas: int, strategy: tf.distribute.Strategy, pictures: pathlib.Path) -> StyleGAN:
    """A model after ITERATIONS."""
    config = tiny_config(pictures, pathlib.Path(), cpu_devices=replicas, batch=BATCH, batch_gpu=BATCH_GPU, **EVERYTHING)
    with strategy.scope():
        model = build_stylegan(config)
    assert (model.num_replicas, model.num_rounds) == (replicas, BATCH // BATCH_GPU // replicas)
    for network in (model.G, model.G_ema):
        for variable in network.variables:
            if variable.path.endswith("noise_strength"):
                variable.assign(NOISE_STRENGTH)
    dataset = open_dataset(config.dataset.path, use_labels=True, mirror=True)
    own = own_samples(strategy, BATCH, BATCH_GPU)
    batches = make_pipeline(dataset, seed=0, batch=BATCH, start_nimg=0, num_phases=model.num_draws, own=own)
    for batch in batches.take(ITERATIONS):
        model.train_step(split_for_replicas(batch, strategy, BATCH_GPU))
    return model


def values(model: StyleGAN) -> dict[str, np.ndarray]:
    """The state as arrays."""
    return {name: variable.numpy() for name, variable in model.state_variables().items()}


def compared(state: dict[str, np.ndarray], reference: dict[str, np.ndarray]) -> dict[str, float]:
    """Largest difference by part of the state."""
    differences: dict[str, float] = {}
    for name, value in state.items():
        part = name.partition("/")[0]
        difference = float(np.max(np.abs(np.asarray(value, np.float64) - reference[name]), initial=0.0))
        differences[part] = max(difference, differences.get(part, 0.0))
    return differences


def main() -> None:
    """Argument: folder with pictures."""
    pictures = pathlib.Path(sys.argv[1])
    config = tiny_config(pictures, pathlib.Path(), cpu_devices=REPLICAS[0], batch=BATCH, batch_gpu=BATCH_GPU)
    strategies: dict[int, Any] = {REPLICAS[0]: make_strategy(config)}
    strategies[2] = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    strategies[1] = tf.distribute.get_strategy()
    models = {replicas: trained(replicas, strategies[replicas], pictures) for replicas in REPLICAS}
    states = {replicas: values(model) for replicas, model in models.items()}
    print(
        json.dumps(
            {
                "differences": {replicas: compared(states[replicas], states[1]) for replicas in (2, 4)},
                "augment_p": [float(states[replicas]["augment_p"]) for replicas in REPLICAS],
                "pl_mean": float(states[1]["pl_mean"]),
                "moved": compared(states[1], values_of_a_new_one(pictures)),
            }
        )
    )


def values_of_a_new_one(pictures: pathlib.Path) -> dict[str, np.ndarray]:
    """The state before training: what moved is told from what did not."""
    return values(build_stylegan(tiny_config(pictures, pathlib.Path(), batch=BATCH, batch_gpu=BATCH_GPU, **EVERYTHING)))


if __name__ == "__main__":
    main()
