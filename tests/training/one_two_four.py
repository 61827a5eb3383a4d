"""Trains a run with everything on, on so many CPU devices, and saves the state as arrays.

A process of its own for each number of devices: it is set before TensorFlow does anything. In float64, where rounding
takes no activation across its kink: in float32 one that lies that near to it moves weights as much as a fault would.
"""

import pathlib
import sys

import keras
import numpy as np

from sg_keras.data import make_pipeline, open_dataset
from sg_keras.training.distribution.devices import make_strategy, own_samples, split_for_replicas
from sg_keras.training.step.stylegan import StyleGAN, build_stylegan
from tests.training.tiny_run import tiny_config

ITERATIONS = 8  # each phase and the controller have their turn twice and more
BATCH, BATCH_GPU = 16, 4
NOISE_STRENGTH = 0.1  # layers start with 0, which would hide their noise
EVERYTHING = {
    "aug": "ada",
    "augment": {"p": 0.3, "pipe": "bgcfnc", "ada_interval": 2, "ada_kimg": 10.0},
    "style_mixing_prob": 0.9,
    "g_reg_interval": 2,
    "glr": "linear 0..2e-3 over 0.02",
    "beta2": "cosine 0.9..0.99 over 0.1",
    "gamma": "1; 0.1 from 0.05",
    "pl_weight": "2; 1 from 0.05",
    "ema_kimg": "0.05; 0.1 from 0.05",
    "d_reg_interval": 3,
}


def main() -> None:
    """Arguments: folder with images, number of devices, file to write."""
    image_folder, replicas, file = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    config = tiny_config(
        image_folder, file.parent, cpu_devices=replicas, batch=BATCH, batch_gpu=BATCH_GPU, **EVERYTHING
    )
    strategy = make_strategy(config)
    with strategy.scope():
        model = build_stylegan(config)
    assert (model.num_replicas, model.num_rounds) == (replicas, BATCH // BATCH_GPU // replicas)
    for network in (model.G, model.G_ema):
        for variable in network.variables:
            if variable.path.endswith("noise_strength"):
                variable.assign(NOISE_STRENGTH)
    before = values(model)
    dataset = open_dataset(config.dataset.path, use_labels=True, mirror=True)
    own = own_samples(strategy, BATCH, BATCH_GPU)
    batches = make_pipeline(dataset, seed=0, batch=BATCH, start_nimg=0, num_phases=model.num_phases, own=own)
    for batch in batches.take(ITERATIONS):
        model.train_step(split_for_replicas(batch, strategy, BATCH_GPU))
    np.savez(file, **values(model), **{f"before/{name}": value for name, value in before.items()})


def values(model: StyleGAN) -> dict[str, np.ndarray]:
    """The state as arrays."""
    return {name: variable.numpy() for name, variable in model.state_variables().items()}


if __name__ == "__main__":
    main()
