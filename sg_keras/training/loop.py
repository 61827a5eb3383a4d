"""The training loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import keras

from sg_keras.data import readable_data_errors
from sg_keras.training.step.micro_batch import Data
from sg_keras.training.step.stylegan import StyleGAN

STOPPED_BY_CALLBACK = "a callback"


class Stop(Protocol):
    """What says whether training goes on, and is told of a wish to stop."""

    @property
    def received(self) -> str | None:
        """Asked before every iteration: what asked to stop, such as the name of a signal, or None."""

    def request(self, source: str) -> None:
        """Ask to stop; `source` is what `received` says then."""


def train(
    model: StyleGAN,
    batches: Iterator[Data],
    callbacks: Sequence[keras.callbacks.Callback],
    total_nimg: float,
    stop: Stop,
) -> str | None:
    """Run iterations until total_nimg real images were seen, or a signal or a callback asks to stop.

    Args:
        model: goes on from its cur_nimg.
        batches: one element per iteration, as `train_step` takes it.
        callbacks: ordinary Keras callbacks; on_train_end is called unless an iteration fails. One that sets
            model.stop_training asks to stop.
        total_nimg: images of the whole run.
        stop: asked before every iteration, and not afterwards: several workers answer together.

    Returns:
        What ended training, such as the name of a signal, None if it is complete.

    Raises:
        sg_keras.data.DataError: an image cannot be read.
        ValueError: an iteration did not move the clock by one batch; one line.
    """
    events = keras.callbacks.CallbackList(list(callbacks), model=model)
    model.stop_training = False
    events.on_train_begin()
    if model.stop_training:
        stop.request(STOPPED_BY_CALLBACK)
    stopped_by: str | None = None
    nimg = int(model.cur_nimg.numpy())
    with readable_data_errors():
        while nimg < total_nimg and (stopped_by := stop.received) is None:
            number = int(model.batch_index.numpy())
            events.on_train_batch_begin(number)
            logs = model.train_step(next(batches))
            nimg = _moved_clock(model, nimg)
            events.on_train_batch_end(number, logs)
            if model.stop_training:
                stop.request(STOPPED_BY_CALLBACK)
    events.on_train_end()
    return stopped_by


def _moved_clock(model: StyleGAN, before: int) -> int:
    """Real images seen after an iteration. Everything follows from them, and a loop whose clock stands has no end."""
    found, expected = int(model.cur_nimg.numpy()), before + model.batch
    if found != expected:
        raise ValueError(
            f"cur_nimg: found {found} after the iteration that began at {before}, expected {expected}: train_step "
            "alone may change it, by one batch"
        )
    return found
