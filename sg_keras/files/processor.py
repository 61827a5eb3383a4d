"""What the system says of the processor."""

from __future__ import annotations

import os
import pathlib
import platform

CPU_INFO = pathlib.Path("/proc/cpuinfo")  # of Linux


def processor_fact(name: str) -> str:
    """What the system says of the first processor under a name, such as "flags"; "" where it says nothing."""
    if not CPU_INFO.is_file():
        return ""
    lines = [line.partition(":") for line in CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()]
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def processor_name() -> str:
    """What the processor is called; of a system that does not say, its kind."""
    return processor_fact("model name") or platform.processor() or platform.machine()


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
