"""Trains the same run on two CPU devices and on one, in one process, and prints what differs as JSON.

A process of its own: the number of devices is set before TensorFlow does anything. In float64, where rounding takes no
activation across its kink, as it does in float32 on one processor and not on another.
"""

import json
import pathlib
import sys
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sg_keras.checkpoint import CheckpointStore, SavedState, checkpoint_fingerprint, fingerprint
from sg_keras.data import make_pipeline, open_dataset
from sg_keras.training.callbacks.nonfinite_replay import first_nonfinite_layer
from sg_keras.training.distribution.devices import make_strategy, split_for_replicas
from sg_keras.training.step.stylegan import StyleGAN, build_stylegan
from sg_keras.weights import write_snapshot
from tests.training.tiny_run import tiny_config

ITERATIONS = 5


def train(model: StyleGAN, config: Any, strategy: tf.distribute.Strategy) -> None:
    """ITERATIONS more iterations."""
    dataset = open_dataset(config.dataset.path, use_labels=True)
    start = int(model.cur_nimg.numpy())
    pipeline = make_pipeline(dataset, seed=0, batch=config.batch, start_nimg=start, num_phases=model.num_phases)
    for batch in pipeline.take(ITERATIONS):
        model.train_step(split_for_replicas(batch, strategy, config.batch_gpu))


def values(model: StyleGAN) -> dict[str, np.ndarray]:
    """The state as arrays."""
    return {name: variable.numpy() for name, variable in model.state_variables().items()}


def shares(strategy: tf.distribute.Strategy) -> list[list[int]]:
    """Which of 16 samples each replica gets, at 4 a micro-batch."""
    split = split_for_replicas({"sample": tf.range(16)}, strategy, 4)["sample"]
    return [part.numpy().tolist() for part in strategy.experimental_local_results(split)]


def main() -> None:
    """Arguments: folder with images, empty folder, options of training as a JSON object."""
    image_folder, folder = map(pathlib.Path, sys.argv[1:3])
    options = {"batch": 8, "batch_gpu": 4, "d_reg_interval": 3, **json.loads(sys.argv[3])}
    config = tiny_config(image_folder, folder, cpu_devices=2, **options)
    strategy = make_strategy(config)
    compute_in("float64")
    with strategy.scope():
        two = build_stylegan(config)
    train(two, config, strategy)

    single = tiny_config(image_folder, folder, **options)
    one = build_stylegan(single)
    train(one, single, tf.distribute.get_strategy())
    state, reference = values(two), values(one)
    result: dict[str, Any] = {
        "replicas": [two.num_replicas, one.num_replicas],
        "rounds": [two.num_rounds, one.num_rounds],
        "shares": shares(strategy),
        "same_names": sorted(state) == sorted(reference),
        "largest_difference": max(
            float(np.abs(state[name] - reference[name]).max())
            for name in state
            if name.startswith(("G/", "D/", "G_ema/"))
        ),
        "statistics": [model.statistics.read_and_reset()["Loss/D/loss"] for model in (two, one)],
    }
    store = CheckpointStore(folder / "checkpoints", two.state_variables(), keep=3)
    prefix = store.save(1, {})
    result["saved_all"] = SavedState(prefix).names() == sorted(state)
    result["saved_as_it_is"] = checkpoint_fingerprint(prefix)[1] == fingerprint(state.items())
    write_snapshot(folder / "network-snapshot-000000", (two.G, two.D, two.G_ema), config)
    train(two, config, strategy)
    further = fingerprint(values(two).items())
    store.restore(prefix)
    train(two, config, strategy)
    result["restored_goes_on_the_same"] = fingerprint(values(two).items()) == further
    compute_in("float32")
    with strategy.scope():
        overflowing = build_stylegan(config)
    result["culprit"] = culprit(overflowing, config)
    print(json.dumps(result))


def compute_in(dtype: str) -> None:
    """Networks that are built from now on compute in this type."""
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)


def culprit(model: StyleGAN, config: Any) -> str:
    """What the replay says of an overflow, on two replicas."""
    model.D.b4.fc.weight.assign(tf.fill(model.D.b4.fc.weight.shape, 3e38))
    dataset = open_dataset(config.dataset.path, use_labels=True)
    batch = next(iter(make_pipeline(dataset, seed=0, batch=8, start_nimg=0, num_phases=model.num_phases)))
    (phase,) = (phase for phase in model.phases if phase.name == "Dmain")
    return first_nonfinite_layer(model, phase, batch, 0)


if __name__ == "__main__":
    main()
