"""Names of run directories: 00003-stylegan2-digits-gpus0-batch32-gamma0.01[-desc]."""

from __future__ import annotations

import os
import pathlib
import re

from sg_keras.config.schedule import Schedule
from sg_keras.config.training_config import TrainingConfig

_MAX_BYTES = 200  # of a name; most file systems take 255, and some use part of that
_NUMBERED = re.compile(r"^(\d{5,})(-|$)")
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # control characters, and what is not UTF-8


def run_directory_name(config: TrainingConfig, number: int) -> str:
    """The directory's name inside --outdir, for the run with this number. A long name of a data set is cut.

    Raises:
        ValueError: it would be too long for a file system all the same.
    """
    name = _NOT_IN_NAMES.sub("_", config.dataset.name) or "data"
    parts = [
        f"{number:05d}",
        config.generator.cfg,
        name,
        f"gpus{config.gpus}",
        f"batch{config.batch}",
        f"gamma{Schedule.of(config.loss.r1_gamma).at(0):g}",
    ]
    parts += [config.run.desc] if config.run.desc else []
    too_long = len(os.fsencode("-".join(parts))) - _MAX_BYTES
    if too_long > 0:
        parts[2] = _cut(name, max(len(os.fsencode(name)) - too_long, 1))
    if len(os.fsencode("-".join(parts))) > _MAX_BYTES:
        size = len(os.fsencode(config.run.desc))
        raise ValueError(f"--desc: found {size} bytes, expected about {_MAX_BYTES - 60} at most, as of a file's name")
    return "-".join(parts)


def _cut(text: str, max_bytes: int) -> str:
    while len(os.fsencode(text)) > max_bytes and len(text) > 1:
        text = text[:-1]
    return text


def run_number(name: str) -> int | None:
    """The number that the name of a run directory begins with; None where it is no such name."""
    match = _NUMBERED.match(name)
    return int(match.group(1)) if match else None


def next_run_number(outdir: str) -> int:
    """One more than the highest number in use in outdir; 0 where there is none, or no such directory yet."""
    folder = pathlib.Path(outdir)
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return max((number for number in map(run_number, names) if number is not None), default=-1) + 1
