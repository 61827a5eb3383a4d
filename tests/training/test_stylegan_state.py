"""One tiny model trained in several ways: the same bits each time. Non-finite numbers are met and named."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.checkpoint import CheckpointStore, fingerprint
from sg_keras.data import make_pipeline, open_dataset
from sg_keras.training.callbacks.image_grid import generate_images
from sg_keras.training.callbacks.meter import Meter, TimedBatches
from sg_keras.training.callbacks.nonfinite_replay import NonFiniteError, NonFiniteGuard
from sg_keras.training.callbacks.ticks import TickClock
from sg_keras.training.step.stylegan import build_stylegan
from sg_keras.weights import write_snapshot
from tests.training.tiny_run import tiny_config

ITERATIONS = 5  # Greg runs in two of them


@pytest.fixture(scope="module")
def config(image_folder, tmp_path_factory):
    return tiny_config(image_folder, tmp_path_factory.mktemp("runs"), d_reg_interval=3)


def batches(config, model, start_nimg=0):
    dataset = open_dataset(config.dataset.path, use_labels=True)
    return make_pipeline(
        dataset, seed=config.seed, batch=config.batch, start_nimg=start_nimg, num_phases=model.num_phases
    )


def train(config, model, iterations, start_nimg=0):
    for batch in itertools.islice(batches(config, model, start_nimg), iterations):
        model.train_step(batch)


def print_of(model):
    return fingerprint((name, variable.numpy()) for name, variable in model.state_variables().items())


@pytest.fixture(scope="module")
def trained(config):
    """A model after ITERATIONS iterations of a plain loop."""
    model = build_stylegan(config)
    train(config, model, ITERATIONS)
    return model


def test_fit_gives_the_same_bits(config, trained):
    model = build_stylegan(config)
    model.fit(batches(config, model), steps_per_epoch=ITERATIONS, epochs=1, shuffle=False, verbose=0)
    assert int(model.cur_nimg.numpy()) == ITERATIONS * config.batch
    assert print_of(model) == print_of(trained)


def test_saving_changes_no_bit_and_another_model_goes_on_to_the_same_ones(config, trained, tmp_path):
    model = build_stylegan(config)
    train(config, model, 2)
    store = CheckpointStore(tmp_path / "checkpoints", model.state_variables(), keep=3)
    prefix = store.save(1, {})
    write_snapshot(tmp_path / "network-snapshot-000000", (model.G, model.D, model.G_ema), config)
    generate_images(model.G_ema, np.zeros([3, 8], np.float32), np.zeros([3, 3], np.float32), batch=2)
    model.statistics.read_and_reset()
    train(config, model, ITERATIONS - 2, start_nimg=2 * config.batch)
    assert print_of(model) == print_of(trained)
    # The compiled phases of this model see the restored values: no second model is needed.
    store.restore(prefix)
    assert int(model.cur_nimg.numpy()) == 2 * config.batch
    train(config, model, ITERATIONS - 2, start_nimg=2 * config.batch)
    assert print_of(model) == print_of(trained)


def eager_model(config):
    return build_stylegan(config, compile_phases=False)


def guard_of(config, model):
    guard = NonFiniteGuard(
        Meter(TickClock(8, 1), 100, TimedBatches(iter(()))), lambda nimg: next(iter(batches(config, model, nimg)))
    )
    guard.set_model(model)
    return guard


def plant(network, path, value):
    """Fill a weight with one number."""
    (variable,) = [v for v in network.variables if v.path == path]
    variable.assign(tf.fill(variable.shape, value))


def test_finite_training_passes(config, trained):
    guard_of(config, trained).check()


@pytest.mark.parametrize(
    "network, path, value, phase, where",
    [
        ("D", "D/b8/conv0/weight", np.nan, "Gmain", "already in the weight D/b8/conv0/weight;"),
        ("D", "D/b4/fc/weight", 3e38, "Gmain", "first in the output of layer D/b4/fc;"),
        ("D", "D/b4/out/weight", 1e30, "Gmain", "first in the norm of the gradients, the largest is that of G/"),
    ],
)
def test_a_non_finite_number_stops_training_with_phase_and_layer(config, network, path, value, phase, where):
    model = eager_model(config)
    train(config, model, 1)
    plant(getattr(model, network), path, value)
    before = {name: v.numpy() for name, v in model.state_variables().items() if name.startswith(("G/", "D/"))}
    train(config, model, 2, start_nimg=config.batch)
    with pytest.raises(NonFiniteError) as stopped:
        guard_of(config, model).check()
    message = str(stopped.value)
    assert f"phase {phase} of the iteration at kimg 0.008, " in message and where in message and "\n" not in message
    for name, value in before.items():
        np.testing.assert_array_equal(model.state_variables()[name].numpy(), value, err_msg=name)


def test_a_gradient_that_is_not_finite_is_named_where_all_outputs_are(config, monkeypatch):
    model = eager_model(config)

    @tf.custom_gradient
    def bad_slope(x):
        return tf.identity(x), lambda upstream: upstream * np.inf

    discriminate = model.discriminate
    monkeypatch.setattr(type(model), "discriminate", lambda self, *inputs: bad_slope(discriminate(*inputs)))
    train(config, model, 1)
    with pytest.raises(NonFiniteError, match=r"phase Gmain .* first in the gradient of G/.*, all layers' outputs are"):
        guard_of(config, model).check()
