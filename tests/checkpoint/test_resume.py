"""Where a run starts."""

import shutil

import pytest

from sg_keras.checkpoint import CheckpointStore, DamagedCheckpointError, find_start
from sg_keras.checkpoint.resume import newest_run_directory
from sg_keras.config import ResumeRequest, TrainingConfig
from tests.training.tiny_run import tiny_config


@pytest.fixture
def again(pictures, run_dir):
    """again(run={...}, **options) -> the configuration of the same command, with changes."""
    return lambda run=None, **options: tiny_config(pictures, run_dir.parent, run=run, **options)


def test_a_new_run(again):
    start = find_start(again(), None)
    assert (start.run_dir, start.checkpoint, start.nimg, start.finished, start.notes) == (None, None, 0, False, ())


def test_latest_is_the_newest_checkpoint_of_the_run_with_the_highest_number(again, run_dir):
    shutil.copytree(run_dir, run_dir.with_name("00003-stylegan2-noise"))
    run_dir.with_name("00005-something-else").mkdir()
    start = find_start(again(), ResumeRequest("latest", str(run_dir.parent)))
    assert (start.run_dir, start.checkpoint) == (run_dir, run_dir / "checkpoints" / "ckpt-4")
    assert (start.nimg, start.elapsed_sec, start.finished) == (136, 40.0, False)


def test_latest_without_any_run_is_a_new_run(again, tmp_path):
    start = find_start(again(), ResumeRequest("latest", str(tmp_path / "nowhere")))
    assert start.run_dir is None and "this is a new one" in start.notes[0]
    assert newest_run_directory(tmp_path / "nowhere") is None


def test_a_run_without_checkpoint_starts_in_its_directory(again, run_dir):
    shutil.rmtree(run_dir / "checkpoints")
    start = find_start(again(), ResumeRequest("run_dir", str(run_dir)))
    assert (start.run_dir, start.checkpoint, start.nimg) == (run_dir, None, 0)
    assert "No checkpoint" in start.notes[0]


def test_a_tick(again, run_dir):
    start = find_start(again(), ResumeRequest("run_dir", str(run_dir), 2))
    assert (start.run_dir, start.checkpoint, start.nimg) == (run_dir, run_dir / "checkpoints" / "ckpt-2", 72)
    with pytest.raises(ValueError, match=r"no checkpoint of tick 3 .* one of these ticks: 0, 2, 4"):
        find_start(again(), ResumeRequest("run_dir", str(run_dir), 3))


def test_a_checkpoint_continues_in_its_own_run(again, run_dir):
    start = find_start(again(), ResumeRequest("checkpoint", str(run_dir / "checkpoints" / "ckpt-2")))
    assert (start.run_dir, start.nimg) == (run_dir, 72)


def test_a_checkpoint_from_elsewhere_starts_a_new_run_with_the_same_options(again, run_dir, tmp_path):
    elsewhere = tmp_path / "usb"
    elsewhere.mkdir()
    for path in (run_dir / "checkpoints").glob("ckpt-2.*"):
        shutil.copy(path, elsewhere)
    request = ResumeRequest("checkpoint", str(elsewhere / "ckpt-2"))
    start = find_start(again(), request)
    assert (start.run_dir, start.checkpoint, start.nimg) == (None, elsewhere / "ckpt-2", 72)
    with pytest.raises(ValueError, match="--cmax"):
        find_start(again(cmax=2), request)
    (elsewhere / "ckpt-2.json").unlink()
    with pytest.raises(ValueError, match=r"without ckpt-2\.json"):
        find_start(again(), request)


def test_a_finished_run(again, run_dir):
    start = find_start(again(run={"total_kimg": 0.136}), ResumeRequest("run_dir", str(run_dir)))
    assert start.finished and "is finished: 0.136 of 0.136 kimg are done; a larger --kimg" in start.notes[0]


def test_options_that_would_alter_the_run_are_refused_with_a_table(again, run_dir):
    with pytest.raises(ValueError) as refused:
        find_start(again(gamma=0.5, cmax=2), ResumeRequest("latest", str(run_dir.parent)))
    lines = [line.split() for line in str(refused.value).splitlines()]
    assert ["option", "field", "saved", "requested"] in lines
    assert ["--gamma", "loss.r1_gamma", "0.1", "0.5"] in lines
    assert ["--cmax", "generator.channel_max", "4", "2"] in lines


def test_options_that_may_change_are_taken(again, run_dir):
    start = find_start(again(run={"total_kimg": 5.0, "snapshot_ticks": 9}), ResumeRequest("run_dir", str(run_dir)))
    assert (start.config.run.total_kimg, start.config.run.snapshot_ticks) == (5.0, 9)


def test_what_auto_chose_is_kept(again, run_dir):
    assert find_start(again(ops="auto"), ResumeRequest("run_dir", str(run_dir))).config.ops == "reference"


def test_a_damaged_newest_checkpoint_is_passed_over_loudly(again, run_dir):
    (run_dir / "checkpoints" / "ckpt-4.data-00000-of-00001").write_bytes(b"")
    start = find_start(again(), ResumeRequest("run_dir", str(run_dir)))
    assert start.nimg == 72
    assert "WARNING" in start.notes[0] and "ckpt-4" in start.notes[0]
    with pytest.raises(DamagedCheckpointError, match="ckpt-4"):
        find_start(again(), ResumeRequest("run_dir", str(run_dir), 4))
    for tick in (0, 2):
        (run_dir / "checkpoints" / f"ckpt-{tick}.data-00000-of-00001").write_bytes(b"")
    with pytest.raises(DamagedCheckpointError, match="ckpt-0"):
        find_start(again(), ResumeRequest("run_dir", str(run_dir)))


def test_a_damaged_configuration_is_named(again, run_dir):
    (run_dir / "training_config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"training_config\.json: "):
        find_start(again(), ResumeRequest("run_dir", str(run_dir)))


def test_nothing_is_written(again, run_dir, state):
    before = {path: path.stat().st_mtime_ns for path in run_dir.rglob("*")}
    find_start(again(run={"total_kimg": 5.0}), ResumeRequest("run_dir", str(run_dir), 0))
    assert {path: path.stat().st_mtime_ns for path in run_dir.rglob("*")} == before
    assert TrainingConfig.from_json((run_dir / "training_config.json").read_text(encoding="utf-8")) == again()
    assert len(CheckpointStore(run_dir / "checkpoints", state, 3).checkpoints) == 3
