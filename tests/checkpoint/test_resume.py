"""Where a run starts."""

import dataclasses
import json
import shutil

import pytest

from sg_keras.checkpoint import CheckpointStore, DamagedCheckpointError, find_start
from sg_keras.checkpoint.listing import write_list
from sg_keras.checkpoint.resume import newest_run_directory
from sg_keras.config import ResumeRequest, TrainingConfig
from sg_keras.weights import find_checkpoint
from tests.training.tiny_run import tiny_config


@pytest.fixture
def again(image_folder, run_dir):
    """again(run={...}, **options) -> the configuration of the same command, with changes."""
    return lambda run=None, **options: tiny_config(image_folder, run_dir.parent, run=run, **options)


def test_a_new_run(again):
    start = find_start(again(), None)
    assert (start.run_dir, start.checkpoint, start.nimg, start.finished, start.notes) == (None, None, 0, False, ())


def another_run(run_dir, name, config):
    """A run directory beside this one, of another configuration, with a tick in its statistics."""
    folder = run_dir.with_name(name)
    shutil.copytree(run_dir, folder)
    (folder / "training_config.json").write_text(config.to_json(), encoding="utf-8")
    (folder / "stats.jsonl").write_text(json.dumps({"timestamp": name}) + "\n", encoding="utf-8")
    return folder


def latest(config, run_dir, **request):
    return find_start(config, ResumeRequest("latest", str(run_dir.parent), **request))


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


OTHERS = {
    "--desc": lambda again: again(run={"desc": "b"}),
    "--cfg": lambda again: again(cfg="stylegan3-t"),
    "--seed": lambda again: again(seed=3),
    "--data": lambda again: dataclasses.replace(
        again(), dataset=dataclasses.replace(again().dataset, path="/other", num_images=9)
    ),
}


@pytest.mark.parametrize("option", OTHERS)
def test_latest_leaves_other_experiments_alone(again, run_dir, option):
    another_run(run_dir, "00007-other", OTHERS[option](again))
    start = latest(again(), run_dir)
    assert start.run_dir == run_dir
    assert f"Other runs beside it, left alone: 00007-other ({option})" in start.notes
    shutil.rmtree(run_dir)  # they alone are no reason not to begin
    start = latest(again(), run_dir)
    assert start.run_dir is None and "this is a new one" in start.notes[0]
    assert f"Other runs beside it, left alone: 00007-other ({option})" in start.notes


def test_latest_passes_over_runs_with_other_options_where_one_fits(again, run_dir):
    another_run(run_dir, "00007-other", again(gamma=0.5))
    start = latest(again(run={"total_kimg": 5.0}), run_dir)
    assert start.run_dir == run_dir and "00007-other (other options)" in start.notes[0]


def test_a_run_of_the_same_experiment_with_other_options_is_a_question(again, run_dir):
    with pytest.raises(ValueError, match=r"(?s)--gamma.*give it a --desc, or leave --resume out"):
        latest(again(gamma=0.5), run_dir)
    assert latest(again(gamma=0.5, run={"desc": "sharper"}), run_dir).run_dir is None


def test_latest_does_not_choose_between_copies(again, run_dir):
    (run_dir / "stats.jsonl").write_text('{"Progress/kimg": {"mean": 0.136}}\n', encoding="utf-8")
    copy = run_dir.with_name("00005-copy")
    shutil.copytree(run_dir, copy)
    with pytest.raises(ValueError) as refused:
        latest(again(), run_dir)
    assert str(refused.value) == (
        f"--resume=latest: found {copy} (at kimg 0.136) and {run_dir} (at kimg 0.136), copies of one run, expected one "
        f"that is meant: name it, --resume={copy} or --resume={run_dir}, or move the other elsewhere"
    )
    assert find_start(again(), ResumeRequest("run_dir", str(copy))).run_dir == copy
    copy.rename(run_dir.parent / "backup of 00004")
    assert latest(again(), run_dir).run_dir == run_dir


def test_latest_does_not_choose_between_runs_of_one_number(again, run_dir):
    another_run(run_dir, "00004-other", again())
    with pytest.raises(ValueError, match="two runs of one number"):
        latest(again(), run_dir)


def test_latest_names_few_of_many(again, run_dir):
    for number in range(10, 15):
        another_run(run_dir, f"000{number}-b", again(run={"desc": "b"}))
    assert latest(again(), run_dir).notes == (
        "Other runs beside it, left alone: 00014-b (--desc), 00013-b (--desc), 00012-b (--desc) and 2 more",
    )


def test_latest_and_a_configuration_that_cannot_be_read(again, run_dir):
    other = another_run(run_dir, "00007-b", again())
    (other / "training_config.json").write_text("{", encoding="utf-8")
    start = latest(again(), run_dir)
    assert start.run_dir == run_dir and "00007-b (its training_config.json cannot be read)" in start.notes[0]
    shutil.rmtree(run_dir)
    with pytest.raises(ValueError, match=r"00007-b/training_config\.json"):
        latest(again(), run_dir)


