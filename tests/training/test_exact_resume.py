"""Runs that are killed and continued end in the same bits as runs that are not. Those that are killed are processes of
their own; the long version is examples/kill_and_resume.py. One without augmentation is killed in test_freeze.py."""

import pathlib
import random
import signal
import subprocess
import time

import pytest

from sg_keras.checkpoint import checkpoint_fingerprint
from sg_keras.checkpoint.manager import saved_checkpoints
from tests.training.tiny_run import command, finish_here, only_run, start

CHECKPOINTS = ("--tick=0.04", "--snap=1", "--image_snap=100")  # one every 5 iterations


def end(process: subprocess.Popen, number: signal.Signals) -> tuple[int, str]:
    """Send a signal. Returns exit status and what was written to stderr, start-up notes of TensorFlow aside."""
    process.send_signal(number)
    errors = process.communicate(timeout=1800)[1].splitlines()
    return process.returncode, "\n".join(line for line in errors if "port.cc" not in line and "absl::" not in line)


def final_fingerprint(outdir: pathlib.Path) -> tuple[int, str]:
    return checkpoint_fingerprint(saved_checkpoints(only_run(outdir) / "checkpoints")[-1])


def wait_for_tick(process: subprocess.Popen, outdir: pathlib.Path, lines_before: int, more: int) -> None:
    """Wait until a process has printed more status lines than there were."""
    deadline = time.monotonic() + 240
    while len(status_lines(outdir)) < lines_before + more:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def status_lines(outdir: pathlib.Path) -> list[str]:
    lines = [line for log in outdir.glob("*/log.txt") for line in log.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line.startswith("tick ")]


SCHEDULES = ("--glr=cosine 2e-3..1e-3 over 0.4", "--beta2=0.9; 0.99 from 0.2", "--target=0.6; 0.3 from 0.3")
ADA = (
    "--aug=ada",
    "--ada_kimg=0.2",
    "--ada_interval=3",
    *SCHEDULES,
)  # p moves by 0.12 every 3 iterations, ticks are of 5

STYLEGAN3 = ("--cfg=stylegan3-r",)  # with magnitudes, and the blur before D


@pytest.mark.long
@pytest.mark.parametrize(
    ("impl", "options", "ticks"),
    [pytest.param("custom", ADA, 15, id="ada"), pytest.param("reference", STYLEGAN3, 10, id="stylegan3-r")],
    indirect=["impl"],
)  # runs take long enough
def test_killed_runs_end_in_the_same_bits(impl, options, ticks, image_folder, tmp_path):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    kimg = f"{ticks * 0.04:g}"
    words = (f"--ops={impl}", f"--kimg={kimg}", *options, *CHECKPOINTS)
    finish_here(command(image_folder, undisturbed, *words))
    again = command(image_folder, killed, "--resume=latest", *words)  # also where there is no run yet

    process = start(again)
    wait_for_tick(process, killed, 0, 3)
    time.sleep(random.uniform(0, 0.3))
    assert end(process, signal.SIGKILL) == (-signal.SIGKILL, "")

    process = start(again)
    wait_for_tick(process, killed, len(status_lines(killed)), 2)
    assert end(process, signal.SIGTERM) == (0, "")
    log = (only_run(killed) / "log.txt").read_text(encoding="utf-8").splitlines()
    assert log[-1].startswith("Stopped by SIGTERM at ")
    assert log[-1].endswith(f"; to go on: the same command with --resume={only_run(killed)}")
    saved = saved_checkpoints(only_run(killed) / "checkpoints")[-1]
    assert f"at {checkpoint_fingerprint(saved)[0] / 1000:g} of {kimg} kimg" in log[-1]  # nothing is lost

    finish_here(again)
    assert final_fingerprint(killed) == final_fingerprint(undisturbed)
    assert final_fingerprint(killed)[0] == ticks * 40
    stats = (only_run(killed) / "stats.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(stats) == ticks + 1  # each tick once


def test_interrupts_exit_cleanly(image_folder, tmp_path):
    process = start(command(image_folder, tmp_path / "runs", "--ops=reference", "--kimg=100", "--tick=0.04"))
    wait_for_tick(process, tmp_path / "runs", 0, 2)
    assert end(process, signal.SIGINT) == (0, "")
