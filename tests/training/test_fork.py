"""--fork: a new run from the exact state of another, with options changed."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from sg_keras.checkpoint import SavedState, checkpoint_fingerprint, find_start
from sg_keras.checkpoint.manager import saved_checkpoints
from sg_keras.config import ResumeRequest, TrainingConfig
from sg_keras.training.run import run
from sg_keras.weights.snapshot import newest_snapshot
from tests.training.tiny_run import only_run, tiny_config

AT_TICK_2 = {"kind": "run_dir", "tick": 2, "fork": True}


def fork_of(finished_run, outdir, config):
    """Fork the finished run at its tick 2 and train to the end. Returns the new run directory."""
    assert run(config, ResumeRequest(path=str(finished_run), **AT_TICK_2)) == 0
    (run_dir,) = outdir.iterdir()
    return run_dir


def states(run_dir):
    return [SavedState(prefix) for prefix in saved_checkpoints(run_dir / "checkpoints")]


def test_with_the_same_options_it_ends_in_the_same_bits(image_folder, finished_run, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in finished_run.rglob("*")}
    run_dir = fork_of(finished_run, tmp_path, tiny_config(image_folder, tmp_path))
    checkpoints = [folder / "checkpoints" / "ckpt-5" for folder in (run_dir, finished_run)]
    assert checkpoint_fingerprint(checkpoints[0]) == checkpoint_fingerprint(checkpoints[1])
    parent = json.loads((run_dir / "parent.json").read_text(encoding="utf-8"))
    nimg, digest = checkpoint_fingerprint(finished_run / "checkpoints" / "ckpt-2")
    assert parent == {
        "run_dir": str(finished_run),
        "checkpoint": str(finished_run / "checkpoints" / "ckpt-2"),
        "nimg": nimg,
        "sha256": digest,
        "changed": {"run.outdir": {"parent": str(finished_run.parent), "fork": str(tmp_path)}},
        "config": json.loads((finished_run / "training_config.json").read_text(encoding="utf-8")),
    }
    assert {path: path.stat().st_mtime_ns for path in finished_run.rglob("*")} == before


@pytest.mark.long
def test_with_many_options_changed(image_folder, finished_run, tmp_path):
    changed = {"batch": 4, "gamma": 0.5, "glr": 0.001, "aug": "ada", "seed": 3, "style_mixing_prob": 0.0}
    config = tiny_config(
        image_folder, tmp_path, run={"tick_kimg": 0.004, "snapshot_ticks": 8, "keep_checkpoints": 9}, **changed
    )
    run_dir = fork_of(finished_run, tmp_path, config)
    first, last = states(run_dir)[0], states(run_dir)[-1]
    parent = SavedState(finished_run / "checkpoints" / "ckpt-2")
    same = [name for name in parent.names() if name != "noise_key"]
    assert all(np.array_equal(first.value(name), parent.value(name)) for name in same)
    assert set(first.names()) - set(parent.names()) == {"ada_sign_sum", "ada_sign_count"}
    assert (int(first.value("noise_key")), int(last.value("noise_key"))) == (3, 3)
    assert (first.nimg, last.nimg) == (72, 160) and int(last.value("batch_index")) == 9 + 22
    config = TrainingConfig.from_json((run_dir / "training_config.json").read_text(encoding="utf-8"))
    assert (config.batch, config.loss.r1_gamma, config.augment.mode) == (4, 0.5, "ada")
    fields = json.loads((run_dir / "parent.json").read_text(encoding="utf-8"))["changed"]
    assert fields["loss.r1_gamma"] == {"parent": 0.1, "fork": 0.5} and "batch" in fields
    log = (run_dir / "log.txt").read_text(encoding="utf-8")
    assert f"A new run from {finished_run}/checkpoints/ckpt-2 at kimg 0.072, with these options changed:" in log
    # It goes on like any other run, or, as if killed before its first checkpoint, begins where it began.
    start = find_start(config, ResumeRequest("latest", str(tmp_path)))
    assert start.run_dir == run_dir and start.finished and start.parent is None
    expected = checkpoint_fingerprint(last.prefix)
    shutil.rmtree(run_dir / "checkpoints")
    with pytest.raises(ValueError, match="--restart"):
        run(config, ResumeRequest("latest", str(tmp_path)))
    assert run(config, ResumeRequest("latest", str(tmp_path), restart=True)) == 0
    assert checkpoint_fingerprint(last.prefix) == expected
    assert (run_dir / "before-restart-1" / "stats.jsonl").exists()


def test_a_constant_probability_is_taken_over(image_folder, finished_run, tmp_path):
    config = tiny_config(image_folder, tmp_path, run={"total_kimg": 0.08}, aug="fixed", p=0.3)
    assert [float(state.value("augment_p")) for state in states(fork_of(finished_run, tmp_path, config))] == [
        np.float32(0.3)
    ] * 2


def test_other_networks_are_refused_with_a_table(image_folder, finished_run, tmp_path):
    request = ResumeRequest(path=str(finished_run), **AT_TICK_2)
    with pytest.raises(ValueError, match="--fork: found options") as refused:
        find_start(tiny_config(image_folder, tmp_path, cmax=2, gamma=3), request)
    assert "--cmax" in str(refused.value) and "--gamma" not in str(refused.value)
    freezed = tiny_config(image_folder, tmp_path)
    freezed = dataclasses.replace(freezed, discriminator=dataclasses.replace(freezed.discriminator, freeze_layers=1))
    with pytest.raises(ValueError, match="--freezed"):
        find_start(freezed, request)
    with pytest.raises(ValueError, match="--fork: found no run in"):
        find_start(tiny_config(image_folder, tmp_path), ResumeRequest("latest", str(tmp_path / "none"), fork=True))


@pytest.mark.long
def test_of_a_run_that_was_transferred_and_frozen(image_folder, finished_run, tmp_path):
    options = {"transfer": str(newest_snapshot(finished_run)), "freeze": "g:mapping until 0.06kimg; d:first1"}
    (tmp_path / "parent").mkdir()
    assert run(tiny_config(image_folder, tmp_path / "parent", **options)) == 0
    parent = only_run(tmp_path / "parent")

    same = tiny_config(image_folder, tmp_path / "same", freeze=options["freeze"])
    (tmp_path / "same").mkdir()
    run_dir = fork_of(parent, tmp_path / "same", same)
    fingerprints = [checkpoint_fingerprint(states(folder)[-1].prefix) for folder in (parent, run_dir)]
    assert fingerprints[0] == fingerprints[1]
    changed = json.loads((run_dir / "parent.json").read_text(encoding="utf-8"))["changed"]
    assert set(changed) == {"run.outdir"}

    (tmp_path / "unfrozen").mkdir()
    unfrozen = fork_of(
        parent, tmp_path / "unfrozen", tiny_config(image_folder, tmp_path / "unfrozen", freeze="g:mapping")
    )
    first, last = states(unfrozen)[0], states(unfrozen)[-1]
    moved = {name for name in first.names() if not np.array_equal(first.value(name), last.value(name))}
    assert not any(name.startswith("G/mapping/fc") for name in moved)
    assert any(name.startswith("D/b8/fromrgb") for name in moved)
