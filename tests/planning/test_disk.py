"""What is left on the disk, beside the clock that says when something is saved."""

import dataclasses

import pytest

from sg_keras.config.cadence import Every
from sg_keras.planning.disk import disk_use
from sg_keras.planning.traced_step import StateSizes
from sg_keras.training.callbacks.ticks import TickClock
from tests.planning.tiny_plan import tiny_config

SIZES = StateSizes(networks=3, optimizers=2, snapshot=3, checkpoint=5)


@pytest.mark.parametrize(("total", "tick", "snap"), [(1.0, 0.1, 2), (0.9, 0.1, 3), (1.0, 0.05, 50), (0.96, 0.12, 4)])
def test_snapshots_are_those_of_the_clock(total: float, tick: float, snap: int):
    config = tiny_config()
    run = dataclasses.replace(config.run, total_kimg=total, tick_kimg=tick, snapshot_ticks=snap, metrics=())
    config = dataclasses.replace(config, run=run)
    clock, ends = TickClock(config.batch, tick), range(config.batch, round(total * 1000), config.batch)
    due = sum(clock.is_due(nimg, Every(snap)) for nimg in ends) + 1  # and at the end
    assert abs(disk_use(config, SIZES).snapshots - due) <= 1
    assert disk_use(config, SIZES).checkpoints == min(3, disk_use(config, SIZES).snapshots + 1)


def test_what_is_kept_for_good_counts():
    config = tiny_config()
    run = dataclasses.replace(config.run, keep_every_kimg=10.0, metrics=("kd5k",), snapshot_ticks=1, keep_checkpoints=1)
    use = disk_use(dataclasses.replace(config, run=run), SIZES)
    assert use.checkpoints == 2 + 10 + 1
    assert use.total_bytes == 3 * use.snapshots + 5 * (use.checkpoints + 1)
