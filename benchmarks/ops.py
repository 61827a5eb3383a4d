"""Speed of the compiled ops beside the best that TensorFlow's own ops can do.

    python -m benchmarks.ops [--op=NAME,...] [--threads=1,2] [--seconds=3] [--fresh] [--tiny] [--json]

Each case is run against the compositions of `ops_compositions` in turns, and compared with the fastest: medians, in
one process, after a warm-up, oneDNN on. All are first checked to give the same numbers. Ops that are bound by memory
are also compared with a copy: `share` is their bandwidth (each tensor read or written once) as a share of that of a
TensorFlow op that copies a tensor of the size of theirs into one that it allocates. For filtered_lrelu the peak of
memory is given, as a share of inputs, results and mask.

TensorFlow with oneDNN keeps freed memory and gives it to the next op; `faults` counts the pages that the system had to
provide in a call all the same. --fresh turns oneDNN off: large results are then new memory each time. Threads are
bound to as many cores, one process for each number.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from sg_keras.files.processor import usable_cores

_MARKER = "ANSWER "
_DISTURBED = 0.02  # share of the cores that others may take


# ---- one process, one number of threads ------------------------------------------------------------------------------


def measure_here(options: argparse.Namespace) -> list[dict]:
    """The rows of all cases, with this process's threads."""
    # Here, because the process that starts the others needs no TensorFlow.
    from benchmarks.ops_cases import OPS, cases
    from benchmarks.ops_measuring import measure
    from benchmarks.ops_timing import use_threads

    use_threads(options.here)
    rows = []
    for op in options.op.split(",") if options.op else OPS:
        chosen = cases(op, _shrink(options))
        if not chosen:
            print(f"{op}: does not exist yet, left out", file=sys.stderr)
        for case in chosen:
            print(f"{case.name} ...", file=sys.stderr)
            rows.append(measure(case, options.seconds) | {"threads": options.here, "fresh": options.fresh})
    return rows


def peak_memory_here(options: argparse.Namespace) -> float | None:
    """The peak of memory of one case."""
    from benchmarks.ops_cases import cases
    from benchmarks.ops_measuring import peak_memory

    case = next(case for case in cases(options.op, _shrink(options)) if case.name == options.peak_memory_of)
    return peak_memory(case)


def _shrink(options: argparse.Namespace) -> int:
    return 8 if options.tiny else 1


# ---- all of them -----------------------------------------------------------------------------------------------------


def measure_in_processes(options: argparse.Namespace, argv: Sequence[str]) -> list[dict]:
    """The rows of every number of threads.

    Raises:
        ValueError: a process failed, or more threads were asked for than there are cores.
    """
    rows: list[dict] = []
    for threads in map(int, options.threads.split(",")):
        cores = usable_cores()
        if not 1 <= threads <= cores:
            raise ValueError(f"threads: found {threads}, expected 1 to {cores}, the cores of this machine")
        for row in _answer(options, [*argv, f"--here={threads}"]):
            if row["keeps_mask"]:
                case = [f"--op={row['op']}", f"--peak_memory_of={row['case']}"] + ["--tiny"] * options.tiny
                row["peak_memory"] = _answer(options, [f"--here={threads}", *case])
            rows.append(row)
    return rows


def _answer(options: argparse.Namespace, argv: Sequence[str]) -> Any:
    """What a process of this module prints after the marker."""
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0" if options.fresh else "1"}
    command = [sys.executable, "-m", "benchmarks.ops", *argv]
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    lines = [line for line in result.stdout.splitlines() if line.startswith(_MARKER)]
    if result.returncode or not lines:
        raise ValueError(f"benchmarks.ops {' '.join(argv)} failed with status {result.returncode}")
    return json.loads(lines[-1][len(_MARKER) :])


def table_of(rows: Sequence[dict]) -> Table:
    """The rows for people."""
    columns = ("op", "threads", "ours ms", "best other ms", "which", "ratio", "target", "share", "memory", "faults")
    table = Table(*columns, show_lines=False)
    for row in rows:
        reached = row["target"] is None or row["ratio"] >= row["target"]
        table.add_row(
            row["case"],
            str(row["threads"]),
            f"{row['ours_ms']:.2f}",
            f"{row['composed_ms']:.2f}",
            f"{row['kind']}: {row['composed']}",
            f"[{'green' if reached else 'red'}]{row['ratio']:.2f}[/]",
            "" if row["target"] is None else f"{row['target']:g}",
            "" if row["share_of_copy"] is None else f"{row['share_of_copy']:.0%}",
            "" if row["peak_memory"] is None else f"{row['peak_memory']:.2f}",
            str(row["page_faults"]),
        )
    return table


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Speed of the compiled ops beside TensorFlow's own.")
    parser.add_argument("--op", default="", help="names, separated by commas; default: all")
    parser.add_argument("--threads", default="1,2", help="numbers of threads, separated by commas")
    parser.add_argument("--seconds", type=float, default=3, help="to measure each case for")
    parser.add_argument("--fresh", action="store_true", help="new memory for every large result")
    parser.add_argument("--tiny", action="store_true", help="smallest sizes: shows that everything runs, nothing else")
    parser.add_argument("--json", action="store_true", help="print a JSON object as the last line")
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--peak_memory_of", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0, or 1 after one line that says what is wrong."""
    argv = sys.argv[1:] if argv is None else argv
    options = parse(argv)
    try:
        if options.here:
            answer = peak_memory_here(options) if options.peak_memory_of else measure_here(options)
            print(_MARKER + json.dumps(answer))
            return 0
        rows = measure_in_processes(options, argv)
    except ValueError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    Console(width=None if sys.stdout.isatty() else 200).print(table_of(rows))
    disturbed = max((row["other_load"] for row in rows), default=0)
    if disturbed > _DISTURBED:
        print(f"Note: other processes took up to {disturbed:.0%} of the cores' time; measure again on a quiet machine")
    if options.json:
        print(json.dumps({"rows": rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
