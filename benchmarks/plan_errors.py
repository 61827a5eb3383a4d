"""How far a plan is off: what it predicts beside what a run of the same options takes, for six configurations.

    python -m benchmarks.plan_errors [--only="NAME;NAME"] [--seconds=15]

Each is planned (`run_training.py --plan --json`), then trained for about so many seconds, one after the other, so that
both see the same load. Compared are the seconds for a thousand images, from the third iteration on and without ticks'
maintenance, and the most memory that the process held while it trained. Prints Markdown.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from benchmarks.timed_run import MARK, Outcome
from benchmarks.training_step import random_dataset
from sg_keras.config.sizes import parse_size

ROOT = pathlib.Path(__file__).resolve().parents[1]
_STYLEGAN2 = ["--cfg=stylegan2", "--gamma=1", "--batch=8", "--cmax=64", "--aug=noaug"]
CASES: dict[str, tuple[int | None, list[str]]] = {  # resolution (None = the digits), options
    "stylegan2 32x32": (32, [*_STYLEGAN2, "--cbase=2048"]),
    "stylegan2 64x64, bfloat16": (64, [*_STYLEGAN2, "--cbase=4096", "--precision=bfloat16"]),
    "stylegan2 digits, classes, ADA": (None, [*_STYLEGAN2[:-1], "--cbase=2048", "--aug=ada", "--cond=1"]),
    "stylegan3-t 32x32": (32, ["--cfg=stylegan3-t", "--gamma=1", "--batch=8", "--cbase=1024", "--cmax=32"]),
    "stylegan3-r 16x16": (16, ["--cfg=stylegan3-r", "--gamma=1", "--batch=8", "--cbase=256", "--cmax=16"]),
    "stylegan2 64x64, small": (64, ["--cfg=stylegan2", "--capacity=small", "--gamma=1", "--batch=4", "--aug=noaug"]),
}


def plan(words: Sequence[str]) -> dict[str, Any]:
    """What --plan says."""
    command = [sys.executable, "run_training.py", *words, "--plan", "--json"]
    return json.loads(_output(command))


def trained(words: Sequence[str], seconds: float) -> Outcome:
    """The outcome of a run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.timed_run", str(seconds), *words]
    line = next(line for line in _output(command).splitlines() if line.startswith(MARK))
    return Outcome(**json.loads(line.removeprefix(MARK)))


def _output(command: Sequence[str]) -> str:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.fspath(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"{' '.join(command)}: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")
    return done.stdout


def compare(name: str, seconds: float) -> str:
    """A row of the table."""
    resolution, options = CASES[name]
    with contextlib.ExitStack() as stack:
        path = "digits"
        if resolution is not None:
            path = stack.enter_context(random_dataset(parse_size(f"{resolution}x{resolution}")))
        outdir = stack.enter_context(tempfile.TemporaryDirectory())
        words = [f"--outdir={outdir}", f"--data={path}", *options, "--gpus=0", "--metrics=none", "--kimg=1000"]
        planned, found = plan(words), trained(words, seconds)
    pace, memory, measured = planned["time"][0], planned["memory"]["process_bytes"], planned["measured"]
    cells = [
        name,
        f"{pace['sec_per_kimg']:.1f}",
        f"{found.sec_per_kimg:.1f}",
        f"{pace['sec_per_kimg'] / found.sec_per_kimg - 1:+.1%}",
        f"{memory / 1e9:.3f}",
        f"{measured['peak_bytes'] / 1e9:.3f}",
        f"{found.peak_bytes / 1e9:.3f}",
        f"{memory / found.peak_bytes - 1:+.1%}",
        f"{found.other_load:.0%}",
    ]
    return "| " + " | ".join(cells) + " |"


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0, or 1 after one line that says what is wrong."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="names of configurations, by semicolons; default: all")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each run")
    options = parser.parse_args(words)
    try:
        names = [name for name in CASES if not options.only or name in options.only.split(";")]
        columns = "sec/kimg planned | trained | off | GB predicted | while planning | trained | off | others"
        print(f"| configuration | {columns} |")
        print("|---|" + "--:|" * 8)
        for name in names:
            print(compare(name, options.seconds), flush=True)
    except (ValueError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
