"""A process of its own that measures a run's steps: it holds what a run holds, and nothing of the plan.

It is this module, run by `python -m`; it reads the run's configuration, JSON, from stdin.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
from typing import Any

import sg_keras
from sg_keras.config import TrainingConfig
from sg_keras.tools.quiet_start import load_quietly

_MARK = "measured: "  # before the result, on its line


def measure_in_process(config: TrainingConfig, steps: int, least_sec: float) -> dict[str, Any]:
    """Measure in a new process.

    Args:
        config: of the run.
        steps, least_sec: iterations at least, and their seconds.

    Returns:
        Fields of `sg_keras.planning.measured_steps.MeasuredSteps`.

    Raises:
        ValueError: the run cannot be trained; its line.
    """
    environment = dict(os.environ)
    above = str(pathlib.Path(sg_keras.__file__).resolve().parents[1])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [above, environment.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "sg_keras.tools.measured_process", str(steps), repr(least_sec), repr(time.time())]
    done = subprocess.run(
        command, input=config.to_json(), capture_output=True, text=True, encoding="utf-8", env=environment, check=False
    )
    found = [line.removeprefix(_MARK) for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if done.returncode == 0 and found:
        fields: dict[str, Any] = json.loads(found[-1])
        return fields
    said = [line for line in done.stderr.splitlines() if line.strip()]
    raise ValueError(
        f"--plan: found no way to train this run ({said[-1] if said else f'exit status {done.returncode}'}), expected "
        "one; --no_measure plans without"
    )


def main() -> None:
    """Read the configuration, measure, print the result."""
    steps, least_sec, started = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    load_quietly("sg_keras.planning.measured_steps")
    from sg_keras.planning.measured_steps import measure

    try:
        measured = measure(TrainingConfig.from_json(sys.stdin.read()), steps, least_sec, started)
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    print(f"\n{_MARK}{json.dumps(dataclasses.asdict(measured))}", flush=True)


if __name__ == "__main__":
    main()
