"""What befalls a run from outside, really done: full and read-only disks, damaged files, closed pipes, signals."""

import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest

from sg_keras.checkpoint import checkpoint_fingerprint
from sg_keras.checkpoint.manager import saved_checkpoints
from sg_keras.config import ResumeRequest
from sg_keras.data import DataError
from sg_keras.training.run import run
from sg_keras.training.run_directory import create_run_directory, exclusive_lock
from tests.training.tiny_run import ROOT, command, only_run, tiny_config

LENGTH = ("--ops=reference", "--kimg=0.16", "--tick=0.032", "--snap=1", "--image_snap=100")
LONGEST_SEC = 120


def faulty(fault: str, arguments: list[str]) -> list[str]:
    """A command line of `command` with a fault."""
    return [sys.executable, "-m", "tests.training.faulty_run", fault, *arguments[2:]]


def run_command(arguments: list[str], **environment: str) -> subprocess.CompletedProcess:
    everything = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    return subprocess.run(arguments, cwd=ROOT, env=everything, capture_output=True, text=True, timeout=LONGEST_SEC)


def said(errors: str) -> list[str]:
    """What was written to stderr, start-up notes of TensorFlow aside."""
    return [line for line in errors.splitlines() if "port.cc" not in line and "absl::" not in line]


def log_of(run_dir: pathlib.Path) -> str:
    return (run_dir / "log.txt").read_text(encoding="utf-8")


def ticks_saved(run_dir: pathlib.Path) -> list[int]:
    return [int(prefix.name.partition("-")[2]) for prefix in saved_checkpoints(run_dir / "checkpoints")]


def last_state(run_dir: pathlib.Path) -> tuple[int, str]:
    return checkpoint_fingerprint(saved_checkpoints(run_dir / "checkpoints")[-1])


