"""Images a second of the data pipeline alone, against decoding alone.

    python -m benchmarks.data_pipeline [--resolutions 32,256] [--batch 32] [--workers 3] [--rounds 3] [--json]

Writes a zip file of random images for each resolution into a temporary folder. A round measures, one after the other,
  decoding   the same files, held in memory, decoded by `workers` threads: nothing can be faster than this,
  reading    the pipeline, which reads, checks, decodes and batches them,
  cached     the pipeline once all images are in memory (data sets of up to 1 GiB decoded),
and the ratio of one round is reading / decoding. Medians over the rounds are reported.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import pathlib
import statistics
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from sg_keras.data import ImageDataset, make_pipeline, open_dataset
from sg_keras.data.image_decoding import decode_image

_WARM_UP_BATCHES = 4


def random_png(rng: np.random.Generator, resolution: int) -> bytes:
    """An image about as hard to decode as a photograph: large smooth areas and a little noise."""
    coarse = Image.fromarray(rng.integers(0, 256, (resolution // 8, resolution // 8, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((resolution, resolution), Image.Resampling.BICUBIC), np.int16)
    noisy = np.clip(smooth + rng.integers(-6, 7, smooth.shape), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "PNG")
    return buffer.getvalue()


def decoding_speed(files: list[bytes], count: int, workers: int) -> float:
    """Images a second that `workers` threads decode from memory."""
    chunks = [
        itertools.islice(itertools.cycle(files), start, start + count // workers)
        for start in range(0, len(files), max(len(files) // workers, 1))
    ][:workers]

    def decode(chunk: Iterator[bytes]) -> int:
        return sum(1 for data in chunk if decode_image(data, "memory") is not None)

    with ThreadPoolExecutor(workers) as pool:
        start = time.perf_counter()
        decoded = sum(pool.map(decode, chunks))
        return decoded / (time.perf_counter() - start)


def pipeline_speed(dataset: ImageDataset, count: int, batch: int, workers: int) -> float:
    """Images a second that come out of the pipeline, after warm-up."""
    iterator = iter(make_pipeline(dataset, seed=0, batch=batch, start_nimg=0, num_phases=4, workers=workers))
    for _ in range(_WARM_UP_BATCHES):
        next(iterator)
    batches = max(count // batch, 1)
    start = time.perf_counter()
    for _ in range(batches):
        next(iterator)
    return batches * batch / (time.perf_counter() - start)


def measure(resolution: int, batch: int, workers: int, rounds: int) -> dict[str, float]:
    """Medians over the rounds for one resolution."""
    rng = np.random.default_rng(0)
    num_images, count = (2000, 12000) if resolution <= 64 else (200, 1000)
    files = [random_png(rng, resolution) for _ in range(num_images)]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "random.zip")
        with zipfile.ZipFile(path, "w") as archive:
            for index, data in enumerate(files):
                archive.writestr(f"{index:05d}.png", data)
        start = time.perf_counter()
        read = open_dataset(path, max_cached_bytes=0)
        open_sec = time.perf_counter() - start
        cached = open_dataset(path)
        cached.images(np.arange(num_images))
        results = []
        for _ in range(rounds):
            decoding = decoding_speed(files, count, workers)
            reading = pipeline_speed(read, count, batch, workers)
            from_memory = pipeline_speed(cached, 10 * count, batch, workers)
            results.append(
                {"decoding": decoding, "reading": reading, "cached": from_memory, "ratio": reading / decoding}
            )
        read.close()
        cached.close()
    medians = {key: statistics.median(result[key] for result in results) for key in results[0]}
    return medians | {"opening_ms_per_1000": 1e6 * open_sec / num_images}


def main() -> None:
    """Print a line per resolution, and with --json one JSON object as the last line."""
    parser = argparse.ArgumentParser(description="Images/s of the data pipeline alone, against decoding alone.")
    parser.add_argument("--resolutions", default="32,256", help="pixels a side, separated by commas")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print a JSON object as the last line")
    options = parser.parse_args()
    results = {}
    for resolution in map(int, options.resolutions.split(",")):
        found = measure(resolution, options.batch, options.workers, options.rounds)
        print(
            f"{resolution}x{resolution}  decoding alone {found['decoding']:.0f} img/s  pipeline "
            f"{found['reading']:.0f} img/s  ratio {found['ratio']:.2f}  from memory {found['cached']:.0f} img/s  "
            f"opening {found['opening_ms_per_1000']:.0f} ms per 1000 images"
        )
        results[str(resolution)] = {key: round(value, 3) for key, value in found.items()}
    if options.json:
        print(json.dumps({"img_per_s_by_resolution": results, "batch": options.batch, "workers": options.workers}))


if __name__ == "__main__":
    main()
