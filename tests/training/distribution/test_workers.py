"""Two workers share a run: two processes on the loopback interface."""

import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import numpy as np
import pytest

from sg_keras.checkpoint import SavedState, StartingPoint, checkpoint_fingerprint
from sg_keras.checkpoint.manager import saved_checkpoints
from sg_keras.tools import calc_metrics
from sg_keras.training.distribution import workers
from tests.training.tiny_run import ROOT, command, only_run, tiny_config

OPTIONS = [
    "--batch-gpu=4",
    "--aug=ada",
    "--ada_kimg=0.1",
    "--ops=reference",
    "--tick=0.032",
    "--snap=1",
    "--image_snap=4",
    "--metrics=kd300,authpct30",
    "--features=boxes",
    "--metrics_ticks=4",
    "--metrics_share=1",
]
LENGTH, NIMG = 0.256, 256  # kimg, 32 iterations: a multiple of EVERY_STOP
LARGEST_DIFFERENCE = 2e-5  # threads are shared out in another way, and sums rounded
WITHIN = 60.0  # seconds in which a worker notices that another was killed
LONGEST = 1800.0


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(
    image_folder: pathlib.Path, outdir: pathlib.Path, *words: str, by_tf_config: bool = False
) -> list[subprocess.Popen]:
    """Both workers of a run, the chief first."""
    hosts = [f"127.0.0.1:{port}" for port in free_ports(2)]
    processes = []
    for index in range(2):
        cache = {"SG_KERAS_CACHE": str(outdir.parent / f"cache-{index}")}
        environment = {**os.environ, **cache, "TF_CPP_MIN_LOG_LEVEL": "3"}
        own = [f"--workers_hosts={','.join(hosts)}", f"--worker_index={index}"]
        if by_tf_config:
            task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
            environment["TF_CONFIG"], own = json.dumps(task), []
        line = command(image_folder, outdir, *OPTIONS, f"--kimg={LENGTH}", *own, *words)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        processes.append(subprocess.Popen(line, cwd=ROOT, env=environment, **pipes))
    return processes


def finish(processes: list[subprocess.Popen], expected: int = 0) -> list[str]:
    """Wait for the end of both; what they printed."""
    outputs = [process.communicate(timeout=LONGEST)[0] for process in processes]
    assert [process.returncode for process in processes] == [expected] * len(processes), "\n".join(outputs)
    return outputs


def newest(outdir: pathlib.Path) -> pathlib.Path:
    return saved_checkpoints(only_run(outdir) / "checkpoints")[-1]


@pytest.fixture(scope="module")
def uninterrupted(image_folder, tmp_path_factory):
    """Output directory of a whole run on two workers, and what they printed."""
    outdir = tmp_path_factory.mktemp("workers") / "whole"
    return outdir, finish(start(image_folder, outdir, by_tf_config=True))


def test_each_worker_reads_its_own_copy_of_the_data(image_folder, tmp_path, monkeypatch):
    """The chief's configuration counts, but for where the images lie; run() compares their fingerprint."""
    chiefs, own = (tiny_config(folder, tmp_path) for folder in (image_folder, tmp_path / "scratch"))
    chiefs = dataclasses.replace(chiefs, seed=7)
    facts = {"config": chiefs.to_json(), "checkpoint": None, "nimg": 0, "sec": 0.0}
    monkeypatch.setattr(workers, "broadcast_text", lambda strategy, text: json.dumps(facts))
    config = workers.broadcast_start(None, StartingPoint(own)).config
    assert (config.seed, config.dataset.path) == (7, str(tmp_path / "scratch"))


@pytest.mark.long
def test_one_writes_and_both_train(uninterrupted):
    outdir, (chief, other) = uninterrupted
    assert "TF_CONFIG names 2 workers, which share the run; this is number 1" in other
    assert f"Done: {LENGTH} of {LENGTH} kimg" in chief and f"Left at {LENGTH} of {LENGTH} kimg" in other
    assert "tick 7" in chief and "tick 7" not in other
    assert SavedState(newest(outdir)).nimg == NIMG
    run_dir = only_run(outdir)
    assert "-gpus0-batch8-" in run_dir.name
    assert (run_dir / "fakes000000.png").is_file() and len((run_dir / "stats.jsonl").read_text().splitlines()) == 9


