"""The status line and stats.jsonl."""

import json

import pytest

from sg_keras.training.callbacks.meter import Tick
from sg_keras.training.callbacks.status import duration_text, forget_stats_after, status_line, tick_statistics

TICK = Tick(
    number=12,
    nimg=48000,
    last=False,
    statistics={"Loss/G/loss": {"num": 4, "mean": 0.7, "std": 0.1}},
    total_sec=320.2,
    sec_per_tick=26.12,
    sec_per_kimg=6.531,
    maintenance_sec=0.5,
    data_wait_frac=0.0042,
    eta_sec=7860.0,
    cpu_mem_gb=2.06,
    peak_gpu_mem_gb=0.0,
    augment_p=0.1341,
)


def test_status_line_is_the_documented_one():
    assert status_line(TICK) == (
        "tick 12  kimg 48.0  time 5m 20s  sec/tick 26.1  sec/kimg 6.53  data-wait 0.4%  cpumem 2.1  gpumem 0.0  "
        "augment 0.134  eta 2h 11m"
    )


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0, "0s"),
        (59.4, "59s"),
        (59.6, "1m 00s"),
        (3599, "59m 59s"),
        (3600, "1h 00m"),
        (86399, "23h 59m"),
        (277200, "3d 05h"),
    ],
)
def test_durations(seconds, text):
    assert duration_text(seconds) == text


def test_statistics_have_the_published_names():
    statistics = tick_statistics(TICK)
    assert statistics["Loss/G/loss"] == {"num": 4, "mean": 0.7, "std": 0.1}
    assert statistics["Progress/kimg"] == {"num": 1, "mean": 48.0, "std": 0.0}
    assert {
        "Progress/tick",
        "Progress/augment",
        "Timing/total_sec",
        "Timing/sec_per_tick",
        "Timing/sec_per_kimg",
        "Timing/data_wait_frac",
        "Resources/cpu_mem_gb",
        "Resources/peak_gpu_mem_gb",
    } <= set(statistics)


def test_lines_beyond_the_checkpoint_and_torn_ones_are_dropped(tmp_path):
    path = tmp_path / "stats.jsonl"
    lines = [json.dumps({"Progress/kimg": {"mean": kimg}}) for kimg in (0.008, 0.04, 0.072)]
    path.write_text("\n".join(lines) + "\n" + lines[0][:9], encoding="utf-8")
    forget_stats_after(tmp_path, 40)
    assert path.read_text(encoding="utf-8") == "\n".join(lines[:2]) + "\n"
    forget_stats_after(tmp_path / "nowhere", 40)
