"""What people should see of augmentation: augmented images, leaks, and a probability that stays at 1."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from sg_keras.augment.leaks import MAX_IMAGES, Leak, checked_transforms, find_leaks
from sg_keras.data import ImageDataset
from sg_keras.inference import tile, to_uint8, viewable
from sg_keras.ops.pixel_values import from_uint8
from sg_keras.training.callbacks.image_grid import generate_images
from sg_keras.training.callbacks.image_grids import ImageGrids
from sg_keras.training.callbacks.meter import Meter, Tick, TickCallback
from sg_keras.training.run_log import RunLog

_COLUMNS, _ROWS = 8, 4  # of the grids
_LATENTS_KEY = -2  # beside the seed; -1 is that of the sample grid, training's own are not negative
_ADVICE = "see docs/augmentation.md"


class AugmentationMonitor(TickCallback):
    """Looks at augmentation: at every tick at p, and with every image grid at images, as soon as p is above 0.

    Attributes:
        grids: augmented reals and fakes of this tick at its p, uint8 [H,W,C] by name; empty where none were made.
        leaks: found at this tick.

    Args:
        meter: of the run.
        log: where warnings go.
        dataset: of the run.
        image_grids: say when there is an image grid; it stands before this in the list of callbacks.
        mirror, mirrory: whether the data has mirrored copies, which hide flips.
        seed: of the run.
    """

    def __init__(
        self,
        meter: Meter,
        log: RunLog,
        dataset: ImageDataset,
        image_grids: ImageGrids,
        *,
        mirror: bool,
        mirrory: bool,
        seed: int,
    ) -> None:
        super().__init__(meter)
        self._log, self._dataset, self._image_grids, self._seed = log, dataset, image_grids, seed
        self._mirrored = {"mirror": mirror, "mirrory": mirrory}
        self._was_at_1 = self._warned_of_1 = False
        self._warned: set[str] = set()
        self.grids: dict[str, np.ndarray] = {}
        self.leaks: list[Leak] = []

    def on_tick(self, tick: Tick) -> None:
        self.grids, self.leaks = {}, []
        config = self.model.augmentation.config
        if config.mode == "ada":
            self._look_at_p(tick)
        if config.mode != "noaug" and tick.augment_p > 0 and self._image_grids.latest is not None:
            self._look_at_images(tick)

    def _look_at_p(self, tick: Tick) -> None:
        """Warn once when p has stayed at 1 for a whole tick."""
        at_1 = tick.augment_p == 1
        if at_1 and self._was_at_1 and not self._warned_of_1:
            mean_sign = tick.statistics.get("Loss/signs/real", {}).get("mean", float("nan"))
            self._log.line(
                f"WARNING: augment has stayed at 1, and D still overfits (mean sign of reals {mean_sign:.2f}, target "
                f"{self.model.augmentation.config.target:g}): more augmentation leaks into the images. More data, "
                f"--mirror=1, a larger --gamma or a smaller --cbase help; {_ADVICE}"
            )
        self._warned_of_1 = at_1 and (self._warned_of_1 or self._was_at_1)
        self._was_at_1 = at_1

    def _look_at_images(self, tick: Tick) -> None:
        reals, fakes = self._sample()
        for name, pixels in (("reals", reals), ("fakes", fakes)):
            self.grids[f"augmented_{name}"] = self._augmented_grid(pixels[: _COLUMNS * _ROWS], name[:-1], tick)
        names = checked_transforms(self.model.augmentation.config, reals.shape[3], **self._mirrored)
        if len(reals) < 8:
            return
        self.leaks = find_leaks(reals, fakes, names)
        found = sorted((leak for leak in self.leaks if leak.certain), key=lambda leak: -leak.explained)
        if {leak.transform for leak in found} - self._warned:
            self._warned |= {leak.transform for leak in found}
            shares = ", ".join(f"{leak.transform} {100 * min(leak.share, 1):.0f}%" for leak in found)
            self._log.line(
                f"WARNING: augmentation leaks: generated images look transformed, about {shares}. A lower --target "
                f"or --p, or an --augpipe without them, helps; {_ADVICE}"
            )

    def _sample(self) -> tuple[np.ndarray, np.ndarray]:
        """Equal numbers of reals and fakes of G_ema with the same labels, uint8 [N,H,W,C], the same at each tick."""
        count = min(len(self._dataset), MAX_IMAGES)
        keys = np.random.Philox(key=[1, 0]).random_raw(len(self._dataset))
        items = np.argsort(keys, kind="stable")[:count]
        z = tf.random.stateless_normal([count, self.model.G.z_dim], [_LATENTS_KEY, self._seed], alg="philox")
        batch = self._image_grids.batch_size()
        fakes = generate_images(self.model.G_ema, z.numpy(), self._dataset.labels(items), batch)
        return self._dataset.images(items), fakes

    def _augmented_grid(self, pixels: np.ndarray, kind: str, tick: Tick) -> np.ndarray:
        images = from_uint8(tf.constant(pixels))
        random = self.model.random.augmentation(0, kind, tf.constant(tick.nimg, tf.int64))
        augmented = to_uint8(self.model.augmentation(images, tick.augment_p, random).numpy())
        missing = -len(augmented) % _COLUMNS
        filled = np.concatenate([augmented, np.zeros([missing, *augmented.shape[1:]], np.uint8)])
        return tile(viewable(filled), _COLUMNS)
