"""Trained networks from whatever a run left behind, and from files of other formats."""

from __future__ import annotations

import dataclasses
import os
import pathlib

import keras

from sg_keras.checkpoint.manager import read_note
from sg_keras.checkpoint.network_file import is_network_file, read_network_file
from sg_keras.checkpoint.published_names import relative_path
from sg_keras.checkpoint.resume import CONFIG_FILE, checkpoint_at, newest_checkpoint, own_run_directory, read_config
from sg_keras.checkpoint.snapshot import newest_snapshot, read_snapshot
from sg_keras.checkpoint.state import SavedState, index_path
from sg_keras.config import TrainingConfig
from sg_keras.models import Generator, in_full_precision, networks_from_config

_EXPECTED = (
    "a run directory, RUN_DIR@TICK, a network snapshot's folder, a checkpoint, an official pickle (.pkl) "
    "or a .safetensors file"
)


def load(path: str | os.PathLike[str], ops: str = "auto") -> dict[str, keras.Model]:
    """The networks G, D and G_ema of a run or a file. They compute in float32, in whatever precision they were trained.

    Args:
        path: a run directory (its newest exact checkpoint, or else its newest network snapshot), RUN_DIR@TICK, a
            network snapshot's folder, a checkpoint (with or without ".index"), an official pickle of StyleGAN2-ADA or
            StyleGAN3 (nothing in it is run), or a file that sg_keras.tools.convert wrote.
        ops: implementation of the fused ops: "auto", "custom" or "reference".

    Returns:
        {"G": Generator, "D": Discriminator, "G_ema": Generator}.

    Raises:
        ValueError: the path is none of these, or a file of networks is damaged or holds other networks.
        OSError: files are missing or damaged.
    """
    place = pathlib.Path(path)
    if is_network_file(place):
        return read_network_file(place, ops)
    if (place / "G_ema.keras").is_file():
        return read_snapshot(place, ops)
    prefix = find_checkpoint(place)
    if prefix is not None:
        return _read_checkpoint(prefix, ops)
    snapshot = newest_snapshot(place)
    if snapshot is None:
        raise ValueError(f"{place}: found neither a checkpoint nor a network snapshot in it yet")
    return read_snapshot(snapshot, ops)


def find_checkpoint(path: pathlib.Path) -> pathlib.Path | None:
    """Prefix of the checkpoint that a path stands for: a run directory (the newest one), RUN_DIR@TICK or a checkpoint.

    Returns:
        None for a run directory without checkpoints.

    Raises:
        ValueError: the path is none of these, or the run has no checkpoint of that tick.
        OSError: all checkpoints of a run are damaged.
    """
    prefix = path.with_suffix("") if path.suffix == ".index" else path
    if index_path(prefix).is_file():
        return prefix
    if (path / CONFIG_FILE).is_file():
        return newest_checkpoint(path)
    run, separator, tick = path.name.rpartition("@")
    run_dir = path.with_name(run) if run else path
    if separator and tick.isdecimal() and (run_dir / CONFIG_FILE).is_file():
        return checkpoint_at(run_dir, int(tick))
    found = "something else" if path.exists() else "nothing"
    raise ValueError(f"{path}: found {found}, expected {_EXPECTED}")


def _read_checkpoint(prefix: pathlib.Path, ops: str) -> dict[str, keras.Model]:
    config = dataclasses.replace(_config_of(prefix), ops=ops)
    saved = SavedState(prefix)
    G, D = (in_full_precision(network, ops) for network in networks_from_config(config))
    G_ema = Generator.from_config({**G.get_config(), "name": "G_ema"})
    networks = {network.name: network for network in (G, D, G_ema)}
    for name, network in networks.items():
        for variable in network.variables:
            variable.assign(saved.value(f"{name}/{relative_path(network, variable)}"))
    return networks


def _config_of(prefix: pathlib.Path) -> TrainingConfig:
    run_dir = own_run_directory(prefix)
    if run_dir is not None:
        return read_config(run_dir / CONFIG_FILE)
    saved = read_note(prefix).get("config")
    if saved is None:
        raise ValueError(
            f"{prefix}: found it outside of a run directory and without {prefix.name}.json, expected that "
            "file beside it, which says how the networks are built"
        )
    return TrainingConfig.from_dict(saved)
