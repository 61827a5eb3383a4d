"""The meter of the tests' memory."""

import pathlib
import sys

import pytest

from tests import peak_memory

# A child that holds 64 MB until it has been seen, and its parent, which ends with 5.
HUNGRY = """
import pathlib, sys, time
block = bytearray(b"x") * (64 * 2**20)
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.01)
"""
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {HUNGRY!r}, sys.argv[1]]); sys.exit(5)"

needs_smaps = pytest.mark.skipif(
    not pathlib.Path("/proc/self/smaps_rollup").is_file(), reason="the system does not tell PSS"
)


def write_process(proc: pathlib.Path, number: int, parent: int, name: str = "python", pss: int = 0) -> None:
    folder = proc / str(number)
    folder.mkdir(parents=True)
    (folder / "stat").write_text(f"{number} ({name}) S {parent} 1 1\n", encoding="utf-8")
    (folder / "smaps_rollup").write_text(f"0-1 ---p [rollup]\nRss: 99 kB\nPss: {pss} kB\nPss_Anon: 9 kB\n")
    (folder / "cmdline").write_bytes(b"python\0-m\0pytest\0")


def test_all_descendants_are_found_and_none_else(tmp_path):
    for number, parent, name in ((10, 1, "a"), (11, 10, "b) R 77 ("), (12, 11, "c d"), (20, 1, "other")):
        write_process(tmp_path, number, parent, name)
    (tmp_path / "meminfo").write_text("")
    (tmp_path / "13").mkdir()  # one that ended as it was read
    assert peak_memory.processes_below(10, tmp_path) == [10, 11, 12]


def test_what_is_shared_counts_in_part(tmp_path):
    write_process(tmp_path, 10, 1, pss=40)
    assert peak_memory.proportional_bytes(10, tmp_path) == 40 * 1024
    assert peak_memory.proportional_bytes(11, tmp_path) == 0
    assert (peak_memory.command_of(10, tmp_path), peak_memory.command_of(11, tmp_path)) == (
        "python -m pytest ",
        "(ended)",
    )


@needs_smaps
def test_the_most_of_all_processes_and_the_status(tmp_path, monkeypatch):
    measure, seen = peak_memory.proportional_bytes, tmp_path / "seen"

    def measure_and_say(process):
        size = measure(process)
        if size > 64 * 2**20:
            seen.touch()
        return size

    monkeypatch.setattr(peak_memory, "proportional_bytes", measure_and_say)
    status, most, largest = peak_memory.watch([sys.executable, "-S", "-c", PARENT, str(seen)], seconds_between=0.02)
    assert status == 5
    assert 64 * 2**20 < largest[0][0] <= most
    assert len(largest) == 2


@pytest.mark.parametrize(
    "allowed, status, expected", [("", 0, 0), ("0", 3, 3), ("4", 3, 3), ("4", 0, 0), ("2", 0, 1), ("2", 3, 3)]
)
def test_too_much_is_an_error(allowed, status, expected, monkeypatch, capsys):
    monkeypatch.setenv("SG_KERAS_TEST_MEMORY_GB", allowed)
    monkeypatch.setattr(peak_memory, "watch", lambda command: (status, 3 * 2**30, [(2**30, "python -m pytest")]))
    assert peak_memory.main(["command"]) == expected
    printed = capsys.readouterr().out
    assert printed.startswith("memory: 3.00 GB at most in all processes; 0 s, ")
    assert ("found 3.00 GB, expected at most 2 GB" in printed) is (allowed == "2")
