"""Runs that are killed and continued end in the same bits as runs that are not. Real processes; the long version is
examples/kill_and_resume.py."""

import pathlib
import random
import signal
import subprocess
import time

import pytest

from sg_keras.checkpoint import checkpoint_fingerprint
from sg_keras.checkpoint.manager import saved_checkpoints
from tests.training.tiny_run import command, finish, only_run, start

LENGTH = ("--kimg=0.6", "--tick=0.04", "--snap=1", "--image_snap=100")  # 75 iterations, a checkpoint every 5
TICKS = 15


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


ADA = ("--aug=ada", "--ada_kimg=0.2", "--ada_interval=3")  # p moves by 0.12 every 3 iterations, ticks are of 5

STYLEGAN3 = ("--cfg=stylegan3-r",)  # with magnitudes, and the blur before D


@pytest.mark.long
@pytest.mark.parametrize("options", [(), ADA, STYLEGAN3], ids=["noaug", "ada", "stylegan3-r"])
def test_killed_runs_end_in_the_same_bits(impl, options, image_folder, tmp_path):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    finish(command(image_folder, undisturbed, f"--ops={impl}", *options, *LENGTH))
    # Also where there is no run yet.
    again = command(image_folder, killed, f"--ops={impl}", "--resume=latest", *options, *LENGTH)

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
    assert f"at {checkpoint_fingerprint(saved)[0] / 1000:g} of 0.6 kimg" in log[-1]  # nothing is lost

    finish(again)
    assert final_fingerprint(killed) == final_fingerprint(undisturbed)
    assert final_fingerprint(killed)[0] == 600
    stats = (only_run(killed) / "stats.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(stats) == TICKS + 1  # each tick once


def test_interrupts_exit_cleanly(image_folder, tmp_path):
    process = start(command(image_folder, tmp_path / "runs", "--ops=reference", "--kimg=100", "--tick=0.04"))
    wait_for_tick(process, tmp_path / "runs", 0, 2)
    assert end(process, signal.SIGINT) == (0, "")
