"""Scores along a run of the digits demo beside the digits' own measures, as one picture.

    python -m examples.digits_scores --out=docs/images/digits-scores.png --outdir=digits-scores [--kimg 160]
    python -m examples.digits_scores --out=docs/images/digits-scores.png --network=RUN_DIR [--json FILE]

The first trains the demo (examples/demo_digits.py) with a snapshot every 8 kimg; the second takes a run of it that is
there. Of each snapshot: fd, kd, mind and coverage of 1,000 fakes on box averages and on EfficientNet-Lite0, with 95%
intervals, and the measures of examples/digits_quality.py. Scores that the run has made are read from its
metric-*.jsonl. Also printed: by rank, how well each score agrees with the Frechet distance of digits_quality.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.stats

from examples import demo_digits, digits_quality
from sg_keras.config.metric_specs import parse_metric
from sg_keras.data import ImageDataset, open_dataset
from sg_keras.files.json_lines import read_lines
from sg_keras.metrics.evaluation import evaluate
from sg_keras.metrics.extractors import open_extractors
from sg_keras.metrics.fakes import network_fakes
from sg_keras.metrics.reals import Reals, dataset_reals
from sg_keras.metrics.rendering import FakeSampling, Renderer
from sg_keras.weights import load
from sg_keras.weights.snapshot import snapshot_nimg

METRICS = ("fd1k", "kd1k", "mind1k", "coverage1k")
NETWORKS = ("boxes", "effnetlite0")
OWN = "digits"
_YARDSTICK = "frechet"
_FALLS = ("fd", "kd", "mind", "frechet")
_TRAINED = {"--snap": "4", "--image_snap": "50", "--metrics": ",".join(METRICS), "--metrics_share": "1"}


class Point(NamedTuple):
    """A score of a snapshot and its interval; without one, low and high are NaN."""

    kimg: float
    value: float
    low: float = float("nan")
    high: float = float("nan")


Curves = dict[str, dict[str, list[Point]]]  # by what sees the images, and by name


def train(outdir: str, kimg: float) -> pathlib.Path:
    """Run the demo's training with more snapshots and scores; returns the run directory.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    command = demo_digits.training_command(outdir, demo_digits.DEMOS["stylegan2"], kimg)
    kept = [word for word in command if word.partition("=")[0] not in _TRAINED]
    subprocess.run([*kept, *(f"{name}={value}" for name, value in _TRAINED.items())], cwd=demo_digits.ROOT, check=True)
    return demo_digits.newest_run(outdir)


def curves(run_dir: pathlib.Path) -> Curves:
    """Scores and measures of all snapshots, by kimg.

    Raises:
        ValueError: there are no snapshots, or networks of other images; one line.
    """
    places = {snapshot_nimg(folder): folder for folder in run_dir.glob("network-snapshot-*")}
    numbers = sorted(nimg for nimg in places if nimg is not None)
    if not numbers:
        raise ValueError(f"{run_dir}: found no network snapshots, expected those of a run of the digits demo")
    dataset = open_dataset("digits", use_labels=True)
    reals = dataset_reals(dataset)
    found: Curves = {network: {} for network in (OWN, *NETWORKS)}
    for nimg in numbers:
        G_ema = load(places[nimg], names=("G_ema",))["G_ema"]
        renderer, kimg = Renderer(G_ema, FakeSampling()), nimg / 1000
        for network in NETWORKS:
            known = kept_scores(places[nimg], network, METRICS)
            missing = [name for name in METRICS if name not in known]
            known |= _scores(missing, network, renderer, reals, dataset) if missing else {}
            for name in METRICS:
                found[network].setdefault(name, []).append(Point(kimg, *known[name]))
        for name, value in digits_quality.measure(G_ema).items():
            found[OWN].setdefault(name, []).append(Point(kimg, value))
    return found


