"""What --direction and --centres do to the styles of images."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sg_keras.flags.video_options import is_direction
from sg_keras.tools.label_options import spread_labels
from sg_keras.tools.network_option import label_facts, named_errors

if TYPE_CHECKING:
    from sg_keras.inference import Direction, DirectionFile
    from sg_keras.models import Generator
    from sg_keras.tools.generated_rows import Column, FileStyles, Row, SeedStyles


class StyleChanges:
    """Truncation to centres and moves along directions, as the options of a tool say.

    Args:
        values: of the options network, direction, directions, centres, trunc_cutoff, class and label.
        G: generator of the network.

    Raises:
        ValueError: the options do not fit each other or the network; one line that names one of them.
    """

    def __init__(self, values: dict[str, Any], G: Generator) -> None:
        self._cutoff: int | None = values["trunc_cutoff"]
        self._directions, self._amounts = _directions(values, G)
        self._centres: np.ndarray | None = None
        if values["centres"] is not None:
            from sg_keras.inference import truncation_centres

            labels = spread_labels(values, G.c_dim, *label_facts(values["network"]))
            self._centres = truncation_centres(G, values["centres"], labels=labels)

    def mapping_psi(self, truncation_psi: float) -> float:
        """Truncation that is left to the mapping network: none, where there are centres."""
        return truncation_psi if self._centres is None else 1.0

    def changed(self, ws: np.ndarray, truncation_psi: float) -> np.ndarray:
        """Styles [N,num_ws,w_dim], made with `mapping_psi`, truncated to centres and moved."""
        from sg_keras.inference import moved_styles, truncate_to_centres

        if self._centres is not None:
            ws = truncate_to_centres(ws, self._centres, truncation_psi, self._cutoff)
        return moved_styles(ws, self._directions, self._amounts) if self._directions else ws


@dataclasses.dataclass(frozen=True, slots=True)
class ChangedStyles:
    """Styles of seeds or of a file, changed."""

    source: SeedStyles | FileStyles
    changes: StyleChanges

    @property
    def columns(self) -> list[Column]:
        """What the images are called."""
        return self.source.columns

    def of_row(self, row: Row) -> Iterator[np.ndarray]:
        """Styles [num_ws,w_dim] of the columns of a row."""
        for ws in self.source.of_row(dataclasses.replace(row, psi=self.changes.mapping_psi(row.psi))):
            yield self.changes.changed(ws[np.newaxis], row.psi)[0]


def with_changes(
    source: SeedStyles | FileStyles, values: dict[str, Any], G: Generator
) -> SeedStyles | FileStyles | ChangedStyles:
    """The same styles, changed where options say so. Errors as of `StyleChanges`."""
    asked = any(values[name] is not None for name in ("direction", "directions", "centres"))
    return ChangedStyles(source, StyleChanges(values, G)) if asked else source


def film_changes(
    values: dict[str, Any], G: Generator, num_frames: int, heard: Mapping[str, np.ndarray]
) -> list[Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    """What --direction with --swings, and sounds that drive directions, change in the styles of a film.

    Args:
        values: of the options, audio_drives among them.
        G: generator of the network.
        num_frames: of the film.
        heard: strengths [num_frames] by source of a sound; empty without one.

    Raises:
        ValueError: as of `StyleChanges`.
    """
    from sg_keras.inference import along_directions, swing

    drives = [drive for drive in values["audio_drives"] if heard and is_direction(drive[1])]
    if drives and values["directions"] is None:
        raise ValueError(
            f"--audio-drives: found {drives[0][1]!r}, expected layers (0-3, coarse, middle, fine, all), trunc, "
            "noise, or the name of a direction of --directions"
        )
    changes = []
    if values["direction"] is not None or not drives:
        directions, amounts = _directions(values, G)
        changes += [along_directions(directions, swing(num_frames, amounts, values["swings"]))] if directions else []
    if drives:
        names = [name for _, name, _ in drives]
        strengths = np.stack([amount * heard[source] for source, _, amount in drives], axis=1)
        named = _named(values, G, names, "--audio-drives", _file_of(values["directions"]))
        changes.append(along_directions(named, lambda frames: strengths[frames]))
    return changes


def direction_files(values: dict[str, Any]) -> list[str]:
    """The files of --directions, for what a film was made from."""
    from sg_keras.inference import DIRECTIONS_FILE

    if values["directions"] is None:
        return []
    path = pathlib.Path(values["directions"])
    path = path / DIRECTIONS_FILE if path.is_dir() else path
    return [str(path), str(path.with_suffix(".npz"))]


def _directions(values: dict[str, Any], G: Generator) -> tuple[list[Direction], list[float]]:
    """Directions of --direction and their amounts, of a file that fits the network."""
    chosen, path = values["direction"], values["directions"]
    if chosen is None and path is None:
        return [], []
    if path is None:
        raise ValueError("--directions: found none, expected directions.json, which has what --direction names")
    file = _file_of(path)
    if chosen is None:
        raise ValueError(
            f"--direction: found none, expected names of directions and amounts such as {file.directions[0].name}:2.0"
        )
    found = _named(values, G, [name for name, _ in chosen], "--direction", file)
    return found, [amount for _, amount in chosen]


def _file_of(path: str) -> DirectionFile:
    from sg_keras.inference import read_directions

    return named_errors("--directions", lambda: read_directions(pathlib.Path(path)))


def _named(
    values: dict[str, Any], G: Generator, names: Sequence[str], option: str, file: DirectionFile
) -> list[Direction]:
    """Directions of a file by name, all of which fit the network."""
    from sg_keras.inference import check_direction
    from sg_keras.metrics.fakes import network_digest

    found = named_errors(option, lambda: [file.named(name) for name in names])
    try:
        for direction in found:
            check_direction(direction, G.num_ws, G.w_dim)
    except ValueError as error:
        raise ValueError(f"--directions: {error}") from error
    if file.network and file.network != network_digest(G):
        print(
            f"Note: {values['directions']} was made with another network; its directions may mean something else here"
        )
    return found
