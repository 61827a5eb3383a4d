"""Values that change over a run, in training: each is followed, and a fork with another future keeps the past."""

import itertools
import json

import numpy as np
import pytest

from sg_keras.checkpoint import checkpoint_fingerprint
from sg_keras.checkpoint.manager import saved_checkpoints
from sg_keras.config import ResumeRequest
from sg_keras.training.run import run
from sg_keras.training.step.stylegan import build_stylegan
from tests.training.test_freeze import changed, iterations, values
from tests.training.tiny_run import tiny_config

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
