"""Every capacity through all that is done with networks: one iteration, a snapshot, a SavedModel, and transfer."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

import sg_keras
from sg_keras.config import DatasetConfig, RunConfig, TrainingOptions, resolve
from sg_keras.config.capacities import CAPACITIES
from sg_keras.config.channels import channels_of, format_channels
from sg_keras.config.sizes import block_sizes
from sg_keras.data import make_pipeline, open_dataset
from sg_keras.export.saved_model import export_saved_model
from sg_keras.training.starting_weights import take_starting_weights
from sg_keras.training.step.stylegan import build_stylegan
from sg_keras.weights import published_weights
from sg_keras.weights.snapshot import write_snapshot
from tests.training.tiny_run import write_images

NARROWER = 64  # times


def narrowed(capacity, resolution, **options):
    """A run with the proportions of a capacity, so that a test can afford it."""
    data = DatasetConfig(path="data", resolution=resolution, channels=3)
    options = {"cfg": "stylegan2", "batch": 4, "gamma": 1.0, "gpus": 0, "aug": "noaug", "map_depth": 2, **options}
    options = TrainingOptions(**options, ops="reference", capacity=capacity)
    config = resolve(options, data, RunConfig(outdir="runs"))
    parts = {}
    for name in ("generator", "discriminator"):
        part = getattr(config, name)
        table = [(level, channels_of(part, level) // NARROWER) for level in block_sizes(data.size)]
        parts[name] = dataclasses.replace(part, fmaps=format_channels(table))
    sizes = {name: getattr(config.generator, name) // 16 for name in ("z_dim", "w_dim")}
    parts["generator"] = dataclasses.replace(parts["generator"], **sizes)
    return dataclasses.replace(config, **parts)


def trained(config, images):
    """The networks after an iteration in which every phase ran, on images that are read as in a run."""
    model = build_stylegan(config, compile_phases=False)
    before = published_weights(model.G) | published_weights(model.D)
    dataset = open_dataset(str(images), use_labels=False)
    batches = make_pipeline(dataset, seed=0, batch=config.batch, start_nimg=0, num_phases=model.num_phases)
    model.train_step(next(iter(batches)))
    moved = {name for name, value in (published_weights(model.G) | published_weights(model.D)).items()
             if not np.array_equal(value, before[name])}  # fmt: skip
    return model, moved


def check_round_trips(model, config, folder):
    """A snapshot is the networks to the bit, a SavedModel G_ema but for rounding; a run that starts so has all."""
    networks = {name: getattr(model, name) for name in ("G", "D", "G_ema")}
    write_snapshot(folder / "network-snapshot-000000", networks.values(), config)
    found = sg_keras.load(folder / "network-snapshot-000000", ops="reference")
    for name, network in networks.items():
        assert found[name].get_config() == network.get_config()
        for one, other in zip(found[name].variables, network.variables, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=one.path)
    z = tf.constant(np.random.RandomState(0).randn(2, model.G.z_dim), tf.float32)
    images = model.G_ema(z, truncation_psi=tf.constant(0.7))
    exported = tf.saved_model.load(str(export_saved_model(model.G_ema, folder / "saved_model")))
    said = exported.signatures["generate"](z=z, truncation_psi=tf.constant(0.7))["images"]
    np.testing.assert_allclose(said, images, atol=1e-4)
    other = build_stylegan(dataclasses.replace(config, seed=1))
    report = take_starting_weights(str(folder / "network-snapshot-000000"), False, other, lambda line: None)
    assert [network.name for network in report.networks if network.arguments or network.unused] == []
    for name, network in networks.items():
        for one, its in zip(getattr(other, name).variables, network.variables, strict=True):
            np.testing.assert_array_equal(one, its, err_msg=one.path)


def test_a_table_without_constant_through_everything(tmp_path):
    options = {"fmaps": "4:5,8:4,16:3", "capacity": None, "no_const": True, "mapping_lrmul": 0.1, "map_depth": 12}
    data = DatasetConfig(path="data", resolution=16, channels=3)
    options = TrainingOptions(
        cfg="stylegan2", batch=4, gamma=1.0, gpus=0, aug="noaug", ops="reference", z_dim=6, **options
    )
    config = resolve(dataclasses.replace(options, w_dim=7), data, RunConfig(outdir="runs"))
    model, moved = trained(config, write_images(tmp_path / "images", (16, 16, 3)))
    assert {"synthesis.b4.fc.weight", "synthesis.b4.conv0.weight", "mapping.fc11.weight", "b16.conv0.weight"} <= moved
    assert model.G.mapping.fc11.lr_multiplier == 0.1 and model.G.num_ws == 7
    check_round_trips(model, config, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("capacity", ["small", "config-f", "xl", "xxl"])
def test_every_capacity_through_everything(capacity, tmp_path):
    """At 64x64, where m and l are what config-f is; all channels so many times fewer."""
    config, full = narrowed(capacity, 64), CAPACITIES[capacity]
    assert config.generator.fmaps == ",".join(f"{4 << k}:{full.cmax // NARROWER}" for k in range(5))
    model, moved = trained(config, write_images(tmp_path / "images", (64, 64, 3)))
    assert {"synthesis.b64.conv1.weight", "b64.conv1.weight", "b4.out.weight", "mapping.w_avg"} <= moved
    check_round_trips(model, config, tmp_path)


def test_what_is_the_same_at_64():
    parts = [
        [getattr(narrowed(name, 64), part).fmaps for part in ("generator", "discriminator")] for name in CAPACITIES
    ]
    of = dict(zip(CAPACITIES, parts, strict=True))
    assert of["m"] == of["l"] == of["config-f"] and len({*map(tuple, parts)}) == len(CAPACITIES) - 2


def test_another_multiplier_of_the_mapping_is_the_same_function(tmp_path):
    """Its weights are kept divided by it, so transfer multiplies them."""
    keras.utils.set_random_seed(0)
    of_run = [narrowed("small", 8, mapping_lrmul=lrmul) for lrmul in (0.01, 0.05)]
    source, target = (build_stylegan(config) for config in of_run)
    write_snapshot(tmp_path / "network-snapshot-000000", [getattr(source, name) for name in ("G", "D", "G_ema")], None)
    report = take_starting_weights(str(tmp_path / "network-snapshot-000000"), False, target, lambda line: None)
    assert report.networks[0].arguments == (("mapping_kwargs.lr_multiplier", 0.01, 0.05),)
    z = tf.constant(np.random.RandomState(0).randn(2, source.G.z_dim), tf.float32)
    np.testing.assert_allclose(target.G.mapping(z), source.G.mapping(z), rtol=1e-5, atol=1e-6)
