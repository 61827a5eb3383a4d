"""A run goes on with other devices, or with other micro-batches, which it says."""

import dataclasses
import json

import numpy as np
import pytest

from sg_keras.checkpoint import SavedState, find_start
from sg_keras.config import ResumeRequest
from sg_keras.training.run import run
from tests.training.tiny_run import command, finish, only_run, tiny_config

BATCH_GPU = 4  # two micro-batches
ADAM_STEP = 2e-3  # about, of a weight
# Root mean square over all weights, in such steps. Another order of sums makes it 0.003 at most; one activation that it
# takes across its kink moves some tensors, by a hundredth of a step; where a micro-batch is lost it is about 1.
LARGEST_DIFFERENCE = 0.05


def config_of(image_folder, outdir, kimg=0.16, **options):
    return tiny_config(image_folder, outdir, run={"total_kimg": kimg, "sample_grid": (3, 2)}, **options)


@pytest.mark.long
@pytest.mark.rounding
def test_one_device_then_two_then_one_again(image_folder, tmp_path):
    throughout, elastic = tmp_path / "throughout", tmp_path / "elastic"
    assert run(config_of(image_folder, throughout, batch_gpu=BATCH_GPU)) == 0
    assert run(config_of(image_folder, elastic, kimg=0.056, batch_gpu=BATCH_GPU)) == 0
    lengths = ("--ops=reference", "--kimg=0.104", "--tick=0.032", "--snap=2")
    finish(command(image_folder, elastic, *lengths, "--cpu_devices=2", "--resume=latest"))  # micro-batches as before
    run_dir = only_run(elastic)
    config = json.loads((run_dir / "training_config.json").read_text(encoding="utf-8"))
    assert (config["cpu_devices"], config["batch_gpu"]) == (2, BATCH_GPU)
    assert run(config_of(image_folder, elastic), ResumeRequest("latest", str(elastic))) == 0
    config = json.loads((run_dir / "training_config.json").read_text(encoding="utf-8"))
    assert (config["cpu_devices"], config["batch_gpu"]) == (1, BATCH_GPU)
    log = (run_dir / "log.txt").read_text(encoding="utf-8")
    assert "Continuing on 2 CPU devices instead of 1 CPU device, with the same micro-batches" in log
    assert "Continuing on 1 CPU device instead of 2 CPU devices, with the same micro-batches" in log

    one, other = (SavedState(path / "checkpoints" / "ckpt-5") for path in (only_run(throughout), run_dir))
    assert one.names() == other.names() and one.nimg == other.nimg == 160
    weights = [name for name in one.names() if name.startswith(("G/", "D/", "G_ema/"))]
    differences = np.concatenate([np.ravel(one.value(name) - other.value(name)) for name in weights])
    assert np.sqrt(np.mean(np.square(differences))) < LARGEST_DIFFERENCE * ADAM_STEP


@pytest.mark.parametrize("typed", [False, True])
def test_other_micro_batches(image_folder, finished_run, typed):
    """The run had one micro-batch of 8."""
    config = config_of(image_folder, finished_run.parent, batch_gpu=BATCH_GPU)
    start = find_start(config, ResumeRequest("run_dir", str(finished_run), 4, batch_gpu_typed=typed))
    assert start.config.batch_gpu == (BATCH_GPU if typed else 8)
    told = [note for note in start.notes if "Continuing with micro-batches of 4 images instead of 8" in note]
    assert len(told) == typed


def test_the_runs_micro_batches_are_kept_where_they_fit_alone(image_folder, finished_run):
    config = config_of(image_folder, finished_run.parent, cpu_devices=2)
    start = find_start(config, ResumeRequest("run_dir", str(finished_run), 4))
    assert (start.config.cpu_devices, start.config.batch_gpu) == (2, 4)
    assert "minibatch standard deviation" in start.notes[0]


def test_a_gamma_that_was_not_asked_for_is_the_runs(image_folder, finished_run):
    """The run had 0.1."""
    config = config_of(image_folder, finished_run.parent, gamma=7.0)
    request = ResumeRequest("run_dir", str(finished_run), 4, auto_gamma=True)
    assert find_start(config, request).config.loss.r1_gamma == 0.1
    assert find_start(config, dataclasses.replace(request, fork=True)).config.loss.r1_gamma == 7
    with pytest.raises(ValueError, match=r"(?s)would alter the run.*--gamma"):
        find_start(config, dataclasses.replace(request, auto_gamma=False))
