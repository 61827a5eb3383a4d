"""Step time on 1 to 64 GPUs: a model fitted on the published rows of 1 and 8 GPUs, held to those of 2 and 4.

    python -m benchmarks.scaling_model [--table=CSV] [--network_gbit=10,100] [--plot=PNG]

Nothing is measured here, and no GPU is needed: the seconds are the published ones (docs/training_configs.md), taken
with the published code. sg_keras/planning/step_time_model.py has the model. Prints Markdown: what was fitted, errors on
rows that the fit has seen and has not seen, which of these are beyond 15%, and what several machines of 8 would bring.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from sg_keras.planning.step_time_model import FITTED, MACHINE, Row, StepModel, error, fit, grown, predict, read_rows
from sg_keras.tools.published_rows import config_of_options

ROOT = pathlib.Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests" / "fixtures" / "training_configs.csv"
GPU_TYPES = ("V100", "A100")
HELD_OUT, BEYOND = (2, 4), (16, 32, 64)  # numbers of GPUs
LIMIT = 0.15  # relative error
_STYLES = {"--": "dashed", ":": "dotted", "-.": "dash-dotted"}  # of lines, by network


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Markdown, the first column to the left."""
    marks = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, marks, *lines))


def parameters(models: dict[str, StepModel], rows: Sequence[Row]) -> str:
    """What was fitted."""
    configurations = {row.configuration: row for row in rows}
    text = []
    for kind, model in models.items():
        overhead = ", ".join(f"{cfg} {1000 * value:.0f} ms a round" for cfg, value in model.overhead.items())
        bandwidth = f"{1 / model.exchange:.1f} GB/s" if model.exchange > 0 else "no limit found"
        text.append(f"{kind}: bandwidth {bandwidth}; overhead {overhead}")
    head = ["compute", "gradients, MB an iteration", *(f"ms an image, {kind}" for kind in models)]
    lines = [
        [name, f"{1000 * row.exchanged_gb:.0f}", *(f"{1000 * model.compute[name]:.1f}" for model in models.values())]
        for name, row in configurations.items()
    ]
    return "\n".join([*text, "", _table(head, lines)])


def comparison(models: dict[str, StepModel], rows: Iterable[Row]) -> str:
    """Published and predicted seconds a kimg."""
    head = ["configuration", "GPUs", "batch", "batch-gpu"]
    for kind in models:
        head += [f"{kind} published", "model", "error"]
    lines = []
    for row in rows:
        line = [row.configuration, str(row.gpus), str(row.batch), str(row.batch_gpu)]
        for kind, model in models.items():
            wrong = error(model, row, kind)
            mark = "**" if abs(wrong) > LIMIT else ""
            line += [f"{row.sec_per_kimg[kind]:.2f}", f"{predict(model, row):.2f}", f"{mark}{wrong:+.1%}{mark}"]
        lines.append(line)
    return _table(head, lines)


def verdict(models: dict[str, StepModel], rows: Sequence[Row]) -> str:
    """How far off, beside the simplest of all models; which rows are beyond the limit, and what is special there."""
    lines = []
    held_out = [row for row in rows if row.gpus in HELD_OUT]
    single = {row.configuration: row for row in rows if row.gpus == 1}
    with_eight = {row.configuration for row in rows if row.gpus == MACHINE}
    for kind, model in models.items():
        seen = [abs(error(model, row, kind)) for row in rows if row.gpus in FITTED]
        unseen = [abs(error(model, row, kind)) for row in held_out]
        lines.append(f"{kind}: {len(model.compute) + len(model.overhead) + 1} parameters, {len(seen)} rows fitted")
        lines.append(f"  fitted rows: {np.mean(seen):.1%} off on average, {max(seen):.1%} at most")
        lines.append(f"  rows not seen: {np.mean(unseen):.1%} off on average, {max(unseen):.1%} at most")
        perfect = [
            abs(single[row.configuration].sec_per_kimg[kind] / row.gpus / row.sec_per_kimg[kind] - 1)
            for row in held_out
        ]
        lines.append(
            f"  for comparison, the time of 1 GPU divided by their number: {np.mean(perfect):.1%}, {max(perfect):.1%}"
        )
        far = [row for row in held_out if abs(error(model, row, kind)) > LIMIT]
        for row in far:
            why = "" if row.configuration in with_eight else "; no row of 8 GPUs to fit, so its overhead is others'"
            lines.append(
                f"  BEYOND {LIMIT:.0%}: {row.configuration} on {row.gpus} GPUs, {error(model, row, kind):+.1%}{why}"
            )
        if not far:
            lines.append(f"  none of the {len(held_out)} rows is beyond {LIMIT:.0%}")
    return "\n".join(lines)


def extrapolation(models: dict[str, StepModel], rows: Iterable[Row], networks: Sequence[float]) -> str:
    """Seconds a kimg on several machines, and how much of so many machines' speed that is."""
    head = ["configuration", "batch-gpu", "GPU", "8 GPUs"]
    head += [f"{gpus}, {network:g} Gbit/s" for network in networks for gpus in BEYOND]
    lines = []
    for row in (row for row in rows if row.gpus == MACHINE):
        for kind, model in models.items():
            alone = predict(model, row)
            line = [row.configuration, str(row.batch_gpu), kind, f"{alone:.2f}"]
            for network in networks:
                for gpus in BEYOND:
                    seconds = predict(model, grown(row, gpus), network)
                    line.append(f"{seconds:.2f} ({alone * MACHINE / gpus / seconds:.0%})")
            lines.append(line)
    return _table(head, lines)


