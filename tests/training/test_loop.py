"""The loop: when it ends, and that its clock moves."""

import types

import keras
import pytest
import tensorflow as tf

from sg_keras.training.loop import train
from sg_keras.training.signals import StopSignals

BATCH = 8


class Model(types.SimpleNamespace):
    """Counts, and trains nothing."""

    def __init__(self, moves_by=BATCH):
        super().__init__(cur_nimg=tf.Variable(0), batch_index=tf.Variable(0), batch=BATCH, moves_by=moves_by)

    def train_step(self, data):
        self.cur_nimg.assign_add(self.moves_by)
        self.batch_index.assign_add(1)
        return {"kimg": int(self.cur_nimg.numpy()) / 1000}


class Recorder(keras.callbacks.Callback):
    """What it was called with; may do something after an iteration."""

    def __init__(self, then=lambda model: None):
        super().__init__()
        self.calls, self.then = [], then

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append((batch, logs["kimg"]))
        self.then(self.model)

    def on_train_end(self, logs=None):
        self.calls.append("end")


def train_to(nimg, model, *callbacks):
    return train(model, iter(lambda: {}, None), callbacks, nimg, StopSignals())


def test_runs_until_so_many_images_were_seen():
    recorder = Recorder()
    assert train_to(20, Model(), recorder) is None
    assert recorder.calls == [(0, 0.008), (1, 0.016), (2, 0.024), "end"]


def test_a_callback_may_stop_it():
    recorder = Recorder(lambda model: setattr(model, "stop_training", True))
    assert train_to(20, Model(), recorder) == "a callback"
    assert recorder.calls == [(0, 0.008), "end"]


@pytest.mark.parametrize("moves_by", [0, 7, 16])
def test_an_iteration_that_does_not_move_the_clock_by_a_batch_is_an_error(moves_by):
    recorder = Recorder()
    with pytest.raises(
        ValueError, match=f"^cur_nimg: found {moves_by} after the iteration that began at 0, expected 8"
    ):
        train_to(100, Model(moves_by), recorder)
    assert not recorder.calls


def test_a_callback_that_moves_the_clock_is_found_out():
    recorder = Recorder(lambda model: model.cur_nimg.assign(0))
    with pytest.raises(ValueError, match="cur_nimg: found 8 after the iteration that began at 8, expected 16"):
        train_to(100, Model(), recorder)
