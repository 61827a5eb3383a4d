"""The training loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import keras

from sg_keras.data import readable_data_errors
from sg_keras.training.step.micro_batch import Data
from sg_keras.training.step.stylegan import StyleGAN


class Stop(Protocol):
    """What is asked after every iteration: the name of the signal that asks to stop, or None."""

    @property
    def received(self) -> str | None: ...


def train(
    model: StyleGAN,
    batches: Iterator[Data],
    callbacks: Sequence[keras.callbacks.Callback],
    total_nimg: float,
    signals: Stop,
) -> str | None:
    """Run iterations until total_nimg real images were seen or a signal asks to stop.

    Args:
        model: goes on from its cur_nimg.
        batches: one element per iteration, as `train_step` takes it.
        callbacks: ordinary Keras callbacks; on_train_end is called unless an iteration fails.
        total_nimg: images of the whole run.
        signals: asked before every iteration, and not afterwards: several workers answer together.

    Returns:
        Name of the signal that ended training, None if it is complete.

    Raises:
        sg_keras.data.DataError: an image cannot be read.
    """
    events = keras.callbacks.CallbackList(list(callbacks), model=model)
    events.on_train_begin()
    stopped_by: str | None = None
    with readable_data_errors():
        while int(model.cur_nimg.numpy()) < total_nimg and (stopped_by := signals.received) is None:
            number = int(model.batch_index.numpy())
            events.on_train_batch_begin(number)
            logs = model.train_step(next(batches))
            events.on_train_batch_end(number, logs)
    events.on_train_end()
    return stopped_by
