"""Each score against the number of fakes, on natural images.

    python -m examples.metrics_by_number --out=docs/images/metrics-by-number.png [--most 2000] [--json FILE]

Reals and fakes are patches of photographs as in examples/metrics_study.py: as many reals as the largest number of
fakes, and fakes that are unharmed, compressed, or lack a photograph. A line is the mean over up to three draws of fakes
that share no patch, each a dot; its band is the 95% interval that the score gives itself, the mean over draws.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from examples.metrics_study import HARMS, harmed, patches, photographs
from sg_keras.config.metric_specs import parse_offline_metric
from sg_keras.features import EfficientNetLite0
from sg_keras.metrics.scores import Measured, Seen, measure

FAMILIES = ("fd", "kd", "mind", "coverage")
_DRAWS = 3
_PARTS = (0.05, 0.1, 0.25, 0.5, 1.0)  # of the largest number
Study = dict[str, dict[str, dict[int, list[Measured]]]]  # by what was done to fakes, family and number: one per draw


def study(most: int) -> Study:
    """Scores of up to `most` fakes against `most` reals."""
    see, images = EfficientNetLite0().features, photographs()
    real = see(patches(images, most, 0))
    fakes = {
        "unharmed": see(patches(images, 2 * most, 1)),
        "JPEG 50": see(harmed(patches(images, most, 2), HARMS["JPEG 50"])),
        f"1 of {len(images)} photographs left out": see(patches(images[1:], most, 3)),
    }
    counts = [max(8, round(part * most)) for part in _PARTS]
    return {name: by_number(real, fake, counts) for name, fake in fakes.items()}


def by_number(real: np.ndarray, fake: np.ndarray, counts: Sequence[int]) -> dict[str, dict[int, list[Measured]]]:
    """Scores by family and number, one for each of up to three draws that share nothing.

    Args:
        real, fake: features [N,D] and [M,D].
        counts: of fakes, each M at most.
    """
    found: dict[str, dict[int, list[Measured]]] = {family: {} for family in FAMILIES}
    for count in counts:
        starts = range(0, min(_DRAWS, len(fake) // count) * count, count)
        seen = [Seen(real, fake[start : start + count], None) for start in starts]
        for family in FAMILIES:
            spec = parse_offline_metric(f"{family}{count}")
            found[family][count] = [measure(spec, one) for one in seen]
    return found


def draw(found: Study, path: pathlib.Path) -> None:
    """A plot for each score, a line for each kind of fakes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(FAMILIES), figsize=(11, 3), layout="constrained")
    for family, plot in zip(FAMILIES, axes, strict=True):
        for name, families in found.items():
            _draw_line(plot, name, families[family])
        plot.set_xscale("log")
        counts = list(found["unharmed"][family])
        plot.set_xticks(counts, [str(count) for count in counts])
        plot.minorticks_off()
        plot.set_title(family)
        plot.set_xlabel("fakes")
        plot.grid(alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(found), frameon=False)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def _draw_line(plot: Any, name: str, scores: Mapping[int, Sequence[Measured]]) -> None:
    means = {
        n: [np.mean([getattr(m, part) for m in draws]) for part in ("value", "low", "high")]
        for n, draws in scores.items()
    }
    value, low, high = zip(*means.values(), strict=True)
    (line,) = plot.plot(list(means), value, label=name, linewidth=1.5)
    plot.fill_between(list(means), low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    dots = [(n, one.value) for n, draws in scores.items() for one in draws]
    plot.plot(*zip(*dots, strict=True), ".", color=line.get_color(), markersize=3)


def report(found: Study) -> str:
    """A row for each kind of fakes and number: means over draws, and the width of the interval to each side."""
    lines = [f"{'':<32}{'fakes':>6}" + "".join(f"{family:>20}" for family in FAMILIES)]
    for name, families in found.items():
        for count in families[FAMILIES[0]]:
            cells = []
            for family in FAMILIES:
                draws = families[family][count]
                value, width = np.mean([m.value for m in draws]), np.mean([(m.high - m.low) / 2 for m in draws])
                cells.append(f"{value:>10.4g} +- {width:<6.2g}")
            lines.append(f"{name:<32}{count:>6}" + "".join(cells))
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Compute, print and draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], allow_abbrev=False)
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the picture, a PNG file")
    parser.add_argument("--most", type=int, default=2000, help="reals, and fakes at most")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="the numbers")
    options = parser.parse_args(argv)
    found = study(options.most)
    print(report(found))
    draw(found, options.out)
    if options.json:
        plain = {
            name: {
                f: {n: [[m.value, m.low, m.high] for m in draws] for n, draws in c.items()} for f, c in families.items()
            }
            for name, families in found.items()
        }
        options.json.write_text(json.dumps(plain, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
