"""Training in bfloat16: near float32, exact when continued; overflowing gradients; what `auto` chooses."""

import dataclasses
import datetime
import itertools
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

import sg_keras
from sg_keras.checkpoint import CheckpointStore, checkpoint_fingerprint, fingerprint
from sg_keras.checkpoint.manager import saved_checkpoints
from sg_keras.config import ResumeRequest, TrainingConfig, adopt_choices
from sg_keras.data import make_pipeline, open_dataset
from sg_keras.export.saved_model import export_saved_model
from sg_keras.models import computes_in_half
from sg_keras.training import measured_speed, precision_choice
from sg_keras.training.measured_speed import measure
from sg_keras.training.precision_choice import choose_precision, convolution_shapes, precision_hint
from sg_keras.training.run import run
from sg_keras.training.step.nonfinite import replaced_gradients
from sg_keras.training.step.stylegan import build_stylegan
from tests.training.tiny_run import tiny_config


def train(config, model, iterations, start_nimg=0):
    dataset = open_dataset(config.dataset.path, use_labels=True)
    batches = make_pipeline(dataset, seed=0, batch=config.batch, start_nimg=start_nimg, num_phases=model.num_phases)
    for batch in itertools.islice(batches, iterations):
        model.train_step(batch)


def print_of(model):
    return fingerprint((name, variable.numpy()) for name, variable in model.state_variables().items())


