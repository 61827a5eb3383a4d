"""Networks and state of a model that was built, but not trained."""

import dataclasses
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

import sg_keras
from sg_keras.checkpoint import CheckpointStore, SavedState, fingerprint
from sg_keras.training.step.stylegan import build_stylegan
from sg_keras.weights import trained_nimg, write_snapshot
from tests.training.tiny_run import tiny_config

NETWORKS = ("G", "D", "G_ema")


@pytest.fixture(scope="module")
def saved(image_folder, tmp_path_factory):
    """(run directory, its model): one exact checkpoint and one network snapshot."""
    outdir = tmp_path_factory.mktemp("runs")
    config = tiny_config(image_folder, outdir)
    run_dir = outdir / "00000-stylegan2-noise"
    run_dir.mkdir()
    (run_dir / "training_config.json").write_text(config.to_json(), encoding="utf-8")
    model = build_stylegan(config)
    for offset, network in enumerate((model.G_ema, model.G), start=1):  # the average is none of G's values
        for variable in network.trainable_variables:
            variable.assign_add(tf.fill(variable.shape, 0.25 * offset))
    store = CheckpointStore(run_dir / "checkpoints", model.state_variables(), keep=3)
    store.save(0, {"config": dataclasses.asdict(config)})
    write_snapshot(run_dir / "network-snapshot-000001", (model.G, model.D, model.G_ema), config)
    return run_dir, model


def assert_same(networks, model):
    assert set(networks) == set(NETWORKS)
    for name in NETWORKS:
        expected, found = getattr(model, name), networks[name]
        assert found.name == name
        for one, other in zip(found.variables, expected.variables, strict=True):
            assert one.path == other.path
            np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_every_variable_of_every_network_and_optimizer_is_in_the_file(saved):
    run_dir, model = saved
    names = set(SavedState(run_dir / "checkpoints" / "ckpt-0").names())
    for network in (model.G, model.D, model.G_ema):
        assert {f"{network.name}/{v.path.removeprefix(network.name + '/')}" for v in network.variables} <= names
        assert len(network.variables) == sum(name.startswith(f"{network.name}/") for name in names)
    for network, optimizer in ((model.G, model.g_optimizer), (model.D, model.d_optimizer)):
        moments = 2 * len(network.trainable_variables)
        assert len([name for name in names if name.startswith(f"{optimizer.name}/")]) == moments + 2
    assert {"pl_mean", "augment_p", "noise_key", "cur_nimg", "batch_index", "G/mapping/w_avg"} <= names


def test_another_model_takes_the_state_over(saved, image_folder, tmp_path):
    run_dir, model = saved
    other = build_stylegan(tiny_config(image_folder, tmp_path, seed=5))

    def print_of(some):
        return fingerprint((name, v.numpy()) for name, v in some.state_variables().items())

    assert print_of(other) != print_of(model)
    CheckpointStore(tmp_path / "checkpoints", other.state_variables(), 3).restore(run_dir / "checkpoints" / "ckpt-0")
    assert print_of(other) == print_of(model)


@pytest.mark.parametrize("place", [".", "checkpoints/ckpt-0", "checkpoints/ckpt-0.index", "network-snapshot-000001"])
def test_load(saved, place):
    run_dir, model = saved
    networks = sg_keras.load(run_dir / place)
    assert_same(networks, model)
    assert {network.get_config()["impl"] for network in networks.values()} == {"auto"}
    z, c = np.ones([2, 8], np.float32), np.eye(3, dtype=np.float32)[:2]
    np.testing.assert_allclose(networks["G_ema"](z, c), model.G_ema(z, c), atol=1e-5)


@pytest.mark.parametrize(
    "place, nimg",
    [(".", 0), ("checkpoints/ckpt-0", 0), ("network-snapshot-000001", 1000), ("network-snapshot-000001/G.keras", 1000)],
)
def test_images_that_networks_were_trained_on(saved, place, nimg):
    run_dir, _ = saved
    assert trained_nimg(run_dir / place) == nimg


def test_load_with_other_ops_and_by_tick(saved):
    run_dir, model = saved
    networks = sg_keras.load(f"{run_dir}@0", ops="reference")
    assert_same(networks, model)
    assert networks["D"].get_config()["impl"] == "reference"


@pytest.mark.parametrize("place", [".", "network-snapshot-000001"])
def test_networks_are_float32_whatever_keras_is_told(saved, place):
    run_dir, model = saved
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    networks = sg_keras.load(run_dir / place, ops="reference")
    assert {v.dtype for network in networks.values() for v in network.variables} == {"float32"}
    assert_same(networks, model)
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == ("float64", "float64")


def test_a_run_without_checkpoints_gives_its_newest_snapshot(saved, tmp_path):
    run_dir, model = saved
    shutil.copytree(run_dir, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    assert_same(sg_keras.load(tmp_path / "run", ops="reference"), model)
    shutil.rmtree(tmp_path / "run" / "network-snapshot-000001")
    with pytest.raises(ValueError, match="neither a checkpoint nor a network snapshot"):
        sg_keras.load(tmp_path / "run")


def test_a_copied_checkpoint_is_enough(saved, tmp_path):
    run_dir, model = saved
    for path in (run_dir / "checkpoints").glob("ckpt-0.*"):
        shutil.copy(path, tmp_path)
    assert_same(sg_keras.load(tmp_path / "ckpt-0"), model)


@pytest.mark.parametrize(
    "name, error, message",
    [
        ("stylegan2.pkl", ValueError, "official pickle"),
        ("nowhere", ValueError, "nowhere', which does not exist, expected a run directory"),
        ("G_ema.keras", OSError, r"G_ema\.keras: found a file that Keras cannot load"),
    ],
)
def test_errors_name_the_file(tmp_path, name, error, message):
    path = tmp_path / name
    if name.endswith(".keras"):
        path.write_bytes(b"nothing of the kind")
        for other in ("G", "D"):
            (tmp_path / f"{other}.keras").write_bytes(b"nothing of the kind")
        path, message = tmp_path, message.replace("G_ema", "G")
    with pytest.raises(error, match=message):
        sg_keras.load(path)
