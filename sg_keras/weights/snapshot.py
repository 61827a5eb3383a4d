"""Network snapshots, what people keep: folders with G.keras, D.keras, G_ema.keras and a run's training_config.json."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterable
from typing import Any

import keras

from sg_keras.config import TrainingConfig
from sg_keras.files.atomic import atomic_folder
from sg_keras.files.errors import error_number, explain_file_error, first_line
from sg_keras.files.network_source import CONFIG_FILE, NETWORK_NAMES
from sg_keras.models import Discriminator, Generator, in_full_precision

_NAME = re.compile(r"^network-snapshot-(\d{6,})$")


def snapshot_name(nimg: int) -> str:
    """Folder name by thousands of real images, such as network-snapshot-000100."""
    return f"network-snapshot-{nimg // 1000:06d}"


def snapshot_nimg(folder: pathlib.Path) -> int | None:
    """Real images by a snapshot's name, whole thousands; None if it is called otherwise."""
    match = _NAME.match(folder.name)
    return None if match is None else int(match.group(1)) * 1000


def write_snapshot(folder: pathlib.Path, networks: Iterable[keras.Model], config: TrainingConfig | None) -> None:
    """Write the networks, named G, D and G_ema, into a folder that appears when it is complete.

    Args:
        folder: of the snapshot.
        networks: to write.
        config: of the run that they come from, None for networks without one.

    Raises:
        OSError: it cannot be written, one line.
    """
    try:
        with atomic_folder(folder) as beside:
            for network in networks:
                network.save(beside / f"{network.name}.keras")
            if config is not None:
                (beside / CONFIG_FILE).write_text(config.to_json(), encoding="utf-8")
    except OSError as error:
        raise OSError(explain_file_error(error, folder)) from error


def newest_snapshot(run_dir: pathlib.Path) -> pathlib.Path | None:
    """The snapshot of a run with the most images, None if there is none."""
    found = {int(match.group(1)): path for path in run_dir.iterdir() if (match := _NAME.match(path.name))}
    return found[max(found)] if found else None


def read_snapshot(folder: pathlib.Path, ops: str, names: Iterable[str] = NETWORK_NAMES) -> dict[str, keras.Model]:
    """Networks of a snapshot, in full precision, with any implementation of the ops.

    Raises:
        OSError: a file is missing or damaged.
    """
    return {name: read_network(folder / f"{name}.keras", ops) for name in names}


def read_network(path: pathlib.Path, ops: str) -> keras.Model:
    """One network of a .keras file in full precision, its fused ops as `ops` says ("auto", "custom" or "reference").

    Raises:
        OSError: the file is missing or damaged.
        ValueError: it holds something else.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: found nothing, expected a network of a snapshot")
    try:
        network: Any = keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        if error_number(error) is not None:
            raise OSError(explain_file_error(error, path)) from error
        raise OSError(
            f"{path}: found a file that Keras cannot load ({first_line(error)}), expected a network of a snapshot"
        ) from error
    if not isinstance(network, Generator | Discriminator):
        raise ValueError(f"{path}: found {type(network).__name__}, expected a generator or discriminator")
    return in_full_precision(network, ops)
