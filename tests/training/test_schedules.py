"""Values that change over a run, in training: each is followed, and a fork with another future keeps the past."""

import dataclasses
import itertools
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import sg_keras
from sg_keras.checkpoint import CheckpointStore, checkpoint_fingerprint
from sg_keras.checkpoint.manager import saved_checkpoints
from sg_keras.config import ResumeRequest
from sg_keras.models import computes_in_half
from sg_keras.training.callbacks.nonfinite_replay import first_nonfinite_layer
from sg_keras.training.run import run
from sg_keras.training.step.stylegan import build_stylegan
from tests.training.test_freeze import changed, iterations, values
from tests.training.tiny_run import only_run, tiny_config

EVERYTHING = {
    "glr": "linear 0..2e-3 over 0.016",  # 0 in the first of the iterations of 8 images each
    "dlr": "2e-3; 1e-3 from 0.016",
    "beta2": "linear 0.9..0.99 over 0.032",
    "gamma": "cosine 1..0.1 over 0.032",
    "pl_weight": "2; 0 from 0.008",
    "aug": "fixed",
    "p": "linear 0..0.5 over 0.016",
    "ema_kimg": "0.008; 0.02 from 0.016",
    "blur": "linear 1..0 over 0.016",
    "g_reg_interval": 1,
}


STEPS = {"precision": "bfloat16", "num_fp16_res": "0; 1 from 0.008", "pl_weight": 0.0}


@pytest.mark.bfloat16
def test_half_precision_from_a_kimg_on(image_folder, tmp_path):
    """The phases are compiled once more, and the bits are the same after a restart at that point."""
    config = tiny_config(image_folder, tmp_path, **STEPS)
    model, functions, states = build_stylegan(config), [], []
    store = CheckpointStore(tmp_path / "checkpoints", model.state_variables(), keep=9)
    assert "Gradients/Gmain/replaced" in model.statistics.names
    for number, state in enumerate(iterations(model, image_folder, 2)):
        functions += [f for f in model._compiled.values() if f not in functions]
        states.append(state)
        halves = [computes_in_half(network) for network in (model.G, model.D, model.G_ema)]
        assert halves == [bool(number)] * 3 and model.computes_in_half == bool(number)
        if number == 0:
            prefix = store.save(1, {})
    assert [f.experimental_get_tracing_count() for f in functions] == [1] * 6  # Gmain, Dmain twice; Dreg; the average
    assert model.G_ema.get_config()["num_fp16_res"] == 1
    other = build_stylegan(config)
    CheckpointStore(tmp_path / "checkpoints", other.state_variables(), keep=9).restore(prefix)
    (state,) = iterations(other, image_folder, 1)
    assert changed(state, states[-1]) == set() and changed(*states)
    # What is looked into is as it was then, though training has gone on.
    model.D.b4.out.bias.assign(np.full(model.D.b4.out.bias.shape, np.nan))
    phase = model.phases[0]
    assert "already in the weight D/b4/out/bias" in first_nonfinite_layer(model, phase, {}, 0)
    assert not model.computes_in_half and phase.name not in model._compiled


def test_one_schedule_is_that_of_both_networks(image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path, **STEPS)
    with pytest.raises(
        ValueError, match=r"num_fp16_res: found \('0; 1 from 0.008', 1\), expected one schedule for both"
    ):
        dataclasses.replace(config, discriminator=dataclasses.replace(config.discriminator, num_fp16_res=1))


