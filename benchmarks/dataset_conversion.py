"""Images a second of `sg_keras.tools.dataset convert` with one process and with several, in turns.

    python -m benchmarks.dataset_conversion [--images 2000] [--workers 1,2] [--rounds 1] [--json]

Makes JPEG files of 1024x768 in a temporary folder and converts them to a zip of 256x256 (center-crop). A round
measures each number of processes once, so that their ratio is of one run; the survey of headers and the start of the
processes count. Also told: whether the bytes are equal, and what --draft would save and change (pixels of one worker).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import pathlib
import statistics
import tempfile
import time

import numpy as np
from PIL import Image

from sg_keras.curation.convert import Request, convert
from sg_keras.curation.recipe import Recipe, Transform
from sg_keras.curation.sources import open_originals
from sg_keras.data.zip_source import ZipSource

_SIZE, _SIDE = (1024, 768), 256
_KINDS = 16  # images that differ; the rest are these again, shifted, which decode as slowly


def write_originals(folder: pathlib.Path, count: int) -> None:
    """JPEG files about as hard to decode as photographs: large smooth areas and a little noise."""
    random = np.random.default_rng(0)
    for kind in range(min(_KINDS, count)):
        coarse = Image.fromarray(random.integers(0, 256, (_SIZE[1] // 32, _SIZE[0] // 32, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize(_SIZE, Image.Resampling.BICUBIC), np.int16)
        pixels = np.clip(smooth + random.integers(-6, 7, smooth.shape), 0, 255).astype(np.uint8)
        for index in range(kind, count, _KINDS):
            buffer = io.BytesIO()
            Image.fromarray(np.roll(pixels, 8 * index, 1)).save(buffer, "JPEG", quality=90)
            (folder / f"{index:05d}.jpg").write_bytes(buffer.getvalue())


def speed(folder: pathlib.Path, destination: pathlib.Path, workers: int, draft: bool = False) -> float:
    """Images a second of one conversion."""
    recipe = Recipe(resolution=(_SIDE, _SIDE), transform=Transform(name="center-crop"), draft=draft)
    source = open_originals(str(folder))
    start = time.perf_counter()
    report = convert(source, recipe, Request(destination=str(destination), workers=workers))
    elapsed = time.perf_counter() - start
    source.close()
    return report.images / elapsed


def largest_change(first: pathlib.Path, second: pathlib.Path) -> tuple[int, float]:
    """The largest and the mean difference of pixel values between two data sets."""
    sources = [ZipSource(str(path)) for path in (first, second)]
    largest, means = 0, []
    for index in range(min(len(sources[0].names), 50)):
        images = [np.asarray(Image.open(io.BytesIO(source.read(index)))).astype(int) for source in sources]
        difference = np.abs(images[0] - images[1])
        largest, means = max(largest, int(difference.max())), [*means, float(difference.mean())]
    return largest, statistics.mean(means)


def measure(count: int, workers: list[int], rounds: int) -> dict[str, object]:
    """All figures."""
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place) / "images"
        folder.mkdir()
        write_originals(folder, count)
        found: dict[int, list[float]] = {number: [] for number in workers}
        digests = set()
        for _ in range(rounds):
            for number in workers:
                destination = pathlib.Path(place) / f"{number}.zip"
                destination.unlink(missing_ok=True)
                found[number].append(speed(folder, destination, number))
                digests.add(hashlib.sha256(destination.read_bytes()).hexdigest())
        drafted = pathlib.Path(place) / "draft.zip"
        draft = speed(folder, drafted, workers[0], draft=True)
        largest, mean = largest_change(pathlib.Path(place) / f"{workers[0]}.zip", drafted)
    ratios = [later / first for first, later in zip(found[workers[0]], found[workers[-1]], strict=True)]
    return {
        "images": count,
        "per_sec": {number: statistics.median(values) for number, values in found.items()},
        "ratio": statistics.median(ratios),
        "equal_bytes": len(digests) == 1,
        "draft_per_sec": draft,
        "draft_largest_change": largest,
        "draft_mean_change": mean,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.images, [int(number) for number in options.workers.split(",")], options.rounds)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:22} {value}")


if __name__ == "__main__":
    main()
