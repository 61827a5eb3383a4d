"""Speed of a training step, phase by phase, beside the speed of its own convolutions and matrix products.

    python -m benchmarks.training_step --cfg=stylegan2 --resolution=32 --cbase=2048 --cmax=64 --map_depth=8 \\
        --batch=16 [--aug=ada --p=0.3] [--precision=float32|bfloat16|auto] [--threads=2] \\
        [--ops=auto|custom|reference] [--top=30] [--json]
    python -m benchmarks.training_step --no_const --cbase=2048 --cmax=64 --against="--no_const=0" --rounds=9
    python -m benchmarks.training_step --capacity=small --resolution=64 --against="--capacity=config-f"

Random images go through the real pipeline into everything a training run does in an iteration: all due phases,
noise, style mixing, path length, R1, moving average, statistics. A round is 16 iterations, in which each phase runs as
often as in a long run; after it, every convolution and matrix product of the step is timed alone. The overhead factor
of a round is its step time over their sum; the median over the rounds is reported. docs/performance.md has the method.
With --against, rounds of the same step with those options changed come in between, and the ratio of both overhead
factors is reported: what the machine does meanwhile happens to both.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import io
import json
import os
import pathlib
import shlex
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from benchmarks.measured_step import EMA, MeasuredStep, Round
from benchmarks.op_profile import OpRun, seconds_by_kind
from sg_keras.config import DatasetConfig, RunConfig, TrainingConfig, TrainingOptions, resolve
from sg_keras.config.sizes import ImageSize, parse_size
from sg_keras.training.distribution.threads import configure_threads

_NUM_IMAGES = 1024
_GAMMA = 0.1  # any number: it does not change what is computed
_DISTURBED = 0.02  # share of the cores that others may take
_PRODUCTS = ("convolution", "matrix product")


# ---- what is reported ------------------------------------------------------------------------------------------------


def share_by_kind(step: MeasuredStep, recorded: dict[str, list[OpRun]]) -> dict[str, float]:
    """Share of an iteration's time by kind of op, largest first; sums to 1."""
    seconds: collections.Counter[str] = collections.Counter()
    for name, frequency in step.frequencies().items():
        kinds = seconds_by_kind(recorded[name], (lambda op: "moving average") if name == EMA else (lambda op: op.kind))
        for kind, sec in kinds.items():
            seconds[kind] += sec * frequency
    total = sum(seconds.values())
    return {kind: round(sec / total, 4) for kind, sec in seconds.most_common()}


def counted_and_ran(step: MeasuredStep, recorded: dict[str, list[OpRun]]) -> tuple[float, float]:
    """Products an iteration by the traced graphs, and by the profiler: two countings that should agree."""
    ran = sum(
        frequency for name, frequency in step.frequencies().items() for op in recorded[name] if op.kind in _PRODUCTS
    )
    return sum(step.products.values()), ran


def report(step: MeasuredStep, rounds: Sequence[Round], recorded: dict[str, list[OpRun]]) -> dict[str, object]:
    """The figures, as the JSON object has them."""
    speeds = [step.batch / one.step_sec for one in rounds]
    counted, ran = counted_and_ran(step, recorded)
    flops = sum(product.flops * count for product, count in step.products.items())
    return {
        "img_per_s": {"best": round(max(speeds), 2), "median": round(statistics.median(speeds), 2)},
        "overhead_factor": round(statistics.median(one.overhead_factor for one in rounds), 3),
        "gflop_per_image": round(flops / step.batch / 1e9, 3),
        "phase_sec": {name: round(sec, 5) for name, sec in step.phase_sec().items()},
        "share_by_layer_kind": share_by_kind(step, recorded),
        "data_wait": round(statistics.median(one.wait_sec / one.step_sec for one in rounds), 5),
        "peak_gb": round(step.peak_gb, 3),
        "convolutions_alone_img_per_s": round(step.batch / min(one.alone_sec for one in rounds), 2),
        "products_per_step": {"counted": round(counted, 2), "ran": round(ran, 2)},
        "other_load": round(max(one.other_load for one in rounds), 3),
        "ops_per_phase": {name: len(ops) for name, ops in recorded.items()},
    }