@pytest.mark.long
@pytest.mark.bfloat16
def test_runs_change_precision_and_what_is_frozen_at_the_same_point(image_folder, tmp_path):
    """One is continued over it, another one forked with another future."""
    options = {**STEPS, "num_fp16_res": "0; 1 from 0.064", "freeze": "d:first1 from 0.064"}
    run_options = {"total_kimg": 0.12, "snapshot_ticks": 1, "keep_checkpoints": 20, "image_snapshot_ticks": 100}
    config = tiny_config(image_folder, tmp_path / "runs", run_options, **options)
    assert run(config) == 0
    run_dir = only_run(tmp_path / "runs")
    copy = tmp_path / "copy" / run_dir.name
    shutil.copytree(run_dir, copy)
    assert run(config, ResumeRequest("run_dir", str(copy), tick=1)) == 0
    options = {**options, "num_fp16_res": "0; 1 from 0.1", "freeze": "d:first1 from 0.1"}
    later = tiny_config(image_folder, tmp_path / "forks", run_options, **options)
    assert run(later, ResumeRequest("run_dir", str(run_dir), tick=1, fork=True)) == 0
    every, continued, forked = (
        dict(map(checkpoint_fingerprint, saved_checkpoints(place / "checkpoints")))
        for place in (run_dir, copy, only_run(tmp_path / "forks"))
    )
    assert continued == every and len(every) == 5
    assert {nimg: forked[nimg] == every[nimg] for nimg in forked} == {nimg: nimg <= 64 for nimg in forked}
    (snapshot,) = run_dir.glob("network-snapshot-*")  # the last one of the first thousand images
    kept = keras.models.load_model(snapshot / "G_ema.keras")
    assert kept.get_config()["num_fp16_res"] == 1 and computes_in_half(kept)
    assert not any(computes_in_half(network) for network in sg_keras.load(snapshot).values())
    events = EventAccumulator(str(run_dir))
    events.Reload()
    seen = [float(tf.make_ndarray(s.tensor_proto)) for s in events.Tensors("Schedule/num_fp16_res")]
    assert (seen[0], seen[-1]) == (0, 1)
    log = (run_dir / "log.txt").read_text(encoding="utf-8")
    assert "bfloat16 at the highest resolutions (never 4x4), so many: 0; 1 from 0.064" in log
    assert "Frozen at kimg 0.064: d:first1 from 0.064kimg" in log


@pytest.mark.long
def test_every_schedule_is_followed(image_folder, tmp_path):
    model = build_stylegan(tiny_config(image_folder, tmp_path, **EVERYTHING))
    seen = [values(model), *iterations(model, image_folder, 3)]
    steps = [changed(*pair) for pair in itertools.pairwise(seen)]
    of_g = {f"G/{v.path.removeprefix('G/')}" for v in model.G.trainable_variables}
    assert of_g & set(seen[0]) and not of_g & steps[0]  # a rate of 0
    assert of_g & steps[1]
    assert [("pl_mean" in step) for step in steps] == [True, False, False]  # a weight of 0: it does not run
    assert [float(state["augment_p"]) for state in seen] == [0.0, 0.0, 0.25, 0.5]
    assert float(model.g_optimizer.learning_rate) == pytest.approx(2e-3 / 2)  # of the third; lazy: k = 1
    assert float(model.d_optimizer.learning_rate) == pytest.approx(1e-3 * 16 / 17)


@pytest.mark.long
def test_a_schedule_of_one_value_is_that_value(image_folder, tmp_path):
    plain = build_stylegan(tiny_config(image_folder, tmp_path, beta2=0.99, glr=0.002))
    text = build_stylegan(tiny_config(image_folder, tmp_path, beta2="0.99; 0.5 from 100", glr="2e-3; 1 from 100"))
    for one, other in zip(iterations(plain, image_folder, 2), iterations(text, image_folder, 2), strict=True):
        assert changed(one, other) == set()


@pytest.mark.long
def test_a_fork_with_another_future_keeps_the_past(image_folder, finished_run, tmp_path):
    """The finished run has constants; the fork begins at 64 images and changes its rates at 100."""
    future = {"glr": "0.002; 0.0005 from 0.1", "gamma": "0.1; 1 from 0.1"}
    config = tiny_config(image_folder, tmp_path, **future)
    request = ResumeRequest(path=str(finished_run), kind="run_dir", tick=2, fork=True)
    assert run(config, request) == 0
    (fork,) = tmp_path.iterdir()
    mine, parents = (
        {checkpoint_fingerprint(prefix)[0]: checkpoint_fingerprint(prefix)[1] for prefix in saved_checkpoints(place)}
        for place in (fork / "checkpoints", finished_run / "checkpoints")
    )
    shared = sorted(set(mine) & set(parents))
    assert [mine[nimg] == parents[nimg] for nimg in shared] == [nimg <= 100 for nimg in shared]
    assert {nimg <= 100 for nimg in shared} == {True, False}
    saved = json.loads((fork / "training_config.json").read_text(encoding="utf-8"))
    assert saved["optimizer"]["g_lr"] == "0.002; 0.0005 from 0.1"
    assert np.isclose(saved["optimizer"]["d_lr"], 0.002)
