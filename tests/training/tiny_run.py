"""Runs small enough for tests: 8x8 images with three labels, networks of a few channels."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
from PIL import Image

from sg_keras.config import DatasetConfig, RunConfig, TrainingConfig, TrainingOptions, resolve
from sg_keras.tools import train

ROOT = pathlib.Path(__file__).parents[2]
IMAGES = 24
NETWORK = {"cbase": 32, "cmax": 4, "z_dim": 8, "w_dim": 8, "map_depth": 2}


def write_images(folder: pathlib.Path, shape: tuple[int, int, int] = (8, 8, 3)) -> pathlib.Path:
    """A data set of noise, three labels in turn."""
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, [IMAGES, *shape], np.uint8)
    names = [f"{number:02d}.png" for number in range(IMAGES)]
    for name, pixels in zip(names, noise, strict=True):
        Image.fromarray(pixels).save(folder / name)
    labels = [[name, number % 3] for number, name in enumerate(names)]
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}), encoding="utf-8")
    return folder


def only_run(outdir: pathlib.Path) -> pathlib.Path:
    """The run directory in an output directory that holds one."""
    (run_dir,) = outdir.iterdir()
    return run_dir


def tiny_config(
    image_folder: pathlib.Path,
    outdir: pathlib.Path,
    run: dict[str, Any] | None = None,
    augment: dict[str, Any] | None = None,
    on_bad_image: str = "stop",
    **options: Any,
) -> TrainingConfig:
    """A run of 20 iterations with a tick every 4.

    `run`, `augment` and `options` change RunConfig, the resolved AugmentConfig and TrainingOptions.
    """
    dataset = DatasetConfig(
        path=str(image_folder),
        name=image_folder.name,
        resolution=8,
        channels=3,
        c_dim=3,
        num_images=IMAGES,
        on_bad_image=on_bad_image,
    )
    every = {
        "total_kimg": 0.16,
        "tick_kimg": 0.032,
        "snapshot_ticks": 2,
        "image_snapshot_ticks": 2,
        "sample_grid": (6, 4),
    }
    chosen = {"cfg": "stylegan2", "batch": 8, "gamma": 0.1, "gpus": 0, "aug": "noaug", "ops": "reference", **NETWORK}
    config = resolve(
        TrainingOptions(**{**chosen, **options}), dataset, RunConfig(outdir=str(outdir), **{**every, **(run or {})})
    )
    return dataclasses.replace(config, augment=dataclasses.replace(config.augment, **(augment or {})))


def command(image_folder: pathlib.Path, outdir: pathlib.Path, *words: str) -> list[str]:
    """Command line of a tiny run."""
    chosen = {word.partition("=")[0] for word in words}
    defaults = {**{"cfg": "stylegan2", "gamma": "0.1", "aug": "noaug"}, **NETWORK}
    return [
        sys.executable,
        str(ROOT / "run_training.py"),
        f"--outdir={outdir}",
        f"--data={image_folder}",
        "--cond=1",
        "--gpus=0",
        "--batch=8",
        "--sample-grid=3x2",
        *(f"--{name}={value}" for name, value in defaults.items() if f"--{name}" not in chosen),
        *words,
    ]


def start(arguments: list[str]) -> subprocess.Popen:
    """Start a process with its own output files closed to us: what it prints is in its log.txt."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        arguments, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def finish_here(arguments: list[str]) -> None:
    """Run a command line to its good end in this process, which has loaded TensorFlow already."""
    assert train.main(arguments[2:]) == 0


def finish(arguments: list[str]) -> None:
    """Run a process to its end, which must be a good one."""
    process = start(arguments)
    _, errors = process.communicate(timeout=1800)
    assert process.returncode == 0, errors
