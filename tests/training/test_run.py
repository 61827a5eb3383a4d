"""A whole run in one process: what it leaves behind, and how it goes on."""

import dataclasses
import json
import re
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import sg_keras
from sg_keras.checkpoint import SavedState, checkpoint_fingerprint
from sg_keras.config import ResumeRequest, TrainingConfig
from sg_keras.training.callbacks.nonfinite_replay import NonFiniteError
from sg_keras.training.run import run
from tests.training.tiny_run import only_run, tiny_config

STATUS = re.compile(
    r"tick (\d+)  kimg \d+\.\d  time (?:\d+[dhm] )?\d+[hms]  sec/tick \d+\.\d  sec/kimg \d+\.\d\d  data-wait \d+\.\d%  "
    r"cpumem \d+\.\d  gpumem 0\.0  augment 0\.000  eta (?:unknown|(?:\d+[dhm] )?\d+[hms])"
)


def lines_of(run_dir, name):
    return (run_dir / name).read_text(encoding="utf-8").splitlines()


def ticks_of(run_dir):
    return [
        (entry["Progress/tick"]["mean"], round(1000 * entry["Progress/kimg"]["mean"]))
        for entry in map(json.loads, lines_of(run_dir, "stats.jsonl"))
    ]


@pytest.fixture
def unfinished(finished_run, tmp_path):
    """A copy of the finished run, in a folder whose name TensorFlow would take for a pattern."""
    run_dir = tmp_path / "runs [5]*\\" / finished_run.name
    shutil.copytree(finished_run, run_dir)
    return run_dir


def test_files_of_a_run(finished_run):
    assert re.fullmatch(r"00000-stylegan2-noise-gpus0-batch8-gamma0\.1", finished_run.name)
    names = {path.name for path in finished_run.iterdir() if not path.name.startswith("events.out.tfevents.")}
    assert names == {
        "training_config.json",
        "log.txt",
        "stats.jsonl",
        "reals.png",
        "fakes_init.png",
        "fakes000000.png",
        "checkpoints",
        "network-snapshot-000000",
    }
    assert {path.name for path in (finished_run / "network-snapshot-000000").iterdir()} == {
        "G.keras",
        "D.keras",
        "G_ema.keras",
        "training_config.json",
    }
    assert {path.name for path in (finished_run / "checkpoints").glob("*.index")} == {
        "ckpt-2.index",
        "ckpt-4.index",
        "ckpt-5.index",
    }


def test_status_lines_and_statistics(finished_run):
    log = lines_of(finished_run, "log.txt")
    statuses = [STATUS.fullmatch(line) for line in log if line.startswith("tick ")]
    assert [int(status.group(1)) for status in statuses] == [0, 1, 2, 3, 4, 5]
    assert ticks_of(finished_run) == [(0, 8), (1, 40), (2, 72), (3, 104), (4, 136), (5, 160)]
    for entry in map(json.loads, lines_of(finished_run, "stats.jsonl")):
        timestamp = entry.pop("timestamp")
        assert timestamp > 1.6e9
        assert all(set(value) == {"num", "mean", "std"} for value in entry.values())
        assert {
            "Loss/G/loss",
            "Loss/D/loss",
            "Loss/scores/fake",
            "Loss/scores/real",
            "Loss/signs/fake",
            "Loss/signs/real",
            "Progress/augment",
            "Timing/total_sec",
            "Timing/sec_per_tick",
            "Timing/sec_per_kimg",
            "Timing/data_wait_frac",
            "Resources/cpu_mem_gb",
            "Resources/peak_gpu_mem_gb",
        } <= set(entry)
        assert entry["Loss/D/loss"]["num"] in (8, 32, 24) and 0 <= entry["Timing/data_wait_frac"]["mean"] <= 1
    first = json.loads(lines_of(finished_run, "stats.jsonl")[0])
    assert {"Loss/r1_penalty", "Loss/pl_penalty"} <= set(first)
    assert log[-1].startswith("Done: 0.16 of 0.16 kimg")


@pytest.mark.parametrize("name", ["reals.png", "fakes_init.png", "fakes000000.png"])
def test_images(finished_run, name):
    with Image.open(finished_run / name) as image:
        assert image.size == (6 * 8, 4 * 8) and image.mode == "RGB"
        assert np.asarray(image).std() > 1


def test_tensorboard(finished_run):
    events = EventAccumulator(str(finished_run), size_guidance={"tensors": 0})
    events.Reload()
    assert [event.step for event in events.Tensors("Loss/G/loss")] == [8, 40, 72, 104, 136, 160]
    assert [event.step for event in events.Tensors("Pictures/fakes")] == [0, 72, 136, 160]
    tags = events.Tags()["tensors"]
    assert {
        "Schedule/learning_rate/G",
        "Schedule/learning_rate/D",
        "Schedule/ema_beta",
        "Gradients/Gmain/norm",
        "Gradients/Dreg/norm",
        "Timing/sec_per_kimg",
        "Pictures/reals",
    } <= set(tags)


def test_the_snapshot_of_the_end_is_the_state_of_the_end(finished_run):
    state = SavedState(finished_run / "checkpoints" / "ckpt-5")
    for name in ("G", "D", "G_ema"):
        network = keras.saving.load_model(finished_run / "network-snapshot-000000" / f"{name}.keras", compile=False)
        for variable in network.variables:
            np.testing.assert_array_equal(np.asarray(variable), state.value(variable.path))
    assert set(sg_keras.load(finished_run)) == {"G", "D", "G_ema"}