def can_mount() -> bool:
    """Whether a file system of our own can be mounted where nobody else sees it."""
    words = ["unshare", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    try:
        return subprocess.run(words, capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.mark.long
def test_an_error_ends_the_process_though_images_are_being_read(image_folder, tmp_path):
    """It used to hang: the pipeline's threads waited for Python, which waited for them at its end."""
    done = run_command(faulty("raise_while_reading", command(image_folder, tmp_path / "runs", *LENGTH)))
    assert done.returncode == 1
    assert said(done.stderr)[-1] == "RuntimeError: the fault of the test"
    assert "RuntimeError: the fault of the test" in log_of(only_run(tmp_path / "runs"))


def test_a_stop_ends_the_process_though_images_are_being_read(image_folder, tmp_path):
    done = run_command(faulty("stop_while_reading", command(image_folder, tmp_path / "runs", *LENGTH)))
    assert (done.returncode, said(done.stderr)) == (0, [])
    assert last_state(only_run(tmp_path / "runs"))[0] == 56


@pytest.mark.long
@pytest.mark.skipif(not can_mount(), reason="no mount namespaces here; see the test with a limit on files")
def test_a_full_disk_and_one_that_became_read_only(image_folder, finished_run, tmp_path):
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    words = command(image_folder, disk / "runs", *LENGTH)
    script = f"""
        mount -t tmpfs -o size=4m tmpfs {disk}
        {shlex.join(faulty("fill_disk", words))} > /dev/null 2> {tmp_path}/full.txt; echo full $?
        ls -a {disk}/runs/*/checkpoints
        rm {disk}/filler
        {shlex.join([*words, "--resume=latest"])} > /dev/null; echo continued $?
        cp -r {disk}/runs {kept}
        mount -o remount,ro {disk}
        {shlex.join([*words, "--resume=latest", "--kimg=1"])} > /dev/null 2> {tmp_path}/readonly.txt; echo read-only $?
        """
    done = run_command(["unshare", "--map-root-user", "--mount", "sh", "-c", script], FILLER=f"{disk}/filler")
    lines = done.stdout.splitlines()
    assert [lines[0], *lines[-2:]] == ["full 1", "continued 0", "read-only 1"], done.stderr
    assert {line for line in lines if line.startswith("ckpt-")} == {
        f"ckpt-{tick}.{kind}" for tick in (0, 1) for kind in ("index", "json", "data-00000-of-00001")
    }
    (error,) = said((tmp_path / "full.txt").read_text(encoding="utf-8"))
    assert re.match(
        r"Error: --outdir: .*: found .*No space left.*, expected .* goes on from its last whole checkpoint, ckpt-1$",
        error,
    )
    run_dir = only_run(kept)
    assert last_state(run_dir) == last_state(finished_run)  # to the same bits as if nothing had happened
    (error,) = said((tmp_path / "readonly.txt").read_text(encoding="utf-8"))
    assert re.match(r"Error: --\w+: .*: found .*Read-only file system.*, expected ", error)


def test_files_that_cannot_grow(image_folder, tmp_path):
    done = run_command(faulty("limit_files", command(image_folder, tmp_path / "runs", *LENGTH)))
    assert done.returncode == 1
    (error,) = said(done.stderr)
    run_dir = only_run(tmp_path / "runs")
    assert error.startswith(f"Error: --outdir: {run_dir}/checkpoints/ckpt-2: found that files must not grow so large")
    assert error.endswith(f"--resume={run_dir} goes on from its last whole checkpoint, ckpt-1")
    assert ticks_saved(run_dir) == [0, 1] and not list(run_dir.glob("checkpoints/ckpt-2*"))


def test_an_output_directory_that_cannot_be_written(image_folder, tmp_path, monkeypatch):
    def refuse(path, *args, **kwargs):
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(pathlib.Path, "mkdir", refuse)
    with pytest.raises(OSError, match=r"--outdir: .*runs: found a file system that can only be read \(Read-only fi"):
        create_run_directory(tiny_config(image_folder, tmp_path / "runs"))


def test_nobody_reads_and_the_scheduler_wants_the_machine_back(image_folder, tmp_path):
    """stdout is closed after its first line (`| head -1`); then SIGTERM, as before a pre-emption."""
    words = command(image_folder, tmp_path / "runs", "--ops=reference", "--kimg=100", "--tick=0.04")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen(
        words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    deadline = time.monotonic() + LONGEST_SEC
    while not any("tick 3 " in log_of(log.parent) for log in (tmp_path / "runs").glob("*/log.txt")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    with process.stderr:
        errors = process.stderr.read()
    assert (process.wait(LONGEST_SEC), said(errors)) == (0, [])
    assert time.monotonic() - asked < 60
    run_dir = only_run(tmp_path / "runs")
    lines = log_of(run_dir).splitlines()
    assert "tick 0" in "\n".join(lines) and "Generator G" in "\n".join(lines)  # all of it is there
    assert lines[-1].startswith(f"Stopped by SIGTERM at {last_state(run_dir)[0] / 1000:g} of 100 kimg")


@pytest.fixture
def copied_run(finished_run, tmp_path):
    """A copy of the finished run, with checkpoints of ticks 2, 4 and 5."""
    run_dir = tmp_path / finished_run.name
    shutil.copytree(finished_run, run_dir)
    return run_dir


def test_damaged_checkpoints_are_passed_over_and_the_run_ends_in_the_same_bits(image_folder, finished_run, copied_run):
    five, four = (copied_run / "checkpoints" / f"ckpt-{tick}.data-00000-of-00001" for tick in (5, 4))
    five.write_bytes(five.read_bytes()[:-100])
    content = bytearray(four.read_bytes())
    content[len(content) // 2] ^= 1  # a single bit
    four.write_bytes(content)
    assert run(tiny_config(image_folder, copied_run.parent), ResumeRequest("latest", str(copied_run.parent))) == 0
    log = log_of(copied_run)
    for tick in (5, 4):
        assert re.search(rf"WARNING: .*ckpt-{tick}: found a damaged or incomplete checkpoint .*; going back", log)
    assert "Continuing from " in log and "ckpt-2 at kimg 0.072" in log
    assert last_state(copied_run) == last_state(finished_run)


def test_a_second_process_in_a_run_directory_is_refused(image_folder, copied_run):
    before = {path: path.stat().st_mtime_ns for path in copied_run.rglob("*")}
    config = tiny_config(image_folder, copied_run.parent, run={"total_kimg": 1.0})
    with exclusive_lock(copied_run), pytest.raises(OSError, match="found another process training in it"):
        run(config, ResumeRequest("run_dir", str(copied_run)))
    assert {path: path.stat().st_mtime_ns for path in copied_run.rglob("*")} == before


@pytest.mark.long
@pytest.mark.parametrize("policy", ["stop", "skip"])
def test_a_bad_image_in_the_midst_of_an_epoch(image_folder, tmp_path, policy):
    damaged = tmp_path / "noise"
    shutil.copytree(image_folder, damaged)
    for number in (11, 12):
        content = bytearray((damaged / f"{number}.png").read_bytes())
        content[content.index(b"IDAT") + 6] ^= 255
        (damaged / f"{number}.png").write_bytes(content)
    words = {"total_kimg": 0.048, "tick_kimg": 0.008, "sample_grid": (1, 1)}
    config = tiny_config(damaged, tmp_path / "runs", run=words, on_bad_image=policy)
    if policy == "stop":
        with pytest.raises(DataError, match=r"noise/1[12]\.png: found a damaged image"):
            run(config)
        assert log_of(only_run(tmp_path / "runs")).splitlines()[-1].startswith(f"Error: {damaged}/1")
        return
    assert run(config) == 0
    run_dir = only_run(tmp_path / "runs")
    named = re.findall(r"Note: bad image (\d): .*noise/(1[12])\.png: found .*; the next", log_of(run_dir))
    assert [number for number, _ in named] == ["1", "2"] and {name for _, name in named} == {"11", "12"}
    expected = last_state(run_dir)
    for tick in ticks_saved(run_dir)[1:]:  # as if it had been killed after its first checkpoint
        for path in run_dir.glob(f"checkpoints/ckpt-{tick}.*"):
            path.unlink()
    assert run(config, ResumeRequest("latest", str(tmp_path / "runs"))) == 0
    assert last_state(run_dir) == expected
