"""How near projection comes: held-out images, and images of the network itself, whose styles are known.

    python -m examples.projection_study --network=RUN_DIR --targets=FOLDER --out=docs/images/projection-study.png
        [--steps 500] [--count 12] [--tuned 6] [--json FILE]

--targets are images that the network was not trained on, of its size and channels. For each way of projecting, medians
over `count` of them and over as many images of the network (seeds 0, 1, ...): the root mean squared difference of
pixels in 0..255, and EfficientNet-Lite0's perceptual distance. Of the network's own images also the share that is found
again, by the image (a perceptual distance below 0.1), and by the style (nearer to the true one than half of the styles'
standard deviation). The first few are tuned as well. Noise is the network's own, unless the name of the way says that
it is fitted, as published.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

import sg_keras
from sg_keras.features import DiscriminatorTaps, EfficientNetTaps, PerceptualFeatures, PixelFeatures
from sg_keras.inference import StyleRenderer, latents, named_rows, styles, tile
from sg_keras.inference.image_distances import image_distances
from sg_keras.inference.projection import mean_style, project, with_pixels
from sg_keras.inference.projection_settings import ProjectionSettings
from sg_keras.inference.tuning import Tuner

_SAME_IMAGE, _SAME_STYLE = 0.1, 0.5
_SHOWN, _ENLARGED = 4, 3  # images of each kind in the picture, and how much larger


@dataclasses.dataclass(frozen=True)
class Way:
    """A way of projecting: what it is called, by which features, and what is other than usual."""

    name: str
    features: PerceptualFeatures
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    tunes: bool = False


class Study:
    """Projects the same images in several ways.

    Args:
        network: of `sg_keras.load`.
        held_out: uint8 [N,H,W,C]; as many images of the network are made.
        steps: of projection.
    """

    def __init__(self, network: str, held_out: np.ndarray, steps: int) -> None:
        networks = sg_keras.load(network)
        self.G, self._D, self._steps = networks["G_ema"], networks["D"], steps
        self._effnet, self._renderer = EfficientNetTaps(), StyleRenderer(self.G)
        count = len(held_out)
        self._labels = np.zeros([2 * count, 0], np.float32)
        self._true = styles(self.G, latents(range(count), self.G.z_dim), self._labels[:count])
        self.targets = np.concatenate([held_out, self._images(self._true)])
        mean, deviation = mean_style(self.G, self._labels, 10000, 123)
        self._mean, self._deviation = np.repeat(mean[:, np.newaxis], self.G.num_ws, axis=1), deviation[0]

    def ways(self) -> list[Way]:
        """All ways that suit the network."""
        effnet, discriminator = with_pixels(self._effnet), with_pixels(DiscriminatorTaps(self._D))
        found = []
        for space in ("w", "w+"):
            found.append(Way(f"{space}, effnet+pixel", effnet, {"space": space}))
            if self.G.takes_transform:
                free = {"space": space, "holds_transform": False}
                found.append(Way(f"{space}, transform free", effnet, free))
            else:
                found.append(Way(f"{space}, noise fitted", effnet, {"space": space, "fits_noise": True}))
                found.append(Way(f"{space}, discriminator+pixel", discriminator, {"space": space}))
                found.append(Way(f"{space}, pixel", PixelFeatures(), {"space": space}))
        found.append(Way("w, tuned", effnet, {"num_steps": 450}, tunes=True))
        if not self.G.takes_transform:
            slow = {"num_steps": 450, "initial_learning_rate": 5e-3}
            found.append(Way("w at rate 0.005, tuned", effnet, slow, tunes=True))
        return found

    def rows(self, num_tuned: int) -> list[tuple[dict[str, Any], np.ndarray]]:
        """What is measured, and the images, way by way, the mean image first; `num_tuned` images are tuned."""
        everything = range(len(self.targets))
        found = [self._measured("the mean image", self._mean, self._images(self._mean), everything, 0.0)]
        for way in self.ways():
            found += self._projected(way, num_tuned)
            print(json.dumps(found[-1][0]), file=sys.stderr, flush=True)
        return found

    def _projected(self, way: Way, num_tuned: int) -> list[tuple[dict[str, Any], np.ndarray]]:
        half = len(self.targets) // 2
        chosen = [*range(num_tuned // 2), *range(half, half + num_tuned // 2)] if way.tunes else range(2 * half)
        targets, labels = self.targets[chosen], self._labels[chosen]
        settings = ProjectionSettings(**{"num_steps": self._steps, "fits_noise": False, **way.settings})
        start = time.monotonic()
        ws = project(self.G, targets, labels=labels, features=way.features, settings=settings).ws
        seconds = time.monotonic() - start
        if not way.tunes:
            return [self._measured(way.name, ws, self._images(ws), chosen, seconds)]
        tuner, images = Tuner(self.G, way.features), []
        for w, target, label in zip(ws, targets, labels, strict=True):
            *_, _ = tuner.steps(w[np.newaxis], target[np.newaxis], label[np.newaxis])
            images += list(StyleRenderer(tuner.tuned).images([w]))
        before = self._measured(way.name.replace("tuned", "untuned"), ws, self._images(ws), chosen, seconds)
        return [before, self._measured(way.name, ws, np.stack(images), chosen, time.monotonic() - start)]

    def _images(self, ws: np.ndarray) -> np.ndarray:
        return np.stack(list(self._renderer.images(ws)))

    def _measured(
        self, name: str, ws: np.ndarray, images: np.ndarray, chosen: Sequence[int], seconds: float
    ) -> tuple[dict[str, Any], np.ndarray]:
        distances = image_distances(images, self.targets[list(chosen)], self._effnet)
        own = [k for k, index in enumerate(chosen) if index >= len(self.targets) // 2]
        held_out = [distances[k] for k in range(len(chosen)) if k not in own]
        apart = [np.linalg.norm(ws[k, -1] - self._true[chosen[k] - len(self.targets) // 2, -1]) for k in own]
        row = {"way": name, "images": len(held_out), "seconds": round(seconds, 1)}
        for kind, of in (("held_out", held_out), ("own", [distances[k] for k in own])):
            row |= {f"{kind}_{key}": round(statistics.median(one[key] for one in of), 3) for key in of[0]}
        row["own_found_by_image"] = round(float(np.mean([distances[k]["effnet"] < _SAME_IMAGE for k in own])), 2)
        row["own_found_by_style"] = round(float(np.mean(np.array(apart) < _SAME_STYLE * self._deviation)), 2)
        return row, images


def table(rows: Sequence[dict[str, Any]]) -> str:
    """In Markdown."""
    lines = [
        "| way | held out: pixel | effnet | the network's own: pixel | effnet | found again by image | by style |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        shares = [f"{100 * row[f'own_found_by_{what}']:.0f}%" for what in ("image", "style")]
        numbers = [f"{row[f'{kind}_{key}']:.3g}" for kind in ("held_out", "own") for key in ("pixel", "effnet")]
        lines.append("| " + " | ".join([row["way"], *numbers, *shares]) + " |")
    return "\n".join(lines)


def picture(targets: np.ndarray, rows: Sequence[tuple[dict[str, Any], np.ndarray]]) -> np.ndarray:
    """The first images of each kind, way by way, below their targets."""
    shown = [(name, images) for name, images in [("target", targets), *((row["way"], images) for row, images in rows)]]
    per_kind = min(_SHOWN, min(len(images) for _, images in shown) // 2)
    grid = [np.concatenate([images[:per_kind], images[len(images) // 2 :][:per_kind]]) for _, images in shown]
    large = np.concatenate(grid).repeat(_ENLARGED, axis=1).repeat(_ENLARGED, axis=2)
    return named_rows(tile(large, 2 * per_kind), [name for name, _ in shown])


def read_images(folder: pathlib.Path, count: int) -> np.ndarray:
    """The first images of a folder, uint8 [count,H,W,C]."""
    images = [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))[:count]]
    return np.stack([image.reshape([*image.shape[:2], -1]) for image in images])


def main(argv: Sequence[str] | None = None) -> int:
    """Project, print the table, draw the picture."""
    parser = argparse.ArgumentParser(prog="python -m examples.projection_study", description=__doc__.partition("\n")[0])
    parser.add_argument("--network", required=True)
    parser.add_argument("--targets", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--tuned", type=int, default=6)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args(argv)
    study = Study(options.network, read_images(options.targets, options.count), options.steps)
    rows = study.rows(options.tuned)
    print(table([row for row, _ in rows]))
    drawn = picture(study.targets, rows)
    Image.fromarray(drawn[:, :, 0] if drawn.shape[2] == 1 else drawn).save(options.out)
    if options.json is not None:
        options.json.write_text(json.dumps([row for row, _ in rows], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
