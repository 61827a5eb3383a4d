"""A data set, and the skeleton of a run that never trained: checkpoints of a few variables."""

import dataclasses
import pathlib

import pytest
import tensorflow as tf

from sg_keras.checkpoint import CheckpointStore
from tests.training.conftest import image_folder
from tests.training.tiny_run import tiny_config

__all__ = ["image_folder", "run_dir", "state"]


@pytest.fixture
def state() -> dict[str, tf.Variable]:
    """A state of three variables."""
    return {
        "cur_nimg": tf.Variable(8, dtype=tf.int64),
        "G/b4/const": tf.Variable(tf.range(6, dtype=tf.float32)),
        "g_optimizer/momentum/b4/const": tf.Variable(tf.zeros([6])),
    }


@pytest.fixture
def run_dir(image_folder, state, tmp_path) -> pathlib.Path:
    """Run directory 00004 with the checkpoints of tick 0, 2 and 4, of nimg 8, 72 and 136, of 160."""
    config = tiny_config(image_folder, tmp_path / "runs")
    folder = tmp_path / "runs" / "00004-stylegan2-noise"
    folder.mkdir(parents=True)
    (folder / "training_config.json").write_text(config.to_json(), encoding="utf-8")
    store = CheckpointStore(folder / "checkpoints", state, keep=3)
    for tick, nimg in ((0, 8), (2, 72), (4, 136)):
        state["cur_nimg"].assign(nimg)
        store.save(tick, {"tick": tick, "nimg": nimg, "elapsed_sec": 10.0 * tick, "config": dataclasses.asdict(config)})
    return folder
