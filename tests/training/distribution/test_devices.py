"""Several devices in one process, and where there are fewer than asked for."""

import json
import os
import re
import subprocess
import sys

import pytest
import tensorflow as tf

from sg_keras.training.distribution.devices import make_strategy
from tests.training.tiny_run import ROOT, tiny_config

STYLEGAN3 = {"cfg": "stylegan3-t"}
# StyleGAN3's magnitudes: replicas move them from one value, and the mean is kept; one replica moves them in its rounds
# one after another.
LARGEST_DIFFERENCE = 1e-12  # in float64; a step of Adam is 2e-3
# By definition of the magnitudes, not by rounding: what can be is that Adam's early steps, which are almost signs, go
# opposite ways in each of five iterations of 2.5e-3. A fault in exchanging goes on growing with the gradients' scale.
LARGEST_DIFFERENCE_STYLEGAN3 = 2 * 5 * 2.5e-3


@pytest.fixture(
    scope="module",
    params=[
        pytest.param({}, id="stylegan2", marks=pytest.mark.long),
        pytest.param(STYLEGAN3, id="stylegan3", marks=pytest.mark.long),
    ],
)
def two_replicas(request, image_folder, tmp_path_factory):
    """What tests/training/two_replicas.py prints."""
    words = [
        sys.executable,
        "-m",
        "tests.training.two_replicas",
        str(image_folder),
        str(tmp_path_factory.mktemp("two")),
    ]
    words.append(json.dumps(request.param))
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, capture_output=True, text=True, timeout=1800
    )
    assert done.returncode == 0, done.stderr
    return {"options": request.param, **json.loads(done.stdout.splitlines()[-1])}


@pytest.mark.rounding
def test_two_replicas_and_one_give_the_same_weights(two_replicas):
    assert two_replicas["replicas"] == [2, 1] and two_replicas["rounds"] == [1, 2]
    assert two_replicas["same_names"]
    is_stylegan3 = two_replicas["options"] == STYLEGAN3
    allowed = LARGEST_DIFFERENCE_STYLEGAN3 if is_stylegan3 else LARGEST_DIFFERENCE
    assert two_replicas["largest_difference"] < allowed
    on_two, on_one = two_replicas["statistics"]
    assert on_two["num"] == on_one["num"] and on_two["mean"] == pytest.approx(
        on_one["mean"], rel=1e-5 if is_stylegan3 else 1e-12
    )


def test_micro_batches_go_round(two_replicas):
    assert two_replicas["shares"] == [[0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]]


def test_checkpoints_of_two_replicas(two_replicas):
    assert two_replicas["saved_all"] and two_replicas["saved_as_it_is"] and two_replicas["restored_goes_on_the_same"]


def test_replay_on_two_replicas(two_replicas):
    # StyleGAN3's fresh D hands its last layers less, so that their outputs just stay finite; which gradient overflows
    # first depends on rounding.
    in_stylegan3 = r"first in the gradient of D/\S+, all layers' outputs are finite"
    is_stylegan3 = two_replicas["options"] == STYLEGAN3
    expected = in_stylegan3 if is_stylegan3 else "first in the output of layer D/b4/fc"
    assert re.fullmatch(expected, two_replicas["culprit"])


def test_more_gpus_than_there_are(image_folder, tmp_path):
    there = len(tf.config.list_physical_devices("GPU"))
    config = tiny_config(image_folder, tmp_path, gpus=there + 1, batch=4 * (there + 1))
    with pytest.raises(ValueError, match=f"--gpus: found {there + 1}, expected at most {there}"):
        make_strategy(config)
