"""From seconds of steps to those of a run, by hand."""

import pytest

from sg_keras.planning.pace import gpu_pace, measured_pace
from sg_keras.planning.published import GpuPace
from tests.planning.tiny_plan import MEASURED, tiny_config

ITERATION = 0.3 + 0.8 / 4 + 0.4 + 1.6 / 16 + 0.1


def test_measured_steps_count_as_often_as_they_are_due():
    pace = measured_pace(tiny_config(), MEASURED, {"Gmain": 1, "Greg": 4, "Dmain": 1, "Dreg": 16}, 2.0)
    assert pace.sec_per_kimg == pytest.approx(1000 * ITERATION / 8)
    assert pace.end_sec == pytest.approx(30 + 100 * pace.sec_per_kimg)
    assert pace.first_snapshot_sec == pytest.approx(30 + 100 * pace.sec_per_kimg)  # 50 ticks of 4 kimg are more
    assert pace.phase_share["Greg"] == pytest.approx(0.2 / ITERATION)
    assert sum(pace.phase_share.values()) == pytest.approx(1)
    assert pace.price == pytest.approx(2 * pace.end_sec / 3600)


def test_pace_of_gpus():
    pace = gpu_pace(tiny_config(), GpuPace("A100", 10.0, "rows"), None)
    assert (pace.device, pace.end_sec, pace.price, pace.phase_share) == ("1 x A100", 1000.0, None, {})