def print_report(figures: dict, rounds: Sequence[Round], batch: int) -> None:
    """The figures for people."""
    for number, one in enumerate(rounds, 1):
        print(
            f"round {number}: {batch / one.step_sec:7.2f} img/s   step {1e3 * one.step_sec:7.1f} ms   "
            f"its convolutions and products alone {1e3 * one.alone_sec:7.1f} ms   "
            f"overhead factor {one.overhead_factor:.3f}"
        )
    print(
        f"best {figures['img_per_s']['best']} img/s, median {figures['img_per_s']['median']}; "
        f"{figures['gflop_per_image']} GFLOP an image; waiting for data {100 * figures['data_wait']:.2f}%; "
        f"peak memory {figures['peak_gb']:.2f} GB"
    )
    for name, sec in figures["phase_sec"].items():
        print(f"  {name:6s} {1e3 * sec:8.2f} ms a run, {figures['ops_per_phase'][name]} ops")
    for kind, share in figures["share_by_layer_kind"].items():
        print(f"  {100 * share:5.1f}%  {kind}")
    if figures["other_load"] > _DISTURBED:
        print(
            f"Note: other processes took up to {100 * figures['other_load']:.0f}% of the cores' time meanwhile; "
            "measure again on a quiet machine"
        )
    counted, ran = figures["products_per_step"].values()
    if counted != ran:
        print(f"Note: counted {counted} convolutions and products an iteration, but {ran} ran: TensorFlow merged some")


def print_products(step: MeasuredStep, top: int) -> None:
    """The products that take longest."""
    alone = step.alone_sec()
    print("convolutions and products alone: ms an iteration, runs an iteration, ms a run, GFLOP/s")
    for product in sorted(alone, key=lambda product: -alone[product] * step.products[product])[:top]:
        count, sec = step.products[product], alone[product]
        print(f"  {1e3 * sec * count:8.2f} {count:7.2f} {1e3 * sec:8.3f} {product.flops / sec / 1e9:7.1f}  {product}")


def print_ops(step: MeasuredStep, recorded: dict[str, list[OpRun]], top: int) -> None:
    """The other ops that take longest, by type and one by one."""
    for name, ops in recorded.items():
        others = [op for op in ops if op.kind not in _PRODUCTS]
        by_type: collections.Counter[str] = collections.Counter()
        for op in others:
            by_type[op.op_type] += op.seconds
        print(f"{name}: ops beside convolutions and products: ms, runs, type; then one by one")
        for op_type, sec in by_type.most_common(top):
            print(f"  {1e3 * sec:8.3f} {sum(op.op_type == op_type for op in others):6d}  {op_type}")
        for op in sorted(others, key=lambda op: -op.seconds)[:top]:
            print(f"  {1e3 * op.seconds:8.3f}  {op.op_type:24s} {op.name}")


# ---- command line ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def random_dataset(size: ImageSize) -> Iterator[str]:
    """Path of a temporary zip file of random RGB images."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "random.zip")
        with zipfile.ZipFile(path, "w") as archive:
            for index in range(_NUM_IMAGES):
                image = io.BytesIO()
                pixels = rng.integers(0, 256, (size.height, size.width, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(image, "PNG")
                archive.writestr(f"{index:05d}.png", image.getvalue())
        yield os.fspath(path)


def make_config(options: argparse.Namespace, path: str) -> TrainingConfig:
    """The configuration that run_training would have.

    Raises:
        ValueError: an option is wrong.
    """
    training = TrainingOptions(
        cfg=options.cfg,
        batch=options.batch,
        gamma=_GAMMA,
        gpus=options.gpus,
        aug=options.aug,
        p=options.p,
        augpipe=options.augpipe,
        capacity=options.capacity,
        fmaps=options.fmaps,
        no_const=bool(options.no_const),
        cbase=options.cbase,
        cmax=options.cmax,
        map_depth=options.map_depth,
        precision=options.precision,
        num_fp16_res=options.num_fp16_res,
        ops=options.ops,
    )
    dataset = DatasetConfig(
        path=path, name="random", resolution=options.resolution.plain, channels=3, num_images=_NUM_IMAGES
    )
    config = resolve(training, dataset, RunConfig(outdir="unused"))
    if options.aug == "ada":  # from p on; so few iterations hardly move it
        config = dataclasses.replace(config, augment=dataclasses.replace(config.augment, p=options.p))
    return config


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Options, hyphens or underscores in their names."""
    parser = argparse.ArgumentParser(description="Speed of a training step beside its own convolutions.")
    parser.add_argument("--cfg", default="stylegan2")
    parser.add_argument("--resolution", type=parse_size, default="32x32", help="WxH or the side of a square")
    parser.add_argument("--capacity", help="small, config-f, m, l, xl or xxl")
    parser.add_argument("--fmaps", help="channels by resolution, such as 4:64,8:64")
    parser.add_argument("--no_const", type=int, nargs="?", const=1, default=0)
    parser.add_argument("--cbase", type=int, help="default: as --capacity says")
    parser.add_argument("--cmax", type=int, help="default: as --capacity says")
    parser.add_argument("--map_depth", type=int)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--gpus", type=int, default=0)
    parser.add_argument("--aug", default="noaug")
    parser.add_argument("--p", type=float, default=0.2, help="with --aug=fixed and, at the start, with --aug=ada")
    parser.add_argument("--augpipe", default="bgc")
    parser.add_argument("--precision", default="float32", help="float32, bfloat16, auto or, on GPUs, float16")
    parser.add_argument("--num_fp16_res", type=int, help="with half precision: of so many of the highest resolutions")
    parser.add_argument("--ops", default="auto", help="auto, custom or reference")
    parser.add_argument("--threads", type=int, help="cores to bind the process to; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--top", type=int, default=0, help="print the products and ops that take longest")
    parser.add_argument("--against", help="options to be changed for the step that this one is compared with")
    parser.add_argument("--json", action="store_true", help="print a JSON object as the last line")
    return parser.parse_args([_with_underscores(word) for word in argv])


