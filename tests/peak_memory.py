"""Runs a command and says how much memory it and all that it starts held at most: python -m tests.peak_memory COMMAND.

Shared pages count once (PSS). SG_KERAS_TEST_MEMORY_GB is the most that is allowed, 0 for any: beyond it the exit status
is 1, and the largest processes of that moment are named.
"""

import os
import pathlib
import subprocess
import sys
import time

SECONDS_BETWEEN = 2.0  # reading takes 10 ms of the system for each process
PROC = pathlib.Path("/proc")


def processes_below(root: int, proc: pathlib.Path = PROC) -> list[int]:
    """The process and all that it has started, directly or not, as far as they live."""
    children: dict[int, list[int]] = {}
    for folder in proc.iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # it has ended
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def proportional_bytes(process: int, proc: pathlib.Path = PROC) -> int:
    """Memory of a process, its part of what it shares with others included."""
    try:
        lines = (proc / str(process) / "smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0  # it has ended, or the system does not tell
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def command_of(process: int, proc: pathlib.Path = PROC) -> str:
    """What a process runs, shortened."""
    try:
        words = (proc / str(process) / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return "(ended)"
    return " ".join(words)[:100]


def watch(command: list[str], seconds_between: float = SECONDS_BETWEEN) -> tuple[int, int, list[tuple[int, str]]]:
    """Run a command.

    Returns:
        Its exit status, the most bytes that it held at once, and the processes of that moment, the largest first.
    """
    child = subprocess.Popen(command)
    most, largest = 0, []
    while True:
        sizes = {process: proportional_bytes(process) for process in processes_below(child.pid)}
        if sum(sizes.values()) > most:
            most = sum(sizes.values())
            largest = sorted(((size, command_of(process)) for process, size in sizes.items()), reverse=True)
        try:
            return child.wait(seconds_between), most, largest
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt:  # the command has had it too, and ends in its own time
            return child.wait(), most, largest


def main(command: list[str]) -> int:
    """Exit status of the command, or 1 where it held too much."""
    allowed = float(os.environ.get("SG_KERAS_TEST_MEMORY_GB") or 0) * 2**30
    started = time.monotonic()
    status, most, largest = watch(command)
    used = os.times()
    print(
        f"memory: {most / 2**30:.2f} GB at most in all processes; {time.monotonic() - started:.0f} s, "
        f"{used.children_user + used.children_system:.0f} s of processor time"
    )
    if not allowed or most <= allowed:
        return status
    print(f"memory: found {most / 2**30:.2f} GB, expected at most {allowed / 2**30:g} GB; the largest processes:")
    for size, words in largest[:5]:
        print(f"  {size / 2**30:5.2f} GB  {words}")
    return status or 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
