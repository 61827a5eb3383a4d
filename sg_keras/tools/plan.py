"""What --plan prints and draws."""

from __future__ import annotations

import json
import pathlib

from sg_keras.config import TrainingConfig
from sg_keras.files.printable import printable
from sg_keras.flags import ParsedCommandLine, PlanRequest
from sg_keras.planning.measured_steps import LEAST_SECONDS, STEPS, MeasuredSteps
from sg_keras.planning.plan import make_plan
from sg_keras.planning.plan_text import plan_text
from sg_keras.tools.measured_process import measure_in_process
from sg_keras.tools.plan_image import draw_plan
from sg_keras.tools.published_rows import published_rows

_GIGA = 10**9


def show_plan(parsed: ParsedCommandLine, request: PlanRequest) -> int:
    """Work the plan of a command line out and print it.

    Returns:
        Exit status 0.

    Raises:
        ValueError, OSError: the run cannot be trained, or the image not be drawn; one line.
    """
    plan = make_plan(
        parsed.config,
        published_rows(),
        measure=_measured if request.measure else None,
        available=None if request.memory_gb is None else int(request.memory_gb * _GIGA),
        price_per_hour=request.price_per_hour,
    )
    if request.png is not None:
        draw_plan(pathlib.Path(request.png), plan)
    if request.json:
        print(json.dumps(plan.to_dict(), indent=2))
        return 0
    print(printable(plan_text(plan)))
    for note in parsed.notes:
        print(f"Note: {printable(note)}")
    if request.png is not None:
        print(f"Drawn in {request.png}")
    return 0


def _measured(config: TrainingConfig) -> MeasuredSteps:
    return MeasuredSteps(**measure_in_process(config, STEPS, LEAST_SECONDS))
