"""Draws docs/images/iteration.png: the street through a training iteration.

Usage: python -m docs.draw_iteration
"""

from __future__ import annotations

import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

_FLOORS = (
    # y, colour, boxes: (x, width, title, text)
    (
        4.5,
        "#dbeafe",
        [
            (0.0, 2.6, "Schedules.at", "rates, gamma, blur,\nEMA, ADA, freezing"),
            (3.0, 6.6, "StyleGAN.train_step", "due phases, one after another, then G_ema, then ADA's p"),
            (10.0, 2.6, "data", "image uint8, label,\ngen_label"),
        ],
    ),
    (
        2.25,
        "#dcfce7",
        [
            (0.0, 3.0, "GeneratorMain", "Gmain: softplus(-D(G(z)))"),
            (3.2, 3.0, "PathLength", "Greg: path lengths of G"),
            (6.4, 3.0, "DiscriminatorMain", "Dmain: fakes and reals"),
            (9.6, 3.0, "R1", "Dreg: slope of D at reals"),
        ],
    ),
    (
        0.0,
        "#fef3c7",
        [
            (0.0, 3.0, "micro_batch", "cut, number, scale"),
            (3.2, 3.0, "generate", "z -> w -> fakes"),
            (6.4, 3.0, "discriminate", "blur, augment, D"),
            (9.6, 3.0, "state", "G, D, G_ema, Adams,\nmeans, cur_nimg"),
        ],
    ),
)


def draw(path: pathlib.Path) -> None:
    """Write the image."""
    figure, axes = plt.subplots(figsize=(12.6, 6.3))
    for y, colour, boxes in _FLOORS:
        for x, width, title, text in boxes:
            shape = FancyBboxPatch((x, y), width, 1.2, boxstyle="round,pad=0.06", facecolor=colour, edgecolor="#334155")
            axes.add_patch(shape)
            axes.text(x + width / 2, y + 0.93, title, ha="center", va="center", fontsize=11, weight="bold")
            axes.text(x + width / 2, y + 0.38, text, ha="center", va="center", fontsize=9.5)
    _arrow(axes, (2.72, 5.1), (2.92, 5.1))
    _arrow(axes, (9.92, 5.1), (9.68, 5.1))
    for x in (1.5, 4.7, 7.9, 11.1):
        _arrow(axes, (x, 4.42), (x, 3.54))
        _arrow(axes, (x, 2.17), (x, 1.29))
    notes = (
        (4.0, "IterationScalars: what is new in every iteration, as tensors; the phases are compiled once"),
        (
            1.72,
            "MicroBatch: images, labels, first sample, scalars;  Phase.update: differentiate, sum over replicas, apply",
        ),
    )
    for y, text in notes:
        axes.text(6.3, y, text, ha="center", va="center", fontsize=9.5, style="italic", backgroundcolor="white")
    for y, text in ((5.1, "stylegan.py"), (2.85, "phase.py\nphases.py"), (0.6, "networks.py")):
        axes.text(-0.25, y, text, ha="right", va="center", fontsize=10, family="monospace")
    axes.set_xlim(-1.9, 12.8)
    axes.set_ylim(-0.2, 5.9)
    axes.axis("off")
    figure.savefig(path, dpi=110, bbox_inches="tight", facecolor="white")


def _arrow(axes: plt.Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "->", "color": "#334155"})


if __name__ == "__main__":
    draw(pathlib.Path(__file__).parent / "images" / "iteration.png")
