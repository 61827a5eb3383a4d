"""The practice report's recipe for L, a thousand times as short, on the digits: killed in the middle, and continued."""

import itertools
import pathlib
import signal
import sys

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.test_exact_resume import end, status_lines, wait_for_tick
from tests.training.tiny_run import ROOT, finish_here, only_run, start

#: Beside the recipe: tiny networks on a CPU, and an iteration of 512 images, lest it be 800 of them.
TINY = ("--gpus=0", "--batch=512", "--cbase=64", "--cmax=2", "--z-dim=8", "--w-dim=8", "--map-depth=2")
OFTEN = ("--tick=2.5", "--snap=1", "--image_snap=100", "--sample-grid=4x4", "--metrics=none")


def scalars(run_dir: pathlib.Path, name: str) -> list[tuple[int, float]]:
    """Thousands of images and values of a schedule that TensorBoard shows, in their order."""
    events = EventAccumulator(str(run_dir), size_guidance={"tensors": 0}).Reload()
    found = {event.step: float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors(f"Schedule/{name}")}
    return sorted(found.items())


@pytest.mark.long
def test_the_recipe_for_l_runs_in_short_over_a_kill(tmp_path):
    words = ["--recipe=practice-l", "--schedule_scale=0.001", "--data=digits", f"--outdir={tmp_path}", *TINY, *OFTEN]
    again = [sys.executable, str(ROOT / "run_training.py"), *words, "--resume=latest"]
    process = start(again)
    wait_for_tick(process, tmp_path, 0, 6)  # past the first change of rates, at 10 kimg
    assert end(process, signal.SIGKILL) == (-signal.SIGKILL, "")
    finish_here(again)
    run_dir = only_run(tmp_path)
    assert "Done: 25.088 of 25 kimg" in (run_dir / "log.txt").read_text(encoding="utf-8")
    assert len(status_lines(tmp_path)) >= 11
    for name, values in {
        "g_lr": [2e-3, 2e-4, 1e-4],
        "d_lr": [2e-3, 2e-4],  # twice G's in the end
        "r1_gamma": [10, 5],
    }.items():
        shown = [value for value, _ in itertools.groupby(value for _, value in scalars(run_dir, name))]
        assert shown == pytest.approx(values), name
