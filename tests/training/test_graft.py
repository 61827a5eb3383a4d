"""Runs that start from networks of other channels or another size."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.checkpoint import find_start
from sg_keras.config import Cluster, ResumeRequest
from sg_keras.ops import downsample2d, setup_filter, upsample2d
from sg_keras.training import starting_weights
from sg_keras.training.run import run
from sg_keras.training.starting_weights import REPORT_FILE, take_starting_weights
from sg_keras.training.step.stylegan import build_stylegan
from sg_keras.weights.network_file import write_networks
from tests.training.test_freeze import changed, iterations, values
from tests.training.tiny_run import only_run, tiny_config, write_images

FILTER = setup_filter([1, 3, 3, 1])
#: A hundred roundings of float32: 1e-6 was found. What has other weights is off by as much as it is large.
ROUNDING = 1e-5


@pytest.fixture(scope="module")
def larger_images(tmp_path_factory):
    """Images of 16x16."""
    return write_images(tmp_path_factory.mktemp("large") / "noise", (16, 16, 3))


def of_size(config, resolution):
    return dataclasses.replace(config, dataset=dataclasses.replace(config.dataset, resolution=resolution))


def written(model, path):
    """A file of a model's networks, in which G_ema is not G."""
    for variable in model.G_ema.variables:
        if variable.path.endswith(("const", "bias")):
            variable.assign(np.asarray(variable.value) + 0.1)
    write_networks(path, {name: getattr(model, name) for name in ("G", "D", "G_ema")})
    return path


def inputs(resolution):
    """Latents, images and labels."""
    random = np.random.default_rng(0)
    labels = np.eye(3, dtype=np.float32)[random.integers(0, 3, 8)]
    images = random.standard_normal([8, resolution, resolution, 3])
    return random.standard_normal([8, 8]).astype(np.float32), tf.constant(images, tf.float32), labels


def assert_same(found, expected):
    scale = float(tf.reduce_max(tf.abs(expected)))
    assert scale > 0.01
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * scale)


def test_a_larger_and_wider_network_begins_as_the_old_one_and_trains(
    image_folder, larger_images, tmp_path, monkeypatch
):
    old = build_stylegan(tiny_config(image_folder, tmp_path, seed=1))
    source = written(old, tmp_path / "old.safetensors")
    options = {"cbase": 128, "cmax": 6, "w_dim": 10, "no_const": True, "freeze": "g:8px; d:b4.fc"}
    config = of_size(tiny_config(larger_images, tmp_path, **options), 16)
    model, lines = build_stylegan(config), []
    report = take_starting_weights(str(source), False, model, lines.append, graft=True)
    assert lines[0] == report.summary()
    z, images, labels = inputs(16)
    for name in ("G", "G_ema"):
        assert_same(getattr(model, name)(z, labels), upsample2d(getattr(old, name)(z, labels), FILTER))
    assert_same(model.D(images, labels), old.D(downsample2d(images, FILTER), labels))

    cluster = Cluster(("chief:1", "other:1"), 1)
    with monkeypatch.context() as patch:
        patch.setattr(starting_weights, "broadcast_text", lambda strategy, text: "another digest")
        with pytest.raises(ValueError, match="--graft: found other weights on worker 1 than on worker 0"):
            starting_weights._check_alike(model, cluster)

    before = values(model)
    once, twice = iterations(model, larger_images, 2)
    new = {f"{n.name}/{name.replace('.', '/')}": row for n in report.networks[:2] for name, *row in n.new}
    trained = {v.path for network in (model.G, model.D) for v in network.trainable_variables}
    frozen = {v.path for v in model.G.trainable_variables if model.freezing.is_frozen(v)}
    assert frozen and not frozen & changed(before, twice)
    assert {name for name in new if name in trained} <= changed(before, twice)
    assert all(np.all(np.isfinite(value)) for value in twice.values() if value.dtype.kind == "f")
    # What was 0 moves at once, and what it reads as soon as it has.
    weight = "D/b8/conv0/weight"
    assert not np.any(before[weight][:, :, 4:, :4]) and np.all(once[weight][:, :, 4:, :4])
    weight = "D/b4/conv/weight"
    assert not np.array_equal(once[weight][:, :, :, 4:], twice[weight][:, :, :, 4:])
    assert np.any(once["G/synthesis/b16/torgb/weight"])
    weight = "G/synthesis/b4/fc/weight"  # of the channels that make the constant: four pixels each
    assert not np.any(before[weight][:, :20]) and np.all(np.any(once[weight][:, :20], axis=0))


@pytest.mark.long
def test_a_wider_stylegan3_begins_as_the_old_one_and_trains(image_folder, tmp_path):
    options = {"cfg": "stylegan3-r", "cbase": 32}
    old = build_stylegan(tiny_config(image_folder, tmp_path, seed=1, **options))
    source = written(old, tmp_path / "old.safetensors")
    model = build_stylegan(tiny_config(image_folder, tmp_path, **{**options, "cbase": 64, "cmax": 6}))
    report = take_starting_weights(str(source), False, model, lambda line: None, graft=True)
    z, images, labels = inputs(8)
    for name in ("G", "G_ema"):
        assert_same(getattr(model, name)(z, labels), getattr(old, name)(z, labels))
    assert_same(model.D(images, labels), old.D(images, labels))
    before = values(model)
    _, after = iterations(model, image_folder, 2)
    for network in report.networks[:2]:
        own = {v.path for v in getattr(model, network.name).trainable_variables}
        fitted = {f"{network.name}/{name.replace('.', '/')}" for name, *_ in network.fitted} & own
        assert fitted and fitted <= changed(before, after)


@pytest.mark.long
def test_a_run_starts_from_a_graft_and_continues_without_it(image_folder, tmp_path):
    source = written(build_stylegan(tiny_config(image_folder, tmp_path, seed=1)), tmp_path / "old.safetensors")
    outdir, options = tmp_path / "runs", {"cmax": 6, "freeze": "g:mapping until 0.02kimg"}
    short = tiny_config(image_folder, outdir, transfer=str(source), graft=True, run={"total_kimg": 0.032}, **options)
    assert run(short) == 0
    run_dir = only_run(outdir)
    report = (run_dir / REPORT_FILE).read_text(encoding="utf-8")
    assert "  makes the source's images at first\n  fitted:\n    synthesis.b4.const " in report
    source.unlink()
    longer = tiny_config(image_folder, outdir, run={"total_kimg": 0.064}, **options)
    request = ResumeRequest("latest", str(outdir))
    assert find_start(longer, request).config.graft
    assert run(longer, request) == 0
    assert json.loads((run_dir / "training_config.json").read_text())["graft"] is True
