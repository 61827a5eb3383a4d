"""What a run leaves on the disk, worked out from the sizes of its state and what it keeps."""

from __future__ import annotations

import dataclasses

from sg_keras.config import TrainingConfig
from sg_keras.planning.traced_step import StateSizes
from sg_keras.training.callbacks.checkpoints import save_cadences


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DiskUse:
    """Files of a run at its end; grids of images, logs and statistics are small beside them.

    Attributes:
        snapshot_bytes, snapshots: of each network snapshot, and how many there are: all stay.
        checkpoint_bytes, checkpoints: of each exact checkpoint, and how many stay at most.
    """

    snapshot_bytes: int
    snapshots: int
    checkpoint_bytes: int
    checkpoints: int

    @property
    def total_bytes(self) -> int:
        """All of them, and one checkpoint more, which is written before the oldest goes."""
        return self.snapshot_bytes * self.snapshots + self.checkpoint_bytes * (self.checkpoints + 1)


def disk_use(config: TrainingConfig, sizes: StateSizes) -> DiskUse:
    """What the run will have written when it is complete."""
    run = config.run
    images = run.total_kimg * 1000
    ticks = max(int((images - config.batch) // max(round(run.tick_kimg * 1000), 1)), 0)
    cadences = save_cadences(run)
    saved = [tick for tick in range(1, ticks + 1) if any(every.is_at(tick) for every in cadences)]
    snapshots = len(saved) + 1  # and the last one
    kept_for_good = int(run.total_kimg // run.keep_every_kimg) if run.keep_every_kimg else 0
    checkpoints = max(run.keep_checkpoints, 2) + kept_for_good + len(run.metrics)  # the best snapshot's by each score
    return DiskUse(
        snapshot_bytes=sizes.snapshot,
        snapshots=snapshots,
        checkpoint_bytes=sizes.checkpoint,
        checkpoints=min(checkpoints, snapshots + 1),
    )
