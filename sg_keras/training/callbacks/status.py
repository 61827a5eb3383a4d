"""The status line and stats.jsonl: what a tick's end looks like to people and to scripts."""

from __future__ import annotations

import logging
import pathlib
import time

from sg_keras.checkpoint.traces import STATISTICS
from sg_keras.files.json_lines import append_line, keep_lines
from sg_keras.training.callbacks.meter import Meter, Tick, TickCallback
from sg_keras.training.run_log import RunLog

_LOGGER = logging.getLogger(__name__)


def duration_text(seconds: float) -> str:
    """Two units at most: 12s, 5m 20s, 2h 11m, 3d 04h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole // 60 % 60:02d}m"
    return f"{whole // 86400}d {whole // 3600 % 24:02d}h"


def status_line(tick: Tick) -> str:
    """One line per tick; fields are two blanks apart, each a name, a blank and its value."""
    eta = "unknown" if tick.eta_sec is None else duration_text(tick.eta_sec)
    return "  ".join(
        [
            f"tick {tick.number}",
            f"kimg {tick.nimg / 1000:.1f}",
            f"time {duration_text(tick.total_sec)}",
            f"sec/tick {tick.sec_per_tick:.1f}",
            f"sec/kimg {tick.sec_per_kimg:.2f}",
            f"data-wait {100 * tick.data_wait_frac:.1f}%",
            f"cpumem {tick.cpu_mem_gb:.1f}",
            f"gpumem {tick.peak_gpu_mem_gb:.1f}",
            f"augment {tick.augment_p:.3f}",
            f"eta {eta}",
        ]
    )


def tick_statistics(tick: Tick) -> dict[str, dict[str, float]]:
    """All statistics of a tick as {"num", "mean", "std"}, under the published names."""
    single = {
        "Progress/tick": tick.number,
        "Progress/kimg": tick.nimg / 1000,
        "Progress/augment": tick.augment_p,
        "Timing/total_sec": tick.total_sec,
        "Timing/sec_per_tick": tick.sec_per_tick,
        "Timing/sec_per_kimg": tick.sec_per_kimg,
        "Timing/maintenance_sec": tick.maintenance_sec,
        "Timing/data_wait_frac": tick.data_wait_frac,
        "Timing/total_hours": tick.total_sec / 3600,
        "Timing/total_days": tick.total_sec / 86400,
        "Resources/cpu_mem_gb": tick.cpu_mem_gb,
        "Resources/peak_gpu_mem_gb": tick.peak_gpu_mem_gb,
    }
    return {**tick.statistics, **{name: {"num": 1, "mean": value, "std": 0.0} for name, value in single.items()}}


class StatusLine(TickCallback):
    """Prints the status line."""

    def __init__(self, meter: Meter, log: RunLog) -> None:
        super().__init__(meter)
        self._log = log

    def on_tick(self, tick: Tick) -> None:
        self._log.line(status_line(tick))


class StatsFile(TickCallback):
    """Adds a line to stats.jsonl: the tick's statistics and a timestamp in seconds since 1970."""

    def __init__(self, meter: Meter, run_dir: pathlib.Path) -> None:
        super().__init__(meter)
        self._path = run_dir / STATISTICS

    def on_tick(self, tick: Tick) -> None:
        values = {**tick_statistics(tick), "timestamp": time.time()}
        append_line(self._path, values)


def forget_stats_after(run_dir: pathlib.Path, nimg: int) -> None:
    """Drop the lines of stats.jsonl that are beyond nimg images, or torn: the run comes past there again.

    So every tick has one line, however often a run was killed.
    """
    path = run_dir / STATISTICS
    removed = keep_lines(path, lambda row: round(row["Progress/kimg"]["mean"] * 1000) <= nimg)
    if removed:
        _LOGGER.info("Removed %d lines of %s beyond kimg %g", removed, path, nimg / 1000)
