"""TensorBoard: all of stats.jsonl, learning rates, the average's beta, image grids and leaks, by images seen."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from sg_keras.files import plain_folder
from sg_keras.metrics.record import Score
from sg_keras.training.callbacks.augmentation_monitor import AugmentationMonitor
from sg_keras.training.callbacks.image_grids import ImageGrids
from sg_keras.training.callbacks.meter import Meter, Tick, TickCallback
from sg_keras.training.callbacks.status import tick_statistics

_LARGEST_SIDE = 2048  # pixels; the files in the run directory are whole


class TensorBoardEvents(TickCallback):
    """Writes TensorBoard's event file in the run directory; steps are real images seen.

    Args:
        meter: of the run.
        run_dir: where the file goes.
        image_grids: whose grids are shown, too; it stands before this in the list of callbacks.
        augmentation: whose grids and leaks are shown; likewise.
    """

    def __init__(
        self, meter: Meter, run_dir: pathlib.Path, image_grids: ImageGrids, augmentation: AugmentationMonitor
    ) -> None:
        super().__init__(meter)
        self._run_dir, self._image_grids, self._augmentation = run_dir, image_grids, augmentation

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        nimg = int(self.model.cur_nimg.numpy())
        if nimg > 0:
            _purge_after(self._run_dir, nimg)
        self._plain = plain_folder(self._run_dir)  # as long as the writer, which asks for its file again and again
        self._writer = tf.summary.create_file_writer(self._plain.path)
        with self._writer.as_default(step=nimg):
            if nimg == 0:
                _write_grid("Pictures/reals", self._image_grids.reals)
                _write_grid("Pictures/fakes", self._image_grids.latest)
                _write_row_names(self._image_grids.row_names)
        self._writer.flush()

    def on_tick(self, tick: Tick) -> None:
        model = self.model
        with self._writer.as_default(step=tick.nimg):
            for name, moments in tick_statistics(tick).items():
                tf.summary.scalar(name, moments["mean"])
            for name, optimizer in model.optimizers.items():
                tf.summary.scalar(f"Schedule/learning_rate/{name}", optimizer.learning_rate)
            before = tick.nimg - model.batch
            tf.summary.scalar("Schedule/ema_beta", model.schedules.at(before).ema_beta)
            for name, value in model.schedules.changing_at(before).items():
                tf.summary.scalar(f"Schedule/{name}", value)
            for name, count in model.freezing.frozen_parameters(before).items():
                tf.summary.scalar(f"Schedule/frozen_parameters/{name}", count)
            _write_grid("Pictures/fakes", self._image_grids.latest)
            for name, grid in self._augmentation.grids.items():
                _write_grid(f"Pictures/{name}", grid)
            for leak in self._augmentation.leaks:
                if math.isfinite(leak.share):
                    tf.summary.scalar(f"Leak/{leak.transform}", leak.share)
        self._writer.flush()

    def show_scores(self, nimg: int, scores: Sequence[Score], sheet: np.ndarray | None) -> None:
        """Show scores of G_ema after so many images with the ends of their intervals, and a sheet of nearest reals."""
        with self._writer.as_default(step=nimg):
            for score in scores:
                for name, value in (("", score.value), ("/low", score.low), ("/high", score.high)):
                    tf.summary.scalar(f"Metrics/{score.full_name}{name}", value)
            _write_grid("Pictures/nearest_reals", sheet)
        self._writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._writer.close()
        self._plain.close()


def _purge_after(run_dir: pathlib.Path, nimg: int) -> None:
    """Tell TensorBoard that the run goes on from here: what an earlier session wrote beyond is not shown."""
    with plain_folder(run_dir) as plain:
        writer = EventFileWriter(plain.path)
        writer.add_event(Event(step=nimg + 1, session_log=SessionLog(status=SessionLog.START)))
        writer.close()


def _write_grid(name: str, grid: np.ndarray | None) -> None:
    """Show a grid's upper left part, at most 2048 pixels a side: TensorBoard keeps many of them in memory."""
    if grid is not None:
        tf.summary.image(name, grid[None, :_LARGEST_SIDE, :_LARGEST_SIDE])


def _write_row_names(names: Sequence[str]) -> None:
    """The classes of the grids' rows, as a list to copy from."""
    if names:
        tf.summary.text("Pictures/rows", "\n".join(f"{row}. {name}" for row, name in enumerate(names, start=1)))
