"""Memory of this process and of the machine, as the system tells it."""

from __future__ import annotations

import contextlib
import pathlib
import resource
import sys

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def resident_bytes() -> int:
    """Resident memory of this process; where the system does not tell, the highest so far."""
    try:
        pages = int(pathlib.Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize()
    except OSError:
        return peak_bytes()


def peak_bytes() -> int:
    """The highest resident memory of this process so far; what a parent held before does not count on Linux."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def available_bytes() -> int | None:
    """Memory that a new process may take here, by the system and a container's limit; None where neither tells."""
    found = []
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    for place in _CGROUP_LIMITS:
        with contextlib.suppress(OSError, ValueError):
            found.append(int(pathlib.Path(place).read_text(encoding="ascii")))
    return min(found, default=None)
