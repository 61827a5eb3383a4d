"""A plan, drawn: memory and time by their parts."""

from __future__ import annotations

import pathlib
from typing import Any

from sg_keras.files.atomic import atomic_file
from sg_keras.files.errors import file_errors_explained
from sg_keras.files.optional import optional_package
from sg_keras.planning.plan import Plan
from sg_keras.planning.plan_text import duration, part_name

_INCHES = (9.0, 3.4)
_LEAST_SHARE = 0.01  # of a part that is drawn


def draw_plan(path: pathlib.Path, plan: Plan) -> None:
    """Draw a plan into a PNG file.

    Args:
        path: of the file.
        plan: to draw.

    Raises:
        ValueError: matplotlib is not installed; one line.
        OSError: the file cannot be written; one line.
    """
    optional_package("matplotlib", "demo", "--plan_png").use("Agg")
    plt = optional_package("matplotlib.pyplot", "demo", "--plan_png")
    figure, (left, right) = plt.subplots(1, 2, figsize=_INCHES, layout="constrained")
    sizes = {part_name(part): size / 1e6 for part, size in plan.memory.parts()}
    shown = {name: size for name, size in sizes.items() if size >= _LEAST_SHARE * sum(sizes.values())}
    where = "GPU and process" if plan.memory.on_gpu else "process"
    _bars(left, shown, "{:,.0f} MB")
    left.set_title(f"Memory at the peak ({plan.memory.peak_phase}), {where}")
    share = _shares(plan)
    _bars(right, {name: 100 * part for name, part in share.items()}, "{:.0f}%")
    right.set_title(_time_title(plan))
    with file_errors_explained(path), atomic_file(path) as beside:
        figure.savefig(beside, format="png", dpi=120)
    plt.close(figure)


def _shares(plan: Plan) -> dict[str, float]:
    """Of the time where it was measured, or else of the operations."""
    if plan.paces and plan.paces[0].phase_share:
        return plan.paces[0].phase_share
    due = {name: cost.total / plan.intervals[name] for name, cost in plan.phases.items()}
    return {name: flops / sum(due.values()) for name, flops in due.items()}


def _time_title(plan: Plan) -> str:
    if plan.measured is None:
        return f"Operations by phase, {plan.flops_per_image / 1e9:.3g} GFLOP an image"
    pace = plan.paces[0]
    return f"Time by phase, {pace.sec_per_kimg:.1f} s/kimg, {duration(pace.end_sec)}"


def _bars(plot: Any, values: dict[str, float], label: str) -> None:
    """Horizontal bars, the first on top, with their values."""
    names = list(values)
    bars = plot.barh(range(len(names)), list(values.values()))
    plot.set_yticks(range(len(names)), names)
    plot.invert_yaxis()
    plot.bar_label(bars, [label.format(value) for value in values.values()], padding=3)
    plot.margins(x=0.2)
    plot.spines[["top", "right"]].set_visible(False)
