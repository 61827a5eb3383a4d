"""Run directories."""

import pytest
import tensorflow as tf

from sg_keras.checkpoint import CheckpointStore
from sg_keras.config import TrainingConfig
from sg_keras.training.run_directory import (
    check_still_new,
    continue_run_directory,
    create_run_directory,
    exclusive_lock,
    set_run_aside,
)
from tests.training.tiny_run import tiny_config


def test_the_next_free_number_with_its_configuration(tmp_path, image_folder):
    config = tiny_config(image_folder, tmp_path / "new" / "runs")
    first, second = create_run_directory(config), create_run_directory(config)
    assert [first.name, second.name] == [f"0000{n}-stylegan2-noise-gpus0-batch8-gamma0.1" for n in (0, 1)]
    assert sorted(path.name for path in first.parent.iterdir()) == [first.name, second.name]
    assert TrainingConfig.from_json((first / "training_config.json").read_text(encoding="utf-8")) == config


def test_continuing_saves_the_configuration_and_cleans_up(tmp_path, image_folder):
    run_dir = create_run_directory(tiny_config(image_folder, tmp_path))
    (run_dir / ".partial-fakes000001.png").touch()
    (run_dir / ".partial-network-snapshot-000001").mkdir()
    longer = tiny_config(image_folder, tmp_path, run={"total_kimg": 9.0})
    continue_run_directory(run_dir, longer)
    assert [path.name for path in run_dir.iterdir()] == ["training_config.json"]
    assert TrainingConfig.from_json((run_dir / "training_config.json").read_text(encoding="utf-8")) == longer


def test_what_is_set_aside_for_a_restart(tmp_path, image_folder):
    run_dir = create_run_directory(tiny_config(image_folder, tmp_path))
    for _ in range(2):
        (run_dir / "checkpoints").mkdir()
        (run_dir / "stats.jsonl").touch()
        line = set_run_aside(run_dir)
    assert line == f"--restart: moved to {run_dir}/before-restart-2: checkpoints, stats.jsonl"
    assert sorted(path.name for path in run_dir.iterdir()) == [
        "before-restart-1",
        "before-restart-2",
        "training_config.json",
    ]
    assert sorted(path.name for path in (run_dir / "before-restart-1").iterdir()) == ["checkpoints", "stats.jsonl"]


def test_checkpoints_that_came_meanwhile(tmp_path, image_folder):
    run_dir = create_run_directory(tiny_config(image_folder, tmp_path))
    check_still_new(run_dir)
    store = CheckpointStore(run_dir / "checkpoints", {"cur_nimg": tf.Variable(8, dtype=tf.int64)}, keep=2)
    check_still_new(run_dir)
    store.save(3, {})
    with pytest.raises(OSError, match="found ckpt-3, which another process has saved since"):
        check_still_new(run_dir)


def test_one_process_at_a_time(tmp_path):
    with exclusive_lock(tmp_path), pytest.raises(OSError, match="another process"), exclusive_lock(tmp_path):
        pass
    with exclusive_lock(tmp_path):
        pass