def report(models: dict[str, StepModel], rows: Sequence[Row], networks: Sequence[float]) -> str:
    """Everything, as Markdown."""
    parts = [
        parameters(models, rows),
        "Rows the fit has not seen, seconds a kimg:",
        comparison(models, (row for row in rows if row.gpus in HELD_OUT)),
        "Rows it was fitted on:",
        comparison(models, (row for row in rows if row.gpus in FITTED)),
        verdict(models, rows),
        f"Machines of {MACHINE} GPUs, seconds a kimg (share of their speed without a network between them):",
        extrapolation(models, rows, networks),
    ]
    return "\n\n".join(parts)


def plot(models: dict[str, StepModel], rows: Sequence[Row], networks: Sequence[float], path: pathlib.Path) -> None:
    """Speed, and GPU time an image relative to one GPU: markers are published, lines the model."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, len(models), figsize=(13, 10), constrained_layout=True, squeeze=False)
    sides = sorted({row.resolution for row in rows})
    colours = {side: pyplot.get_cmap("viridis")(0.9 * k / max(len(sides) - 1, 1)) for k, side in enumerate(sides)}
    markers = dict(zip(sorted({row.cfg for row in rows}), "osD^v", strict=False))
    for column, (kind, model) in enumerate(models.items()):
        for name in dict.fromkeys(row.configuration for row in rows):
            own = sorted((row for row in rows if row.configuration == name), key=lambda row: row.gpus)
            look = {"color": colours[own[0].resolution], "marker": markers[own[0].cfg]}
            _draw(axes[:, column], own, kind, model, networks, look)
        _label(axes[:, column], kind, networks)
    marks = [pyplot.Line2D([], [], color=colours[side], label=f"{side}x{side}") for side in sides]
    marks += [pyplot.Line2D([], [], color="gray", marker=mark, ls="", label=cfg) for cfg, mark in markers.items()]
    marks += [pyplot.Line2D([], [], color="gray", marker="o", ls="", mfc="white", label="not seen by the fit")]
    axes[0, 0].legend(handles=marks, fontsize="small", loc="lower right")
    figure.savefig(path, dpi=65)
    pyplot.close(figure)


def _draw(
    axes: Any, own: list[Row], kind: str, model: StepModel, networks: Sequence[float], look: dict[str, Any]
) -> None:
    """One configuration of one GPU type; `own` by number of GPUs, the first one of 1."""
    single, colour = own[0].sec_per_kimg[kind], look["color"]
    gpus = np.array([row.gpus for row in own])
    seconds = np.array([predict(model, row) for row in own])
    axes[0].plot(gpus, 1000 / seconds, color=colour, lw=1)
    axes[1].plot(gpus, seconds * gpus / single, color=colour, lw=1)
    if own[-1].gpus == MACHINE:
        more = [own[-1], *(grown(own[-1], count) for count in BEYOND)]
        for network, style in zip(networks, _STYLES, strict=False):
            speeds = [1000 / predict(model, row, network) for row in more]
            axes[0].plot([row.gpus for row in more], speeds, style, color=colour, lw=1)
    for row in own:
        fill, published = colour if row.gpus in FITTED else "white", row.sec_per_kimg[kind]
        axes[0].plot([row.gpus], [1000 / published], markerfacecolor=fill, ls="", ms=6, **look)
        axes[1].plot([row.gpus], [published * row.gpus / single], markerfacecolor=fill, ls="", ms=6, **look)


def _label(axes: Any, kind: str, networks: Sequence[float]) -> None:
    styles = ", ".join(f"{name} {size:g} Gbit/s" for size, name in zip(networks, _STYLES.values(), strict=False))
    for axis, counts in zip(axes, ((1, 2, 4, 8, *BEYOND), (1, 2, 4, 8)), strict=True):
        axis.set_xscale("log", base=2)
        axis.set_xticks(counts, [str(count) for count in counts])
        axis.grid(alpha=0.3)
    axes[0].set(title=f"{kind}: images per second", yscale="log")
    axes[0].set_xlabel(f"GPUs; beyond 8 machines of 8, growing batch\n({styles})")
    axes[1].set(title=f"{kind}: GPU time an image, 1 GPU = 1", xlabel="GPUs")


def main(argv: Sequence[str] | None = None) -> int:
    """Fit, print, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--table", type=pathlib.Path, default=TABLE, help="CSV file with the published rows")
    parser.add_argument("--network_gbit", default="10,100", help="Gbit/s of each machine's connection; up to 3 values")
    parser.add_argument("--plot", type=pathlib.Path, help="PNG file")
    options = parser.parse_args(argv)
    try:
        networks = [float(word) for word in options.network_gbit.split(",")]
        rows = read_rows(options.table, config_of_options)
    except (OSError, ValueError, KeyError) as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return 1
    models = {kind: fit(rows, kind) for kind in GPU_TYPES}
    print(report(models, rows, networks))
    if options.plot:
        plot(models, rows, networks, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