@pytest.mark.long
def test_both_see_the_images_of_scores_that_the_tool_finds_again(uninterrupted, capsys, monkeypatch):
    outdir, outputs = uninterrupted
    run_dir = only_run(outdir)
    caches = [outdir.parent / f"cache-{index}" for index in range(2)]
    kept = [{path.name for path in cache.rglob("*.npy")} for cache in caches]
    # Of the reals, and at two snapshots of 300 fakes each, in two blocks.
    assert kept[0] == kept[1] and len(kept[0]) == 5
    assert not any("alone" in output for output in outputs)
    rows = [json.loads(line) for line in (run_dir / "metric-kd300.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["nimg"] for row in rows] == [136, 256]
    monkeypatch.setenv("SG_KERAS_CACHE", str(outdir.parent / "cache-of-the-tool"))
    words = [f"--network={run_dir}", "--metrics=kd300", "--features=boxes", "--ops=reference", "--json"]
    assert calc_metrics.main(words) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["kd300"]
    # Threads are shared out in another way: rounding may move a pixel by one.
    assert found["value"] == pytest.approx(rows[-1]["results"]["kd300_boxes"], rel=1e-4)


@pytest.mark.long
def test_two_workers_are_two_devices(uninterrupted, image_folder, tmp_path):
    words = [word for word in OPTIONS if not word.startswith("--image")]
    line = command(image_folder, tmp_path, *words, f"--kimg={LENGTH}", "--cpu_devices=2")
    subprocess.run(line, cwd=ROOT, check=True, capture_output=True, timeout=LONGEST)
    together, apart = (SavedState(newest(outdir)) for outdir in (tmp_path, uninterrupted[0]))
    assert together.names() == apart.names()
    expected, found = dict(together.values()), dict(apart.values())
    differences = [
        np.max(np.abs(found[name] - np.asarray(value, np.float64)), initial=0) for name, value in expected.items()
    ]
    assert max(differences) < LARGEST_DIFFERENCE


def wait_for_checkpoint(outdir: pathlib.Path, number: int, processes: list[subprocess.Popen]) -> None:
    while not (outdir.is_dir() and list(outdir.glob(f"0*/checkpoints/ckpt-{number}.index"))):
        assert all(process.poll() is None for process in processes), finish(processes)
        time.sleep(0.05)


def end_of_the_other(processes: list[subprocess.Popen], lost: int) -> None:
    """See that one worker notices in time that the other is lost."""
    lost_at = time.monotonic()
    output = processes[1 - lost].communicate(timeout=LONGEST)[0]
    assert time.monotonic() - lost_at < WITHIN
    assert processes[1 - lost].returncode == 1, output
    assert f"Error: worker {1 - lost} (127.0.0.1:" in output and "lost another of the 2 workers" in output


@pytest.mark.long
def test_a_killed_chief_ends_the_other_and_the_run_goes_on_exactly(uninterrupted, image_folder, tmp_path):
    outdir = tmp_path / "killed"
    processes = start(image_folder, outdir)
    wait_for_checkpoint(outdir, 2, processes)
    processes[0].send_signal(signal.SIGKILL)
    end_of_the_other(processes, lost=0)
    processes[0].communicate()
    assert SavedState(newest(outdir)).nimg < NIMG
    finish(start(image_folder, outdir, "--resume=latest"))
    assert checkpoint_fingerprint(newest(outdir)) == checkpoint_fingerprint(newest(uninterrupted[0]))


@pytest.mark.long
def test_a_frozen_machine_ends_the_chief(image_folder, tmp_path):
    outdir = tmp_path / "frozen"
    processes = start(image_folder, outdir, "--kimg=100")
    wait_for_checkpoint(outdir, 1, processes)
    processes[1].send_signal(signal.SIGSTOP)
    try:
        end_of_the_other(processes, lost=1)
    finally:
        processes[1].kill()
        processes[1].communicate()


@pytest.mark.long
def test_a_signal_to_one_machine_stops_both(image_folder, tmp_path):
    outdir = tmp_path / "stopped"
    processes = start(image_folder, outdir, "--kimg=100")
    wait_for_checkpoint(outdir, 1, processes)
    processes[1].send_signal(signal.SIGTERM)
    chief, _ = finish(processes)
    assert "Stopped by another worker at" in chief
    assert SavedState(newest(outdir)).nimg % 8 == 0
