"""Which checkpoints of a run there are: by the list that is written last, and by the files themselves.

The list (the file "checkpoint", in TensorFlow's form) says which checkpoints are complete and in which order they were
saved. It may be older or newer than the files beside it: where a folder was copied while a run trained in it, a
transfer was cut off, or files came back from a backup. So files that it does not know are looked at, too. Before a
checkpoint is removed on purpose the list names it as superseded, so that no one takes it for one of those if the
process is killed in between. Nothing is removed here.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from sg_keras.checkpoint.state import SavedState, index_path
from sg_keras.files.atomic import write_text
from sg_keras.files.network_source import CHECKPOINT_FOLDER

FOLDER = CHECKPOINT_FOLDER
NAME = "ckpt"
LIST_FILE = "checkpoint"
_NUMBERED = re.compile(rf"{NAME}-[0-9]+")
_FILE_OF_CHECKPOINT = re.compile(rf"({NAME}-[0-9]+)\.(?:index|data-.*)")
_ENTRY = re.compile(
    r'^\s*(?:all_model_checkpoint_paths|(model_checkpoint_path))\s*:\s*["\'](.*)["\']\s*$', re.MULTILINE
)
_SUPERSEDED = re.compile(r"^# superseded: (.*)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class CheckpointList:
    """What the list says.

    Attributes:
        names: of the checkpoints, such as ckpt-12, in the order in which they were saved.
        superseded: names of those that were being removed when it was written.
        doubt: why it cannot be relied on, None if it can.
    """

    names: tuple[str, ...]
    superseded: tuple[str, ...] = ()
    doubt: str | None = None


@dataclasses.dataclass(frozen=True)
class Stock:
    """The checkpoints of a folder.

    Attributes:
        usable: prefixes, oldest first: those of the list whose files are there, and newer ones that it does not know.
        left_alone: prefixes of older ones that it does not know. They can be asked for by name.
        notes: lines on what list and files disagree about.
    """

    usable: tuple[pathlib.Path, ...]
    left_alone: tuple[pathlib.Path, ...] = ()
    notes: tuple[str, ...] = ()


def is_numbered(prefix: pathlib.Path) -> bool:
    """Whether a checkpoint has a name as runs give it."""
    return _NUMBERED.fullmatch(prefix.name) is not None


def checkpoint_number(prefix: pathlib.Path) -> int:
    """The tick a checkpoint belongs to."""
    return int(prefix.name.rpartition("-")[2])


def note_path(prefix: pathlib.Path) -> pathlib.Path:
    """The human-readable JSON file beside a checkpoint."""
    return prefix.with_name(prefix.name + ".json")


def read_note(prefix: pathlib.Path) -> dict[str, Any]:
    """What was noted beside a checkpoint; empty if that file is gone. The state does not depend on it."""
    try:
        note = json.loads(note_path(prefix).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def saved_checkpoints(directory: pathlib.Path) -> list[pathlib.Path]:
    """Prefixes of the checkpoints in a folder that a run can go on from, in the order in which they were saved."""
    return list(take_stock(directory).usable)


def read_list(directory: pathlib.Path) -> CheckpointList:
    """What the list of a folder says, whoever wrote it and wherever the folder lay then."""
    try:
        text = (directory / LIST_FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return CheckpointList((), doubt="no list of checkpoints")
    except OSError as error:
        return CheckpointList((), doubt=f"a list of checkpoints that cannot be read ({error.strerror})")
    names: list[str] = []
    newest: list[str] = []
    for is_newest, path in _ENTRY.findall(text):
        name = re.split(r"[/\\]", path)[-1]
        if _NUMBERED.fullmatch(name):
            (newest if is_newest else names).append(name)
    names = list(dict.fromkeys(names + [name for name in newest if name not in names]))
    superseded = tuple(name for line in _SUPERSEDED.findall(text) for name in line.split(", "))
    if not names and not superseded:
        return CheckpointList((), doubt="a list of checkpoints that names none")
    return CheckpointList(tuple(names), superseded)


def write_list(
    directory: pathlib.Path, prefixes: Sequence[pathlib.Path], superseded: Sequence[pathlib.Path] = ()
) -> None:
    """Replace the list at once; without any prefixes there is none.

    Args:
        directory: of the checkpoints.
        prefixes: in the order in which they were saved.
        superseded: those that are about to be removed.
    """
    lines = [f'model_checkpoint_path: "{prefixes[-1].name}"'] if prefixes else []
    lines += [f'all_model_checkpoint_paths: "{prefix.name}"' for prefix in prefixes]
    lines += [f"# superseded: {', '.join(prefix.name for prefix in superseded)}"] if superseded else []
    if lines:
        write_text(directory / LIST_FILE, "\n".join(lines) + "\n")
    else:
        (directory / LIST_FILE).unlink(missing_ok=True)


def take_stock(directory: pathlib.Path) -> Stock:
    """Compare the list of a folder with the files that are there."""
    listing = read_list(directory)
    known = {*listing.names, *listing.superseded}
    listed = [directory / name for name in listing.names if index_path(directory / name).is_file()]
    found = sorted({match[1] for name in _names_in(directory) if (match := _FILE_OF_CHECKPOINT.fullmatch(name))})
    unknown = {directory / name: _readable(directory / name) for name in found if name not in known}
    whole = {prefix: state for prefix, state in unknown.items() if state is not None}
    newer, older = _around(listed, whole)
    notes = _notes(directory, listing, [path.name for path in listed], bool(found), newer, older)
    broken = [prefix.name for prefix, state in unknown.items() if state is None]
    if broken:
        notes.append(f"WARNING: {directory}: found parts of {_some(broken)} alone, which are not used, and left there")
    return Stock((*listed, *newer), tuple(older), tuple(notes))


def _names_in(directory: pathlib.Path) -> Iterable[str]:
    return [entry.name for entry in directory.iterdir()] if directory.is_dir() else []


def _readable(prefix: pathlib.Path) -> SavedState | None:
    """Its state, if index and data are there; whether all of it is whole is seen when it is to be used."""
    try:
        state = SavedState(prefix)
        state.value("cur_nimg")
    except (OSError, ValueError):
        return None
    return state


def _around(
    listed: list[pathlib.Path], whole: dict[pathlib.Path, SavedState]
) -> tuple[list[pathlib.Path], list[pathlib.Path]]:
    """Those beyond the newest of the list, and the others, by images seen. Other networks' are never newer."""
    newest = next((state for prefix in reversed(listed) if (state := _readable(prefix)) is not None), None)
    nimg_of = {prefix: state.nimg for prefix, state in whole.items()}
    in_order = sorted(whole, key=lambda prefix: (nimg_of[prefix], checkpoint_number(prefix)))
    if newest is None:
        return in_order, []
    newer = [p for p in in_order if nimg_of[p] > newest.nimg and whole[p].shapes == newest.shapes]
    return newer, [prefix for prefix in in_order if prefix not in newer]


def _notes(
    directory: pathlib.Path,
    listing: CheckpointList,
    listed: list[str],
    any_files: bool,
    newer: list[pathlib.Path],
    older: list[pathlib.Path],
) -> list[str]:
    notes = []
    if listing.doubt is not None and any_files:
        notes.append(f"WARNING: {directory}: found {listing.doubt}, so the files themselves count")
    gone = [name for name in listing.names if name not in listed]
    if gone:
        notes.append(f"WARNING: {directory}: found that {_some(gone)} of the list of checkpoints are not there")
    for prefixes, what in ((newer, "newer: the newest is used"), (older, "older: left there")):
        if prefixes:
            names = _some([prefix.name for prefix in prefixes])
            notes.append(f"{directory}: found {names}, not on the list of checkpoints and {what}")
    return notes


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