def test_a_list_that_is_older_or_newer_than_the_files(again, run_dir):
    folder = run_dir / "checkpoints"
    write_list(folder, [folder / "ckpt-90", folder / "ckpt-91"])
    start = latest(again(), run_dir)
    assert (start.checkpoint, start.nimg) == (folder / "ckpt-4", 136)
    assert "ckpt-90, ckpt-91 of the list of checkpoints are not there" in start.notes[0]
    write_list(folder, [folder / "ckpt-2"])
    start = latest(again(), run_dir)
    assert (start.checkpoint, start.nimg) == (folder / "ckpt-4", 136)
    for tick, nimg in ((0, 8), (2, 72), (4, 136)):
        assert find_start(again(), ResumeRequest("run_dir", str(run_dir), tick)).nimg == nimg
        assert find_start(again(), ResumeRequest("checkpoint", str(folder / f"ckpt-{tick}"))).run_dir == run_dir


def test_what_reads_a_run_takes_the_same_checkpoint_and_says_why(run_dir, caplog):
    folder = run_dir / "checkpoints"
    write_list(folder, [folder / "ckpt-0"])
    (folder / "ckpt-4.data-00000-of-00001").write_bytes(b"")
    assert find_checkpoint(run_dir) == folder / "ckpt-2"
    assert "found parts of ckpt-4" in caplog.text and "found ckpt-2, not on the list of checkpoints" in caplog.text


TRACES = {
    "network-snapshot-000100": lambda run_dir: (run_dir / "network-snapshot-000100").mkdir(),
    "stats.jsonl": lambda run_dir: (run_dir / "stats.jsonl").write_text("{}\n{}\n", encoding="utf-8"),
    "checkpoints/ckpt-7.data-00000-of-00001": lambda run_dir: (
        run_dir / "checkpoints" / "ckpt-7.data-00000-of-00001"
    ).write_bytes(b"part"),
    "fakes000100.png": lambda run_dir: (run_dir / "fakes000100.png").touch(),
}


@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("kind", ["latest", "run_dir"])
def test_beginning_anew_over_an_earlier_training_takes_restart(again, run_dir, trace, kind):
    shutil.rmtree(run_dir / "checkpoints")
    (run_dir / "checkpoints").mkdir()
    TRACES[trace](run_dir)
    path = str(run_dir.parent if kind == "latest" else run_dir)
    with pytest.raises(ValueError, match=rf"--resume: found no whole checkpoint in .*\({trace}\), .*--restart"):
        find_start(again(), ResumeRequest(kind, path))
    start = find_start(again(), ResumeRequest(kind, path, restart=True))
    assert (start.run_dir, start.checkpoint, start.nimg, start.anew) == (run_dir, None, 0, True)


def test_restart_is_refused_where_the_run_can_go_on(again, run_dir):
    with pytest.raises(ValueError, match=r"--restart: found .*ckpt-4 to go on from"):
        latest(again(), run_dir, restart=True)
    for data in (run_dir / "checkpoints").glob("*.data-*"):
        data.write_bytes(b"")
    with pytest.raises(DamagedCheckpointError, match="--restart"):
        latest(again(), run_dir)
    assert latest(again(), run_dir, restart=True).anew


@pytest.mark.parametrize("name", ["ckpt-0.json", "ckpt-0.data-00000-of-00001", "ckpt-3.json", "ckpt-3_temp"])
def test_a_process_that_was_killed_in_its_first_save_lost_nothing(again, run_dir, name):
    shutil.rmtree(run_dir / "checkpoints")
    (run_dir / "checkpoints").mkdir()
    (run_dir / "checkpoints" / name).write_bytes(b"something")
    (run_dir / "stats.jsonl").write_text("{}\n", encoding="utf-8")  # of the first iteration
    for path in ("fakes_init.png", "reals.png", "log.txt"):
        (run_dir / path).touch()
    start = latest(again(), run_dir)
    assert (start.run_dir, start.nimg, start.anew) == (run_dir, 0, False)


def test_a_checkpoint_under_a_name_of_its_own(again, run_dir, tmp_path):
    for folder in (run_dir / "checkpoints", tmp_path):
        for path in list((run_dir / "checkpoints").glob("ckpt-2.*")):
            shutil.copy(path, folder / path.name.replace("ckpt-2", "best[1]"))
        start = find_start(again(), ResumeRequest("checkpoint", str(folder / "best[1]")))
        assert (start.run_dir, start.nimg) == (None, 72)


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
    # If it is killed before its first checkpoint, the new run still knows where it began.
    killed = tmp_path / "runs" / "00009-killed"
    killed.mkdir()
    (killed / "training_config.json").write_text(start.config.to_json(), encoding="utf-8")
    (killed / "parent.json").write_text(start.parent.to_json(), encoding="utf-8")
    assert find_start(again(), ResumeRequest("run_dir", str(killed))).nimg == 72
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
