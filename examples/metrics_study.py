"""What each score sees: natural images against the same kind of images that were harmed in known ways.

    python -m examples.metrics_study --out=docs/images/metrics-study.png [--patches 300] [--json FILE]

Reals and fakes are patches of 64x64 of the photographs that scikit-image and scikit-learn ship, cut at random places.
Some fakes are blurred, noisy or compressed; some lack photographs; some are copies of reals. Each cell is the score,
and its colour says how far it lies from that of unharmed patches, in standard deviations over eight draws of those: red
is worse, blue is better.
"""

from __future__ import annotations

import argparse
import io
import json
import pathlib
import sys
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageFilter

from sg_keras.config.metric_specs import higher_is_better, parse_offline_metric
from sg_keras.features import EfficientNetLite0
from sg_keras.metrics.scores import Seen, measure

_SIDE, _DRAWS = 64, 8
_FAMILIES = ("fd", "kd", "mind", "precision", "recall", "density", "coverage", "authpct")
_WORST = 10.0  # standard deviations at which colours end
Harm = Callable[[Image.Image, np.random.Generator], Image.Image]


def photographs() -> list[np.ndarray]:
    """Photographs, uint8 [H,W,3]."""
    import sklearn.datasets

    ours = [shipped_photograph(name) for name in ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")]
    return [*ours, *sklearn.datasets.load_sample_images().images]


def shipped_photograph(name: str) -> np.ndarray:
    """A photograph that comes with scikit-image, uint8 [H,W,3].

    Pillow opens it: scikit-image's own reader finds no plugins where its path has brackets.
    """
    import skimage.data

    return np.asarray(Image.open(pathlib.Path(skimage.data.__file__).parent / name).convert("RGB"))


def patches(images: Sequence[np.ndarray], count: int, seed: int) -> np.ndarray:
    """Patches at random places of random photographs: uint8 [count,64,64,3]."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        image = images[random.integers(len(images))]
        top, left = (random.integers(size - _SIDE) for size in image.shape[:2])
        found.append(image[top : top + _SIDE, left : left + _SIDE])
    return np.stack(found)


def blurred(radius: float) -> Harm:
    """By a Gaussian."""
    return lambda image, _: image.filter(ImageFilter.GaussianBlur(radius))


def noisy(deviation: float) -> Harm:
    """White noise of this standard deviation, of 255."""

    def harm(image: Image.Image, random: np.random.Generator) -> Image.Image:
        pixels = np.asarray(image) + random.normal(0, deviation, [_SIDE, _SIDE, 3])
        return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))

    return harm


def compressed(quality: int) -> Harm:
    """By JPEG."""

    def harm(image: Image.Image, _: np.random.Generator) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert("RGB")

    return harm


HARMS: dict[str, Harm] = {
    "blur 0.5 pixels": blurred(0.5),
    "blur 1 pixel": blurred(1),
    "blur 2 pixels": blurred(2),
    "noise 3 of 255": noisy(3),
    "noise 10 of 255": noisy(10),
    "JPEG 90": compressed(90),
    "JPEG 50": compressed(50),
}


def harmed(images: np.ndarray, harm: Harm) -> np.ndarray:
    """Each of [N,64,64,3]."""
    random = np.random.default_rng(0)
    return np.stack([np.asarray(harm(Image.fromarray(image), random)) for image in images])


def scores(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    """Each family's on features of reals and fakes."""
    seen = Seen(real, fake, None)
    return {name: measure(parse_offline_metric(f"{name}{len(fake)}"), seen).value for name in _FAMILIES}


def study(count: int) -> dict[str, dict[str, float]]:
    """Scores by what was done to the fakes; "deviation" has their spread over draws of unharmed ones."""
    see, images = EfficientNetLite0().features, photographs()
    real = see(patches(images, count, 0))
    draws = [see(patches(images, count, seed)) for seed in range(1, _DRAWS + 1)]
    same = [scores(real, fake) for fake in draws]
    rows = {
        "deviation": {name: float(np.std([one[name] for one in same], ddof=1)) for name in _FAMILIES},
        f"unharmed, N = {count}": {name: float(np.mean([one[name] for one in same])) for name in _FAMILIES},
        f"unharmed, N = {count // 2}": scores(real, draws[0][: count // 2]),
    }
    base = patches(images, count, 99)
    rows |= {name: scores(real, see(harmed(base, harm))) for name, harm in HARMS.items()}
    for left_out in (1, 3):
        fake = see(patches(images[left_out:], count, 99))
        rows[f"{left_out} of {len(images)} photographs left out"] = scores(real, fake)
    for share in (0.1, 0.5, 1.0):
        copies = int(share * count)
        fake = np.concatenate([real[:copies], draws[0][copies:]])
        rows[f"{100 * share:.0f}% copies of reals"] = scores(real, fake)
    return rows


def draw(rows: dict[str, dict[str, float]], path: pathlib.Path) -> None:
    """The table as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    deviation = rows["deviation"]
    names = [name for name in rows if name != "deviation"]
    plain = rows[names[0]]
    worse = np.array(
        [
            [(rows[n][f] - plain[f]) / max(deviation[f], 1e-9) * (-1 if higher_is_better(f) else 1) for f in _FAMILIES]
            for n in names
        ]
    )
    figure, axes = plt.subplots(figsize=(9, 0.38 * len(names) + 0.8), layout="constrained")
    axes.imshow(np.clip(worse, -_WORST, _WORST), cmap="RdBu_r", vmin=-_WORST, vmax=_WORST, aspect="auto")
    for y, name in enumerate(names):
        for x, family in enumerate(_FAMILIES):
            color = "white" if abs(worse[y, x]) > 0.7 * _WORST else "black"
            axes.text(x, y, f"{rows[name][family]:.3g}", ha="center", va="center", color=color, fontsize=9)
    axes.set_xticks(range(len(_FAMILIES)), _FAMILIES)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(argv: Sequence[str] | None = None) -> int:
    """Compute, print and draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], allow_abbrev=False)
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the picture, a PNG file")
    parser.add_argument("--patches", type=int, default=300, help="reals, and fakes")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="the numbers")
    options = parser.parse_args(argv)
    rows = study(options.patches)
    print(f"{'':<32}" + "".join(f"{name:>11}" for name in _FAMILIES))
    for name, row in rows.items():
        print(f"{name:<32}" + "".join(f"{row[family]:>11.4g}" for family in _FAMILIES))
    draw(rows, options.out)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