class Onlooker(keras.callbacks.Callback):
    """Looks at the networks, uses up random numbers, and stops the run after so many iterations, if it is to."""

    def __init__(self, outdir, stop_after=None):
        super().__init__()
        self.outdir, self.stop_after, self.newest = outdir, stop_after, []

    def on_train_batch_end(self, batch, logs=None):
        np.random.default_rng().normal()
        tf.random.normal([3])
        self.model(tf.random.normal([1, 8]), tf.zeros([1, 3]))
        self.newest.append(max((p.stem for p in self.outdir.glob("*/checkpoints/*.index")), default=None))
        self.model.stop_training = batch + 1 == self.stop_after


@pytest.mark.long
def test_callbacks_of_the_caller_change_no_bit_and_may_stop_the_run(finished_run, image_folder, tmp_path):
    first, second = Onlooker(tmp_path, stop_after=7), Onlooker(tmp_path)
    assert run(tiny_config(image_folder, tmp_path), callbacks=[first]) == 0
    run_dir = only_run(tmp_path)
    assert lines_of(run_dir, "log.txt")[-1].startswith("Stopped by a callback at 0.056 of 0.16 kimg; to go on: ")
    assert first.newest == [None, *["ckpt-0"] * 6]  # called before the checkpoint of its iteration
    assert run(tiny_config(image_folder, tmp_path), ResumeRequest("latest", str(tmp_path)), callbacks=[second]) == 0
    assert len(second.newest) == 13
    last = [checkpoint_fingerprint(folder / "checkpoints" / "ckpt-5") for folder in (finished_run, run_dir)]
    assert last[0] == last[1]


def test_a_finished_run_is_one_line_and_nothing_is_written(finished_run, capsys):
    before = {path: path.stat().st_mtime_ns for path in finished_run.rglob("*")}
    config = TrainingConfig.from_json((finished_run / "training_config.json").read_text(encoding="utf-8"))
    capsys.readouterr()
    assert run(config, ResumeRequest("latest", str(finished_run.parent))) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1 and "is finished: 0.16 of 0.16 kimg" in printed
    assert {path: path.stat().st_mtime_ns for path in finished_run.rglob("*")} == before


def test_going_back_to_a_tick_repeats_the_rest_exactly_and_a_longer_run_goes_on(finished_run, unfinished, image_folder):
    config = tiny_config(image_folder, unfinished.parent, run={"total_kimg": 0.168, "snapshot_ticks": 1})
    assert run(config, ResumeRequest("run_dir", str(unfinished), 2)) == 0
    assert ticks_of(unfinished) == [(0, 8), (1, 40), (2, 72), (3, 104), (4, 136), (5, 168)]  # each tick once
    log = "\n".join(lines_of(unfinished, "log.txt"))
    assert "Removed ckpt-4, ckpt-5: the run goes another way from ckpt-2 on" in log
    assert sorted(path.name for path in unfinished.iterdir() if path.is_dir()) == [
        "checkpoints",
        "network-snapshot-000000",
    ]
    assert TrainingConfig.from_json((unfinished / "training_config.json").read_text(encoding="utf-8")) == config
    four = [checkpoint_fingerprint(folder / "checkpoints" / "ckpt-4") for folder in (finished_run, unfinished)]
    assert four[0] == four[1] and four[0][0] == 136
    seconds = [json.loads(line)["Timing/total_sec"]["mean"] for line in lines_of(unfinished, "stats.jsonl")]
    assert seconds == sorted(seconds)  # the time of earlier sessions counts


def test_a_number_that_is_not_finite_stops_the_run_without_a_checkpoint(image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path)
    huge = dataclasses.replace(config.optimizer, g_lr=1e37)
    with pytest.raises(NonFiniteError, match=r"phase (Gmain|Greg|Dmain|Dreg) of the iteration at kimg"):
        run(dataclasses.replace(config, optimizer=huge))
    (run_dir,) = tmp_path.iterdir()
    assert lines_of(run_dir, "log.txt")[-1].startswith("Error: training stopped: found NaN or Inf")
    assert len(list((run_dir / "checkpoints").glob("*.index"))) <= 1  # that of the first iteration at most


def test_a_data_set_that_changed_is_refused_before_anything_is_written(image_folder, tmp_path):
    config = tiny_config(image_folder, tmp_path / "runs")
    other = dataclasses.replace(config, dataset=dataclasses.replace(config.dataset, num_images=25))
    with pytest.raises(ValueError, match=r"--data: found num_images 24 in .*noise, expected 25"):
        run(other)
    other = dataclasses.replace(config, dataset=dataclasses.replace(config.dataset, fingerprint="names:0 sizes:0"))
    with pytest.raises(
        ValueError, match=r"--data: found .*noise with other file names .*files of other sizes, expected"
    ):
        run(other)
    assert not (tmp_path / "runs").exists()


def test_a_run_is_float32_whatever_keras_is_told(image_folder, tmp_path, monkeypatch):
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    within = []
    monkeypatch.setattr(
        "sg_keras.training.run._start",
        lambda *_: within.append((keras.config.floatx(), keras.config.dtype_policy().name)),
    )
    run(tiny_config(image_folder, tmp_path))
    assert within == [("float32", "float32")] and keras.config.floatx() == "float64"
