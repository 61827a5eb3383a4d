"""Tests that depend on rounding, run as other machines would: python -m tests.machines [--ci] [--settings=NAME,...].

What a processor rounds depends on the instructions it has, on the library that computes, and on the number of threads
among which sums are split. Environment variables hold each of these, so that every setting is a process of its own.
Whatever is asserted about numbers must hold under all of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

ROOT = pathlib.Path(__file__).parents[1]
ROUNDING, NO_BFLOAT16 = "rounding", "rounding and not bfloat16"


@dataclasses.dataclass(frozen=True)
class Setting:
    """A kind of machine.

    Attributes:
        environment: variables that make a process compute as on one.
        tests: pytest's expression of markers of the tests that are run.
        for_ci: whether it is several at once, for where time is short.
    """

    environment: Mapping[str, str]
    tests: str = ROUNDING
    for_ci: bool = False


SETTINGS = {
    "as-it-is": Setting({}),
    "onednn-avx512-bf16": Setting({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}),
    "onednn-avx512": Setting({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}),
    "onednn-avx2": Setting({"ONEDNN_MAX_CPU_ISA": "AVX2"}),
    # TensorFlow's own convolutions in bfloat16 take a hundred times as long.
    "no-onednn": Setting({"TF_ENABLE_ONEDNN_OPTS": "0"}, NO_BFLOAT16),
    "ops-avx2": Setting({"SG_KERAS_PROCESSOR": "avx2"}),
    "ops-baseline": Setting({"SG_KERAS_PROCESSOR": "baseline"}),
    **{f"threads-{n}": Setting({"TF_NUM_INTRAOP_THREADS": str(n)}) for n in (1, 2, 4)},
    "old-processor": Setting({"ONEDNN_MAX_CPU_ISA": "AVX2", "SG_KERAS_PROCESSOR": "baseline"}, for_ci=True),
    "no-onednn-threads-1": Setting(
        {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_NUM_INTRAOP_THREADS": "1"}, NO_BFLOAT16, for_ci=True
    ),
}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a setting: pytest's exit status, its last line and the seconds it took."""

    name: str
    status: int
    summary: str
    seconds: float

    @property
    def line(self) -> str:
        variables = " ".join(f"{key}={value}" for key, value in SETTINGS[self.name].environment.items())
        return f"{self.name:<20}{'ok' if self.status == 0 else 'FAILED':<8}{self.seconds:>6.0f} s  {self.summary}" + (
            f"  ({variables})" if variables else ""
        )


def run_setting(name: str, words: Sequence[str], leave_out_long: bool = False) -> Outcome:
    """Run the tests of a setting in a process of its own; what fails is printed with all that pytest says."""
    setting, start = SETTINGS[name], time.monotonic()
    tests = f"{setting.tests} and not long" if leave_out_long else setting.tests
    held = {variable for other in SETTINGS.values() for variable in other.environment}
    environment = {key: value for key, value in os.environ.items() if key not in held} | dict(setting.environment)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", tests, *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    summary = lines[-1].strip("= ") if lines else "no output"
    if done.returncode < 0:  # nothing was summed up
        summary = f"ended by {signal.Signals(-done.returncode).name}"
    return Outcome(name, done.returncode, summary, time.monotonic() - start)


def names_of(text: str) -> list[str]:
    """Settings named on the command line.

    Raises:
        ValueError: one is not known.
    """
    names = text.split(",")
    unknown = [name for name in names if name not in SETTINGS]
    if unknown:
        raise ValueError(f"--settings: found {unknown[0]!r}, expected some of {', '.join(SETTINGS)}")
    return names


def parse(argv: Sequence[str] | None) -> tuple[list[str], list[str], bool]:
    """Names of the settings to run, words for pytest, and whether time is short: no long proofs then."""
    parser = argparse.ArgumentParser(prog="python -m tests.machines", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--settings", default="", help=f"of {', '.join(SETTINGS)}; all unless given")
    parser.add_argument(
        "--ci", action="store_true", help="several at once and no long proofs, to save time; also where CI=true"
    )
    known, words = parser.parse_known_args(argv)
    if known.settings:
        return names_of(known.settings), words, known.ci
    few = known.ci or os.environ.get("CI") == "true"
    return [name for name, setting in SETTINGS.items() if setting.for_ci == few], words, few


def main(argv: Sequence[str] | None = None) -> int:
    """Run settings one after another; the last line says whether all passed, and so does the exit status."""
    try:
        names, words, few = parse(argv)
    except ValueError as error:
        print(f"machines: {error}", file=sys.stderr)
        return 1
    outcomes = []
    for name in names:
        outcomes.append(run_setting(name, words, few))
        print(outcomes[-1].line, flush=True)
    failed = [outcome.name for outcome in outcomes if outcome.status]
    total = sum(outcome.seconds for outcome in outcomes)
    print(f"\n{'setting':<20}{'result':<8}{'time':>8}")
    for outcome in outcomes:
        print(outcome.line)
    print(f"machines: {len(outcomes) - len(failed)} of {len(outcomes)} settings passed in {total:.0f} s", end="")
    print(f", not {', '.join(failed)}" if failed else "")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