def first_losses_and_gradients(config, model):
    """Of every phase, at the first weights: losses of the images, and the gradient by all weights as one vector."""
    dataset = open_dataset(config.dataset.path, use_labels=True)
    batches = make_pipeline(dataset, seed=0, batch=config.batch, start_nimg=0, num_phases=model.num_phases)
    batch, found = next(iter(batches)), {}
    for phase in model.phases:
        micro = model.micro_batch(batch, model.scalars_at(0), phase.index, 0, 0)
        sources = [v.value for v in getattr(model, phase.network).trainable_variables]
        with tf.GradientTape() as tape:
            losses = phase.loss(model, micro, phase.read_state(model)).loss
        gradients = tape.gradient(losses, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        found[phase.name] = np.asarray(losses, np.float64), np.concatenate([np.ravel(g) for g in gradients])
    return found


# How far rounding to 8 bits takes losses and gradients, relative to those in float32 at the same weights. Not what some
# steps make of them: Adam's first ones are almost the signs of the gradients, and any rounding turns those near zero.
# What comes of derivatives (gradients, and the losses of Greg and Dreg) is further apart, since an activation that
# crosses its kink changes its slope from 1 to 0.2. Over the settings of tests.machines and without oneDNN, which rounds
# no sums, 0.002 and 0.24 were the most that was found; what goes astray is off by 1.
FORWARD_DISTANCE, DERIVATIVE_DISTANCE = 0.01, 0.4


@pytest.mark.rounding
@pytest.mark.bfloat16
@pytest.mark.parametrize("cfg", ["stylegan2", pytest.param("stylegan3-t", marks=pytest.mark.long)])
def test_training_is_near_that_in_float32(impl, cfg, image_folder, tmp_path):
    found = {}
    for precision in ("bfloat16", "float32"):
        wide = {} if cfg == "stylegan2" else {"cbase": 128, "cmax": 16}  # fifteen layers of 4 channels round too much
        config = tiny_config(image_folder, tmp_path, cfg=cfg, precision=precision, ops=impl, d_reg_interval=2, **wide)
        model = build_stylegan(config)
        assert model.computes_in_half == computes_in_half(model.G_ema) == (precision == "bfloat16")
        found[precision] = first_losses_and_gradients(config, model)
        if precision == "float32":
            assert "Gradients/Gmain/replaced" not in model.statistics.read_and_reset()
            continue
        train(config, model, 3)
        assert model.monitor.first() is None
        assert {v.dtype.name for n, v in model.state_variables().items() if n.startswith(("G", "D", "g_", "d_"))} <= {
            "float32",
            "int64",
        }
        assert model.statistics.read_and_reset()["Gradients/Gmain/replaced"]["mean"] == 0
    for phase, exact in found["float32"].items():
        of_loss = FORWARD_DISTANCE if phase in ("Gmain", "Dmain") else DERIVATIVE_DISTANCE
        for half, full, most in zip(found["bfloat16"][phase], exact, (of_loss, DERIVATIVE_DISTANCE), strict=True):
            assert 0 < np.linalg.norm(half - full) < most * np.linalg.norm(full), phase


@pytest.mark.bfloat16
@pytest.mark.parametrize("impl", [pytest.param("reference", marks=pytest.mark.long), "custom"], indirect=True)
def test_a_run_in_bfloat16_goes_on_to_the_same_bits(impl, image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path, precision="bfloat16", ops=impl, d_reg_interval=3)
    model = build_stylegan(config)
    train(config, model, 2)
    store = CheckpointStore(tmp_path / "checkpoints", model.state_variables(), keep=3)
    prefix = store.save(1, {})
    train(config, model, 3, start_nimg=2 * config.batch)
    undisturbed = print_of(model)
    other = build_stylegan(config)
    CheckpointStore(tmp_path / "checkpoints", other.state_variables(), keep=3).restore(prefix)
    train(config, other, 3, start_nimg=2 * config.batch)
    assert print_of(other) == undisturbed


@pytest.mark.bfloat16
def test_an_exported_generator_computes_in_float32(image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path, precision="bfloat16")
    model = build_stylegan(config)
    train(config, model, 1)
    folder = export_saved_model(model.G_ema, tmp_path / "exported")
    z, c, psi = tf.random.stateless_normal([3, 8], [0, 1]), tf.eye(3), tf.constant(1.0)
    loaded = tf.saved_model.load(str(folder))
    images = loaded.signatures["generate"](z=z, c=c, truncation_psi=psi)["images"]
    assert images.dtype == tf.float32
    graph = loaded.signatures["generate"].graph.as_graph_def()
    assert b"DT_BFLOAT16" not in str(graph).encode()
    trained = model.G_ema(z, c).numpy()
    assert 0 < np.abs(images - trained).max() < 0.05 * np.abs(trained).max()
    assert "num_fp16_res" not in json.loads((folder / "description.json").read_text())["network"]


# ---- gradients that overflow -----------------------------------------------------------------------------------------


def test_gradients_that_overflow_are_replaced():
    given = [tf.constant([1.0, np.nan, np.inf]), tf.constant([[-np.inf, 2.0]])]
    gradients, norm = replaced_gradients(given, tf.linalg.global_norm(given))
    np.testing.assert_array_equal(gradients[0], [1, 0, 1e5])
    np.testing.assert_array_equal(gradients[1], [[-1e5, 2]])
    assert float(norm) == pytest.approx(np.sqrt(2e10 + 5))
    fine = [tf.constant([1.0, 2.0])]
    assert replaced_gradients(fine, tf.constant(3.0))[0][0].numpy().tolist() == [1, 2]


@pytest.mark.parametrize(
    "precision, stops", [pytest.param("bfloat16", False, marks=pytest.mark.bfloat16), ("float32", True)]
)
def test_the_watch_stops_for_such_gradients_in_full_precision_alone(
    precision, stops, image_folder, tmp_path, monkeypatch
):
    config = tiny_config(image_folder, tmp_path, precision=precision)
    model = build_stylegan(config)

    @tf.custom_gradient
    def bad_slope(x):
        return tf.identity(x), lambda upstream: upstream * np.nan

    discriminate = model.discriminate

    def in_gmain_alone(self, images, labels, micro, kind):  # R1's slope is part of its loss, which is watched
        logits = discriminate(images, labels, micro, kind)
        return bad_slope(logits) if micro.phase == 0 else logits

    monkeypatch.setattr(type(model), "discriminate", in_gmain_alone)
    train(config, model, 2)
    assert (model.monitor.first() is not None) == stops
    if not stops:
        assert all(np.all(np.isfinite(v.numpy())) for v in model.state_variables().values())
        assert model.statistics.read_and_reset()["Gradients/Gmain/replaced"]["mean"] == 1


@pytest.mark.bfloat16
def test_losses_are_watched_in_half_precision(image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path, precision="bfloat16")
    model = build_stylegan(config)
    model.D.b4.out.bias.assign(np.full(model.D.b4.out.bias.shape, np.nan))
    before = model.G.trainable_variables[0].value.numpy().copy()
    train(config, model, 1)
    assert model.monitor.first() == (0, 0)
    np.testing.assert_array_equal(model.G.trainable_variables[0].value, before)


# ---- --precision=auto ------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    """No measurement is known."""
    monkeypatch.setenv("SG_KERAS_CACHE", str(tmp_path / "cache"))


def measured(monkeypatch, float32, bfloat16):
    """A machine on which each convolution takes so many seconds. Returns what was measured there."""
    seconds, calls = {tf.float32: float32, tf.bfloat16: bfloat16}, []

    def measure(shape, dtype):
        calls.append((shape, dtype))
        return seconds[dtype]

    monkeypatch.setattr(measured_speed, "measure", measure)
    monkeypatch.setattr(precision_choice, "bfloat16_problem", lambda: "")
    return calls


@pytest.mark.parametrize(
    "float32, bfloat16, chosen",
    [(0.04, 0.01, "bfloat16"), (0.0125, 0.01, "bfloat16"), (0.012, 0.01, "float32"), (1, 9, "float32")],
)
def test_auto_goes_by_the_measurement(float32, bfloat16, chosen, image_folder, tmp_path, monkeypatch):
    measured(monkeypatch, float32, bfloat16)
    config = tiny_config(image_folder, tmp_path, precision="auto")
    assert config.precision == "auto"
    decided, line = choose_precision(config)
    assert decided.precision == chosen
    count = 4 if chosen == "bfloat16" else 0
    assert decided.generator.num_fp16_res == decided.discriminator.num_fp16_res == count
    assert line.startswith(f"Precision: {chosen}, since convolutions of 8x8x8x4 ") and "\n" not in line
    assert f"{float32 / bfloat16:.2f} times as fast" in line
    assert choose_precision(decided) == (decided, None)
    assert measured(monkeypatch, bfloat16, float32) == []  # nothing is measured again on this machine
    again, same = choose_precision(config)
    assert (again, same) == (decided, line) and f"(measured on {datetime.date.today()}; without {tmp_path}" in line


def test_what_auto_would_bring_is_said_where_it_is_worth_it(image_folder, tmp_path, monkeypatch):
    calls = measured(monkeypatch, 0.02, 0.01)
    short = tiny_config(image_folder, tmp_path)
    long = dataclasses.replace(short, run=dataclasses.replace(short.run, total_kimg=1e9))
    assert precision_hint(short) is None and not calls  # not worth a measurement
    assert precision_hint(dataclasses.replace(long, precision="auto")) is None and not calls
    assert precision_hint(tiny_config(image_folder, tmp_path, {"total_kimg": 1e9}, fp32=True)) is None and not calls
    line = precision_hint(long)
    assert line.startswith("Note: --precision=auto would take bfloat16 at the highest resolutions: convolutions")
    assert "2.00 times as fast" in line and len(calls) == 2
    assert precision_hint(short) == line  # which is known by now
    for file in (tmp_path / "cache" / "precision").iterdir():
        file.unlink()
    measured(monkeypatch, 0.0124, 0.01)
    assert precision_hint(long) is None  # not enough


def test_images_of_4x4_have_nothing_to_choose(image_folder, tmp_path, monkeypatch):
    measured(monkeypatch, 2, 1)
    config = tiny_config(image_folder, tmp_path, precision="auto")
    config = dataclasses.replace(config, dataset=dataclasses.replace(config.dataset, resolution=4))
    assert choose_precision(config)[1] == "Precision: float32, since 4x4 is never computed in less"
    assert precision_hint(dataclasses.replace(config, precision="float32")) is None


def test_where_bfloat16_cannot_be_computed(image_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(precision_choice, "bfloat16_problem", lambda: "nothing computes in it")
    config, line = choose_precision(tiny_config(image_folder, tmp_path, precision="auto"))
    assert (config.precision, line) == ("float32", "Precision: float32, since nothing computes in it")
    with pytest.raises(ValueError, match="--precision: found 'bfloat16', but nothing computes in it; expected float32"):
        choose_precision(tiny_config(image_folder, tmp_path, precision="bfloat16"))


def test_onednn_may_be_held_to_a_processor_without_it(monkeypatch):
    def convolve(*args):
        raise tf.errors.AbortedError(None, None, "could not create a primitive descriptor")

    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    monkeypatch.setattr(tf.nn, "conv2d", convolve)
    assert precision_choice.bfloat16_problem.__wrapped__().endswith("in it here with ONEDNN_MAX_CPU_ISA=AVX2")


@pytest.mark.bfloat16
def test_what_is_measured_is_of_the_runs_own_sizes(image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path, cbase=4096, cmax=128)
    large = dataclasses.replace(config, dataset=dataclasses.replace(config.dataset, resolution=64))
    assert convolution_shapes(large) == [(6, 64, 64, 64), (6, 32, 32, 128)]
    assert convolution_shapes(config) == [(8, 8, 8, 128)]
    assert all(0 < measure((2, 8, 8, 4), dtype) < 5 for dtype in (tf.float32, tf.bfloat16))


@pytest.mark.long
@pytest.mark.bfloat16
def test_a_continued_run_takes_what_was_chosen(image_folder, tmp_path, monkeypatch):
    measured(monkeypatch, 4, 1)
    lengths = {"total_kimg": 0.064, "snapshot_ticks": 1}
    asked = tiny_config(image_folder, tmp_path / "runs", lengths, precision="auto")
    assert run(asked) == 0
    (run_dir,) = (tmp_path / "runs").iterdir()
    saved = TrainingConfig.from_json((run_dir / "training_config.json").read_text())
    assert (saved.precision, saved.generator.num_fp16_res) == ("bfloat16", 4)
    shutil.rmtree(tmp_path / "cache")
    log = (run_dir / "log.txt").read_text()
    assert log.count("Precision: bfloat16, since") == 1 and "bfloat16 at the 4 highest resolutions" in log

    copy = tmp_path / "copy" / run_dir.name
    shutil.copytree(run_dir, copy)
    for prefix in saved_checkpoints(copy / "checkpoints")[1:]:
        for file in prefix.parent.glob(f"{prefix.name}.*"):
            file.unlink()
    measured(monkeypatch, 1, 4)  # another measurement would choose float32
    assert run(asked, ResumeRequest("run_dir", str(copy))) == 0
    ends = [checkpoint_fingerprint(saved_checkpoints(place / "checkpoints")[-1]) for place in (run_dir, copy)]
    assert ends[0] == ends[1]
    with pytest.raises(ValueError, match=r"--precision +precision +bfloat16 +float32"):
        run(tiny_config(image_folder, tmp_path / "runs", lengths), ResumeRequest("run_dir", str(copy)))

    networks = sg_keras.load(copy)
    assert not any(computes_in_half(network) for network in networks.values())


def test_auto_adopts_a_saved_float32(image_folder, tmp_path):
    saved = tiny_config(image_folder, tmp_path)
    assert adopt_choices(saved, tiny_config(image_folder, tmp_path, precision="auto")) == saved
