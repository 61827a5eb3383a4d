"""--on_nan=rollback: on from the last checkpoint with other noise, a bounded number of times, and exactly so."""

import dataclasses

import pytest

from sg_keras.checkpoint import SavedState, checkpoint_fingerprint
from sg_keras.checkpoint.manager import read_note
from sg_keras.config import ResumeRequest
from sg_keras.training.callbacks.nonfinite_replay import NonFiniteError
from sg_keras.training.rollback import rollbacks_so_far
from sg_keras.training.run import run
from sg_keras.training.step.stylegan import StyleGAN
from tests.training.tiny_run import only_run, tiny_config

SEED = 7


@pytest.fixture
def poisoned(monkeypatch):
    """poisoned(n): the first n passes through the 11th iteration meet a weight that is not a number."""
    train_step = StyleGAN.train_step

    def poison(times):
        def faulty_step(model, data):
            if int(model.cur_nimg.numpy()) == 80 and rollbacks_so_far(int(model.noise_key.numpy())) < times:
                weight = model.G.trainable_variables[0]
                weight.assign(weight.value * float("nan"))
            return train_step(model, data)

        monkeypatch.setattr(StyleGAN, "train_step", faulty_step)

    return poison


def config_of(image_folder, outdir, kimg=0.16):
    run_options = {"total_kimg": kimg, "on_nan": "rollback", "snapshot_ticks": 1, "image_snapshot_ticks": 100}
    return tiny_config(image_folder, outdir, run=run_options, seed=SEED)


@pytest.mark.long
def test_on_from_the_last_checkpoint_with_other_noise_and_exactly_so(image_folder, tmp_path, poisoned):
    poisoned(1)
    at_once, stopped = tmp_path / "at_once", tmp_path / "stopped"
    assert run(config_of(image_folder, at_once)) == 0
    run_dir = only_run(at_once)
    log = (run_dir / "log.txt").read_text(encoding="utf-8")
    assert "Rollback 1 of 3 at most: found NaN or Inf in phase Gmain of the iteration at kimg 0.08" in log
    assert "Going on from ckpt-2 at kimg 0.072 with other noise" in log
    ticks = [line.split()[1] for line in log.splitlines() if line.startswith("tick ")]
    assert ticks == ["0", "1", "2", "3", "4", "5"]
    assert len((run_dir / "stats.jsonl").read_text(encoding="utf-8").splitlines()) == 6
    last = SavedState(run_dir / "checkpoints" / "ckpt-5")
    assert int(last.value("noise_key")) == SEED + 2**32

    # The process ends after the rollback, and another one goes on.
    assert run(config_of(image_folder, stopped, kimg=0.104)) == 0
    assert read_note(only_run(stopped) / "checkpoints" / "ckpt-2")["rollbacks"] == 1
    assert run(config_of(image_folder, stopped), ResumeRequest("latest", str(stopped))) == 0
    expected = checkpoint_fingerprint(run_dir / "checkpoints" / "ckpt-5")
    assert checkpoint_fingerprint(only_run(stopped) / "checkpoints" / "ckpt-5") == expected


def test_three_times_at_most(image_folder, tmp_path, poisoned):
    poisoned(4)
    with pytest.raises(NonFiniteError, match="the run was rolled back 3 times already"):
        run(config_of(image_folder, tmp_path))
    log = (only_run(tmp_path) / "log.txt").read_text(encoding="utf-8")
    assert [f"Rollback {number} of 3" in log for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert log.splitlines()[-1].startswith("Error: training stopped: ")


def test_without_a_checkpoint_there_is_nothing_to_go_back_to(image_folder, tmp_path):
    config = config_of(image_folder, tmp_path)
    huge = dataclasses.replace(config, optimizer=dataclasses.replace(config.optimizer, g_lr=1e38, d_lr=1e38))
    with pytest.raises(NonFiniteError, match=r"no checkpoint yet to go back to|rolled back 3 times already"):
        run(huge)


def test_several_machines_stop(image_folder, tmp_path):
    with pytest.raises(ValueError, match="on_nan: found 'rollback', expected stop, with several workers"):
        dataclasses.replace(config_of(image_folder, tmp_path), cluster_size=2, batch_gpu=4)
