"""Trained networks from whatever a run left behind, and from files of other formats."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
from collections.abc import Sequence
from typing import TypedDict, cast

import keras

from sg_keras.checkpoint.resume import checkpoint_at, newest_checkpoint, noted_config, own_run_directory, read_config
from sg_keras.checkpoint.state import SavedState
from sg_keras.config import TrainingConfig
from sg_keras.files.download import fetch
from sg_keras.files.network_source import (
    CONFIG_FILE,
    NETWORK_NAMES,
    NetworkSource,
    format_of_file,
    parse_network_source,
)
from sg_keras.models import Discriminator, Generator, float32_variables, in_full_precision, networks_from_config
from sg_keras.weights.network_file import read_network_file
from sg_keras.weights.published_names import relative_path
from sg_keras.weights.snapshot import newest_snapshot, read_network, read_snapshot, snapshot_nimg

_MANGLED = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):/(?!/)")  # what pathlib makes of scheme://


class Networks(TypedDict, total=False):
    """What `load` gives, by name."""

    G: Generator
    D: Discriminator
    G_ema: Generator


def load(
    path: str | os.PathLike[str] | NetworkSource, ops: str = "auto", names: Sequence[str] = NETWORK_NAMES
) -> Networks:
    """The networks G, D and G_ema of a run or a file. They compute in float32, in whatever precision they were trained.

    Args:
        path: a run directory (its newest exact checkpoint, or else its newest network snapshot), RUN_DIR@TICK, a
            network snapshot's folder or any of its files, a checkpoint (its prefix or any of its files), an official
            pickle of StyleGAN2-ADA or StyleGAN3 (nothing in it is run), a file that sg_keras.tools.convert wrote, or
            the address of such a file, which is fetched once and kept. Or any of these, parsed.
        ops: implementation of the fused ops: "auto", "custom" or "reference".
        names: which networks are wanted. For "G_ema" alone, one .keras file with a generator is enough.

    Returns:
        {"G": Generator, "D": Discriminator, "G_ema": Generator}, those that are wanted.

    Raises:
        ValueError: the path is none of these, or a file of networks is damaged or holds other networks.
        OSError: files are missing or damaged, or cannot be fetched.
    """
    with float32_variables():
        return cast(Networks, _load(as_source(path), ops, names))


def _load(source: NetworkSource, ops: str, names: Sequence[str]) -> dict[str, keras.Model]:
    if source.kind == "address":
        return _read_address(source.path, ops, names)
    if source.kind in ("file", "network"):
        return _read_file(pathlib.Path(source.path), ops, names)
    if source.kind == "snapshot":
        return read_snapshot(pathlib.Path(source.path), ops, names)
    prefix = find_checkpoint(source)
    if prefix is not None:
        return _read_checkpoint(prefix, ops, names)
    snapshot = newest_snapshot(pathlib.Path(source.path))
    if snapshot is None:
        raise ValueError(f"{source.path}: found neither a checkpoint nor a network snapshot in it yet")
    return read_snapshot(snapshot, ops, names)


def as_source(path: str | os.PathLike[str] | NetworkSource) -> NetworkSource:
    """What a path stands for, parsed if it is not yet.

    Raises:
        ValueError: it is none of the places where networks come from.
    """
    if isinstance(path, NetworkSource):
        return path
    text = os.fspath(path)
    return parse_network_source(text if isinstance(path, str) else _MANGLED.sub(r"\1://", text))


def training_config(path: str | os.PathLike[str] | NetworkSource) -> TrainingConfig | None:
    """How networks were trained, None where that is not kept with them (files, and some snapshots)."""
    source = as_source(path)
    place = pathlib.Path(source.path)
    if source.kind == "checkpoint":
        return _config_of(place)
    if source.kind in ("run_dir", "snapshot") and (place / CONFIG_FILE).is_file():
        return read_config(place / CONFIG_FILE)
    return None


def trained_nimg(path: str | os.PathLike[str] | NetworkSource) -> int | None:
    """Real images that networks were trained on, None where that is not kept with them.

    Raises:
        ValueError, OSError: as of `load`.
    """
    source = as_source(path)
    if source.kind in ("address", "file", "network"):
        return None
    place = pathlib.Path(source.path)
    prefix = None if source.kind == "snapshot" else find_checkpoint(source)
    if prefix is not None:
        return int(SavedState(prefix).value("cur_nimg"))
    snapshot = place if source.kind == "snapshot" else newest_snapshot(place)
    return None if snapshot is None else snapshot_nimg(snapshot)


def find_checkpoint(path: str | os.PathLike[str] | NetworkSource) -> pathlib.Path | None:
    """Prefix of the checkpoint that a path stands for: a run directory (the newest one), RUN_DIR@TICK or a checkpoint.

    Returns:
        None for a run directory without checkpoints.

    Raises:
        ValueError: the path is none of these, or the run has no checkpoint of that tick.
        OSError: all checkpoints of a run are damaged.
    """
    source = as_source(path)
    place = pathlib.Path(source.path)
    if source.kind == "checkpoint":
        return place
    if source.kind != "run_dir":
        raise ValueError(
            f"found {source.typed!r}, networks without the state of a run, expected a run directory, RUN_DIR@TICK or a "
            "checkpoint"
        )
    return newest_checkpoint(place) if source.tick is None else checkpoint_at(place, source.tick)


def _read_address(address: str, ops: str, names: Sequence[str]) -> dict[str, keras.Model]:
    kept, _ = fetch(address)
    try:
        return _read_file(kept, ops, names)
    except (ValueError, OSError) as error:
        reason = str(error).removeprefix(f"{kept}: ")
        raise ValueError(
            f"{address}: {reason} (the file is kept as {kept}; without it, it is fetched again)"
        ) from error


def _read_file(path: pathlib.Path, ops: str, names: Sequence[str]) -> dict[str, keras.Model]:
    if format_of_file(path) != "keras":
        return read_network_file(path, ops, names)
    if tuple(names) != ("G_ema",):
        raise ValueError(f"{path}: found one network alone, expected a snapshot's folder with G, D and G_ema")
    network = read_network(path, ops)
    if not isinstance(network, Generator):
        raise ValueError(f"{path}: found a discriminator, expected a generator")
    return {"G_ema": network}


def _read_checkpoint(prefix: pathlib.Path, ops: str, names: Sequence[str]) -> dict[str, keras.Model]:
    config = dataclasses.replace(_config_of(prefix), ops=ops)
    saved = SavedState(prefix)
    G, D = (in_full_precision(network, ops) for network in networks_from_config(config))
    G_ema = Generator.from_config({**G.get_config(), "name": "G_ema"})
    networks = {network.name: network for network in (G, D, G_ema) if network.name in names}
    for name, network in networks.items():
        for variable in network.variables:
            variable.assign(saved.value(f"{name}/{relative_path(network, variable)}"))
    return networks


def _config_of(prefix: pathlib.Path) -> TrainingConfig:
    run_dir = own_run_directory(prefix)
    return noted_config(prefix) if run_dir is None else read_config(run_dir / CONFIG_FILE)
