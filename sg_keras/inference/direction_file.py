"""Directions in files: directions.json, which people may edit, and the vectors in directions.npz beside it."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import pathlib
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sg_keras.files.atomic import atomic_file, write_text
from sg_keras.inference.directions import Direction

DIRECTIONS_FILE = "directions.json"
_NAME = re.compile(r"(?!-)[^\s,:=]{1,60}")  # what can be typed as --direction=NAME:AMOUNT
_SHOWN = 3  # names in an error


@dataclasses.dataclass(frozen=True, eq=False)
class DirectionFile:
    """Directions, and where they are from.

    Attributes:
        directions: in their order.
        network: digest of the network that they were found in, "" = not known.
    """

    directions: tuple[Direction, ...]
    network: str = ""

    def named(self, name: str) -> Direction:
        """The direction of a name, or of a number from 0.

        Raises:
            ValueError: there is none; one line with those that are spelled alike.
        """
        names = [direction.name for direction in self.directions]
        if name in names:
            return self.directions[names.index(name)]
        if re.fullmatch("[0-9]{1,9}", name) and int(name) < len(names):
            return self.directions[int(name)]
        near = difflib.get_close_matches(name, names, n=_SHOWN, cutoff=0.6)
        if near:
            raise ValueError(f"found no {name!r}, did you mean {' or '.join(near)}?")
        shown = f"{', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''}"
        raise ValueError(
            f"found no {name!r}, expected a direction's name ({shown}) or its number, up to {len(names) - 1}"
        )


def check_name(name: str) -> str:
    """The name of a direction, if it can be one.

    Raises:
        ValueError: it cannot be typed as a name, or it would be a number; one line.
    """
    if not _NAME.fullmatch(name) or name.isdigit():
        raise ValueError(
            f"found the name {name!r}, expected up to 60 letters without spaces, commas, colons and =, and not a number"
        )
    return name


def renamed(directions: Sequence[Direction], names: Mapping[int, str]) -> tuple[Direction, ...]:
    """Directions, some with other names.

    Args:
        directions: all of them.
        names: by number from 0.

    Raises:
        ValueError: there is no such number, a name cannot be one, or two directions would have it; one line.
    """
    for number, name in names.items():
        if not 0 <= number < len(directions):
            raise ValueError(f"found number {number}, expected 0 to {len(directions) - 1}, those of the directions")
        check_name(name)
    found = tuple(dataclasses.replace(d, name=names.get(i, d.name)) for i, d in enumerate(directions))
    _check_different([direction.name for direction in found])
    return found


def write_directions(folder: pathlib.Path, directions: Sequence[Direction], network: str = "") -> pathlib.Path:
    """Write directions into a folder: directions.json and directions.npz.

    Args:
        folder: which exists.
        directions: one or more, of one width.
        network: digest of the network that they were found in.

    Returns:
        The path of directions.json.
    """
    path = folder / DIRECTIONS_FILE
    vectors = np.stack([direction.vector for direction in directions])
    sigmas = np.array([direction.sigma for direction in directions])
    with atomic_file(path.with_suffix(".npz")) as beside, beside.open("wb") as file:
        np.savez(file, vectors=vectors, sigma=sigmas, layers=np.array([direction.layers for direction in directions]))
    entries = [
        {"name": d.name, "vector": number, "method": d.method, "layers": list(d.layers), "sigma": d.sigma}
        for number, d in enumerate(directions)
    ]
    content = {"network": network, "vectors_sha256": _digest(vectors), "directions": entries}
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path


def read_directions(path: pathlib.Path) -> DirectionFile:
    """Read directions back. In directions.json names may have been changed, and entries moved or taken out.

    Args:
        path: of directions.json, or of the folder that it is in.

    Raises:
        ValueError: it holds no directions, or the vectors beside it are others; one line.
        OSError: a file cannot be read.
    """
    path = path / DIRECTIONS_FILE if path.is_dir() else path
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        entries, digest = found["directions"], found["vectors_sha256"]
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as file:
            vectors = np.asarray(file["vectors"], np.float32)
    except (ValueError, TypeError, KeyError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: found no directions, expected what sg_keras.tools.directions wrote") from error
    if vectors.ndim != 2 or _digest(vectors) != digest:
        raise ValueError(f"{path.with_suffix('.npz')}: found other vectors than {path.name} is about, expected its own")
    try:
        directions = tuple(_direction(entry, vectors) for entry in entries)
        if not directions:
            raise ValueError("found none, expected one direction at least")
        _check_different([direction.name for direction in directions])
    except (ValueError, TypeError, KeyError, IndexError) as error:
        reason = str(error) if isinstance(error, ValueError) else f"found an entry without {error}, expected it"
        raise ValueError(f"{path}: {reason}") from error
    return DirectionFile(directions, str(found.get("network", "")))


def _direction(entry: Mapping[str, Any], vectors: np.ndarray) -> Direction:
    name, number, layers, sigma = str(entry["name"]), entry["vector"], entry["layers"], float(entry["sigma"])
    where = f"direction {name!r}"
    if type(number) is not int or not 0 <= number < len(vectors):
        raise ValueError(f"{where}: found the vector {number!r}, expected 0 to {len(vectors) - 1}")
    if len(layers) != 2 or not all(type(layer) is int for layer in layers) or not 0 <= layers[0] <= layers[1]:
        raise ValueError(f"{where}: found the layers {layers!r}, expected the first and the last, such as [0, 3]")
    if not np.isfinite(sigma):
        raise ValueError(f"{where}: found the sigma {sigma}, expected a number")
    return Direction(check_name(name), vectors[number], sigma, (layers[0], layers[1]), str(entry.get("method", "")))


def _check_different(names: Sequence[str]) -> None:
    twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
    if twice is not None:
        raise ValueError(f"found the name {twice!r} twice, expected a name for each direction")


def _digest(vectors: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(vectors, np.float32).tobytes()).hexdigest()