def _with_underscores(word: str) -> str:
    name, equals, value = word.partition("=")
    return f"--{name[2:].replace('-', '_')}{equals}{value}" if name.startswith("--") else word


def run(options: argparse.Namespace) -> None:
    """Measure and print."""
    threads = configure_threads(options.threads)
    with random_dataset(options.resolution) as path:
        step = MeasuredStep(make_config(options, path))
        if step.precision_note:
            print(step.precision_note)
        rounds = [step.measure() for _ in range(options.rounds)]
        recorded = step.recorded_ops()
        figures = report(step, rounds, recorded) | {"threads": threads, "ops": options.ops, "precision": step.precision}
        print_report(figures, rounds, step.batch)
        if options.top:
            print_products(step, options.top)
            print_ops(step, recorded, options.top)
    if options.json:
        print(json.dumps(figures))


def run_against(options: argparse.Namespace, other: argparse.Namespace) -> None:
    """Measure both by turns, and print how their overhead factors differ."""
    threads = configure_threads(options.threads)
    with random_dataset(options.resolution) as path, random_dataset(other.resolution) as other_path:
        steps = MeasuredStep(make_config(options, path)), MeasuredStep(make_config(other, other_path))
        pairs = [(steps[0].measure(), steps[1].measure()) for _ in range(options.rounds)]
    own, others = ([one.overhead_factor for one in rounds] for rounds in zip(*pairs, strict=True))
    ratios = [one / one_other for one, one_other in zip(own, others, strict=True)]
    figures = {
        "overhead_factor": round(statistics.median(own), 3),
        "against": round(statistics.median(others), 3),
        "ratio": round(statistics.median(ratios), 4),
        "ratios": [round(ratio, 4) for ratio in ratios],
        "img_per_s": [round(step.batch / min(one.step_sec for one in rounds), 2)
                      for step, rounds in zip(steps, zip(*pairs, strict=True), strict=True)],
        "other_load": round(max(one.other_load for pair in pairs for one in pair), 3),
        "threads": threads,
    }  # fmt: skip
    print(
        f"overhead factor {figures['overhead_factor']}, against {figures['against']} with {options.against}: ratio "
        f"{figures['ratio']} ({min(ratios):.3f} to {max(ratios):.3f} in {len(ratios)} rounds); images/s "
        f"{' and '.join(map(str, figures['img_per_s']))}; other load {figures['other_load']:.0%}"
    )
    if options.json:
        print(json.dumps(figures))


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0, or 1 after one line that says what is wrong."""
    words = list(sys.argv[1:] if argv is None else argv)
    options = parse(words)
    try:
        if options.against is None:
            run(options)
        else:
            run_against(options, parse([*words, *shlex.split(options.against)]))
    except (ValueError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
