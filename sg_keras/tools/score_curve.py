"""Scores of several networks as a table in a file, and drawn along a run."""

from __future__ import annotations

import csv
import io
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.atomic import atomic_file, write_text
from sg_keras.files.optional import optional_package

if TYPE_CHECKING:
    from sg_keras.metrics.record import Score

_INCHES = (6.4, 2.6)  # of one score's plot


def write_curve(path: str, scores: Mapping[str, Sequence[Score]]) -> list[pathlib.Path]:
    """Write PATH.csv and PATH.png.

    Args:
        path: of both files, with either ending or without one.
        scores: of each network, by the name that it was given.

    Returns:
        The files.

    Raises:
        ValueError: matplotlib is not installed; one line.
        OSError: they cannot be written; one line.
    """
    table, image = (pathlib.Path(f"{path.removesuffix('.png').removesuffix('.csv')}{end}") for end in (".csv", ".png"))
    kimg = {network: _kimg(network) for network in scores}
    rows = [
        (
            network,
            "" if kimg[network] is None else f"{kimg[network]:g}",
            score.full_name,
            score.value,
            score.low,
            score.high,
        )
        for network, found in scores.items()
        for score in found
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("network", "kimg", "score", "value", "low", "high"), *rows])
    write_text(table, text.getvalue())
    _draw(image, rows)
    return [table, image]


def _kimg(network: str) -> float | None:
    """Thousands of real images that a network was trained on, where it says so."""
    from sg_keras.weights import trained_nimg

    nimg = trained_nimg(network)
    return None if nimg is None else nimg / 1000


def _draw(path: pathlib.Path, rows: Sequence[tuple[Any, ...]]) -> None:
    """A plot for each score, with intervals, by kimg if all networks have them, and else in their order."""
    optional_package("matplotlib", "demo", "--curve").use("Agg")
    plt = optional_package("matplotlib.pyplot", "demo", "--curve")
    names = list(dict.fromkeys(row[2] for row in rows))
    known = all(row[1] for row in rows)
    networks = list(dict.fromkeys(row[0] for row in rows))
    figure, axes = plt.subplots(
        len(names), 1, figsize=(_INCHES[0], _INCHES[1] * len(names)), sharex=True, squeeze=False, layout="constrained"
    )
    for name, plot in zip(names, axes[:, 0], strict=True):
        points = sorted(
            (float(row[1]) if known else networks.index(row[0]) + 1, *row[3:]) for row in rows if row[2] == name
        )
        x, value, low, high = (list(column) for column in zip(*points, strict=True))
        plot.fill_between(x, low, high, alpha=0.2, linewidth=0)
        plot.plot(x, value, marker="o", markersize=3)
        plot.set_ylabel(name)
        plot.grid(alpha=0.3)
    axes[-1, 0].set_xlabel("kimg" if known else "network, in the order of the command line")
    with atomic_file(path) as beside:
        figure.savefig(beside, format="png", dpi=150)
    plt.close(figure)
