"""What changes over a run, drawn."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

import numpy as np

from sg_keras.config.schedule import Schedule
from sg_keras.files.atomic import atomic_file
from sg_keras.files.errors import file_errors_explained
from sg_keras.files.optional import optional_package

_INCHES = (6.4, 1.8)  # of one schedule's plot
_POINTS = 1000


def draw_schedules(path: pathlib.Path, schedules: Mapping[str, Schedule], total_kimg: float) -> None:
    """Draw each schedule over a run into one PNG file.

    Args:
        path: of the file.
        schedules: by the names of their options.
        total_kimg: length of the run, thousands of images.

    Raises:
        ValueError: nothing changes over the run, or matplotlib is not installed; one line.
        OSError: the file cannot be written; one line.
    """
    if not schedules:
        raise ValueError("--plot_schedule: found no schedule, expected one, such as --glr='2e-3; 2e-4 from 500'")
    optional_package("matplotlib", "demo", "--plot_schedule").use("Agg")
    plt = optional_package("matplotlib.pyplot", "demo", "--plot_schedule")
    figure, axes = plt.subplots(
        len(schedules),
        1,
        figsize=(_INCHES[0], _INCHES[1] * len(schedules)),
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    for (name, schedule), plot in zip(schedules.items(), axes[:, 0], strict=True):
        changes = [kimg for kimg in schedule.changes_kimg if kimg < total_kimg]
        kimg = np.unique([*np.linspace(0, total_kimg, _POINTS), *changes, *(np.nextafter(k, 0) for k in changes)])
        plot.plot(kimg, [schedule.at(int(1000 * k)) for k in kimg])
        plot.set_ylabel(f"--{name}")
        plot.set_ylim(bottom=0 if min(schedule.values) >= 0 else None)
        plot.grid(alpha=0.3)
    axes[-1, 0].set_xlabel("kimg")
    with file_errors_explained(path), atomic_file(path) as beside:
        figure.savefig(beside, format="png", dpi=150)
    plt.close(figure)