def kept_scores(snapshot: pathlib.Path, network: str, metrics: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """Value and interval of those metrics that the run has made of this snapshot of its own, by this network."""
    found = {}
    for name in metrics:
        full_name = f"{name}_{network}"
        for row in read_lines(snapshot.parent / f"metric-{name}.jsonl"):
            if row.get("snapshot_pkl") == snapshot.name and full_name in row["results"]:
                found[name] = (row["results"][full_name], *row["intervals"][full_name])
    return found


def _scores(
    names: Sequence[str], network: str, renderer: Renderer, reals: Reals, dataset: ImageDataset
) -> dict[str, tuple[float, float, float]]:
    specs = [parse_metric(name) for name in names]
    fakes = network_fakes(renderer, "G_ema", dataset)
    scores = evaluate(specs, reals, fakes, open_extractors(specs, network))
    return {score.name: (score.value, score.low, score.high) for score in scores}


def agreement(found: Curves, beyond_kimg: float) -> dict[str, float]:
    """Spearman's rank correlation of each score with the digits' own Frechet distance, 1 = the same order of snapshots.

    Args:
        found: as of curves.
        beyond_kimg: of later snapshots alone.
    """
    later = [k for k, point in enumerate(found[OWN][_YARDSTICK]) if point.kimg > beyond_kimg]
    own = [found[OWN][_YARDSTICK][k].value for k in later]
    ranks = {}
    for network, by_name in found.items():
        for name, points in by_name.items():
            sign = 1 if name.startswith(_FALLS) else -1
            ranks[f"{name} {network}"] = float(scipy.stats.spearmanr([sign * points[k].value for k in later], own)[0])
    return ranks


def draw(found: Curves, path: pathlib.Path) -> None:
    """A row of plots for the digits' own measures and one for each network, by kimg."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = max(len(by_name) for by_name in found.values())
    figure, axes = plt.subplots(
        len(found), columns, figsize=(2.8 * columns, 2.1 * len(found)), sharex=True, squeeze=False, layout="constrained"
    )
    for row, (network, by_name) in enumerate(found.items()):
        for plot, (name, points) in zip(axes[row], by_name.items(), strict=False):
            _draw_curve(plot, points, falls=name.startswith(_FALLS))
            plot.set_title(f"{name} {network}" if network != OWN else f"digits_quality: {name}", fontsize=9)
        for plot in axes[row, len(by_name) :]:
            plot.set_axis_off()
    for plot in axes[-1]:
        plot.set_xlabel("kimg")
    figure.savefig(path, dpi=80)
    plt.close(figure)


def _draw_curve(plot: Any, points: Sequence[Point], falls: bool) -> None:
    kimg, value, low, high = np.array(points).T
    if falls and value.min() > 0:
        from matplotlib.ticker import LogLocator, StrMethodFormatter

        plot.set_yscale("log")
        plot.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        plot.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        plot.yaxis.set_minor_locator(LogLocator(subs=()))
        low = np.maximum(low, value.min() / 3)  # what a logarithm can show
    plot.fill_between(kimg, low, high, alpha=0.3, linewidth=0)
    plot.plot(kimg, value, marker=".", markersize=4, linewidth=1)
    plot.grid(alpha=0.3)
    plot.tick_params(labelsize=8)


def report(found: Mapping[str, Mapping[str, Sequence[Point]]]) -> str:
    """A row a snapshot."""
    names = [(network, name) for network, by_name in found.items() for name in by_name]
    lines = [f"{'kimg':>8}" + "".join(f"{name + ' ' + network:>24}" for network, name in names)]
    for k, point in enumerate(found[OWN][_YARDSTICK]):
        lines.append(
            f"{point.kimg:>8.1f}" + "".join(f"{found[network][name][k].value:>24.4g}" for network, name in names)
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Train or read, print and draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], allow_abbrev=False)
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the picture, a PNG file")
    runs = parser.add_mutually_exclusive_group(required=True)
    runs.add_argument("--network", type=pathlib.Path, metavar="RUN_DIR", help="a run of the digits demo")
    runs.add_argument("--outdir", metavar="DIR", help="train one, in a new directory in here")
    parser.add_argument("--kimg", type=float, default=160, help="how long, with --outdir")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="the numbers")
    options = parser.parse_args(argv)
    try:
        found = curves(options.network or train(options.outdir, options.kimg))
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print(report(found))
    middle = found[OWN][_YARDSTICK][-1].kimg / 2
    whole, later = agreement(found, 0), agreement(found, middle)
    print(f"\nrank correlation with {_YARDSTICK} of digits_quality: all snapshots, those beyond kimg {middle:g}")
    print("\n".join(f"{name:<24}{whole[name]:>8.2f}{later[name]:>8.2f}" for name in whole))
    draw(found, options.out)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
