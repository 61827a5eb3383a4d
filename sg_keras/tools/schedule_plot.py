"""What changes over a run, drawn."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sg_keras.config.freeze import FreezeRule
from sg_keras.config.schedule import Schedule
from sg_keras.files.atomic import atomic_file
from sg_keras.files.errors import file_errors_explained
from sg_keras.files.optional import optional_package

_INCHES = (6.4, 1.8)  # of one schedule's plot
_POINTS = 1000


def draw_schedules(
    path: pathlib.Path, schedules: Mapping[str, Schedule], total_kimg: float, freeze: Sequence[FreezeRule] = ()
) -> None:
    """Draw each schedule over a run, and what is frozen, into one PNG file.

    Args:
        path: of the file.
        schedules: by the names of their options.
        total_kimg: length of the run, thousands of images.
        freeze: rules of what is not trained; none = that is not drawn.

    Raises:
        ValueError: nothing changes over the run, or matplotlib is not installed; one line.
        OSError: the file cannot be written; one line.
    """
    count = len(schedules) + bool(freeze)
    if not count:
        raise ValueError("--plot_schedule: found no schedule, expected one, such as --glr='2e-3; 2e-4 from 500'")
    optional_package("matplotlib", "demo", "--plot_schedule").use("Agg")
    plt = optional_package("matplotlib.pyplot", "demo", "--plot_schedule")
    size = (_INCHES[0], _INCHES[1] * count)
    figure, axes = plt.subplots(count, 1, figsize=size, sharex=True, squeeze=False, layout="constrained")
    plots = iter(axes[:, 0])
    for name, schedule in schedules.items():
        _draw_values(next(plots), name, schedule, total_kimg)
    if freeze:
        _draw_frozen(next(plots), freeze, total_kimg)
    axes[-1, 0].set_xlabel("kimg")
    with file_errors_explained(path), atomic_file(path) as beside:
        figure.savefig(beside, format="png", dpi=150)
    plt.close(figure)


def _draw_values(plot: Any, name: str, schedule: Schedule, total_kimg: float) -> None:
    changes = [kimg for kimg in schedule.changes_kimg if kimg < total_kimg]
    kimg = np.unique([*np.linspace(0, total_kimg, _POINTS), *changes, *(np.nextafter(k, 0) for k in changes)])
    plot.plot(kimg, [schedule.at(int(1000 * k)) for k in kimg])
    plot.yaxis.get_major_locator().set_params(integer=all(value.is_integer() for value in schedule.values))
    plot.set_ylabel(f"--{name}")
    plot.set_ylim(bottom=0 if min(schedule.values) >= 0 else None)
    plot.grid(alpha=0.3)


def _draw_frozen(plot: Any, rules: Sequence[FreezeRule], total_kimg: float) -> None:
    """A bar for each part, while it is frozen; the first ones on top."""
    names = list(dict.fromkeys(rule.name for rule in rules))
    for rule in rules:
        start = min(rule.from_kimg, total_kimg)
        end = total_kimg if rule.until_kimg is None else min(rule.until_kimg, total_kimg)
        plot.barh(names.index(rule.name), end - start, left=start, height=0.6, color="C0")
    plot.set_yticks(range(len(names)), names)
    plot.set_ylim(len(names) - 0.5, -0.5)
    plot.set_xlim(0, total_kimg)
    plot.set_ylabel("--freeze")
    plot.grid(alpha=0.3, axis="x")
