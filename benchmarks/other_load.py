"""How busy other processes keep the cores while something is measured: figures from a busy machine mean little."""

from __future__ import annotations

import os
import pathlib
import time

from sg_keras.files.processor import usable_cores

_STAT = pathlib.Path("/proc/stat")


class OtherLoad:
    """Share of the usable cores' time that other processes take, from its creation on. Linux only: elsewhere 0."""

    def __init__(self) -> None:
        self._start = self._now()

    def share(self) -> float:
        """0 on a quiet machine, 1 where others had all cores. Exact to a hundredth of a second."""
        wall, busy, own = (now - start for now, start in zip(self._now(), self._start, strict=True))
        return max(busy - own, 0.0) / (wall * self._num_cores()) if wall > 0 and busy > 0 else 0.0

    def _now(self) -> tuple[float, float, float]:
        return time.perf_counter(), self._busy_sec(), time.process_time()

    @staticmethod
    def _num_cores() -> int:
        return usable_cores()

    @staticmethod
    def _busy_sec() -> float:
        if not _STAT.exists() or not hasattr(os, "sched_getaffinity"):
            return 0.0
        cores = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        ticks = 0
        for line in _STAT.read_text().splitlines():
            name, *fields = line.split()
            if name in cores:
                user, nice, system, _idle, _iowait, irq, softirq = map(int, fields[:7])
                ticks += user + nice + system + irq + softirq
        return ticks / os.sysconf("SC_CLK_TCK")
