"""Image grids of a run: reals.png, fakes_init.png and fakes<kimg>.png."""

from __future__ import annotations

import math
import pathlib
from typing import Any

import numpy as np

from sg_keras.config.cadence import Every
from sg_keras.training.callbacks.image_grid import SampleGrid, generate_images, save_png
from sg_keras.training.callbacks.meter import Meter, Tick, TickCallback
from sg_keras.training.callbacks.ticks import TickClock
from sg_keras.training.step.stylegan import StyleGAN

_PIXELS_AT_A_TIME = 2**16


def images_at_a_time(model: StyleGAN) -> int:
    """Images to generate at a time: without gradients there is room for more than a micro-batch."""
    return max(model.batch_gpu, _PIXELS_AT_A_TIME // math.prod(model.G.image_shape[:2]))


class ImageGrids(TickCallback):
    """Writes the reals and the first fakes at the start, fakes of G_ema every interval and at the end.

    Attributes:
        latest: the grid of fakes drawn at this tick, uint8 [H,W,C], None if none was.
        reals: the grid of reals.
        row_names: of the classes that the rows show, empty where there are none.

    Args:
        meter: of the run.
        run_dir: where the files go.
        grid: what is shown.
        clock: of the run.
        every: in ticks; Every(None) = only at the end.
    """

    def __init__(self, meter: Meter, run_dir: pathlib.Path, grid: SampleGrid, clock: TickClock, every: Every) -> None:
        super().__init__(meter)
        self._run_dir, self._grid, self._clock, self._every = run_dir, grid, clock, every
        self.reals = grid.drawn(grid.reals)
        self.row_names = grid.row_names
        self.latest: np.ndarray | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not (self._run_dir / "reals.png").exists():
            save_png(self.reals, self._run_dir / "reals.png")
        if int(self.model.cur_nimg.numpy()) == 0:
            self._draw("fakes_init.png")

    def on_tick(self, tick: Tick) -> None:
        self.latest = None
        if tick.last or self._clock.is_due(tick.nimg, self._every):
            self._draw(f"fakes{tick.nimg // 1000:06d}.png")

    def batch_size(self) -> int:
        """Images to generate at a time."""
        return images_at_a_time(self.model)

    def _draw(self, name: str) -> None:
        fakes = generate_images(self.model.G_ema, self._grid.z, self._grid.labels, self.batch_size())
        self.latest = self._grid.drawn(fakes)
        save_png(self.latest, self._run_dir / name)
