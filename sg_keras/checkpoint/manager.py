"""Exact checkpoints of a run: ckpt-<tick> files, a list of them, and a human-readable note beside each.

The list (the file "checkpoint", written beside and renamed once a checkpoint is complete) says which checkpoints this
run has made and in which order, so neither a process killed while it saves nor ticks of another length (--tick may
change) can confuse it. Files that the list does not know are never removed: where one is in the way it is set aside.
"""

from __future__ import annotations

import contextlib
import json
import logging
import pathlib
import re
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from sg_keras.checkpoint.listing import FOLDER as FOLDER
from sg_keras.checkpoint.listing import (
    NAME,
    note_path,
    read_list,
    read_note,
    take_stock,
    write_list,
)
from sg_keras.checkpoint.listing import checkpoint_number as checkpoint_number
from sg_keras.checkpoint.listing import saved_checkpoints as saved_checkpoints
from sg_keras.checkpoint.retention import best_snapshots, worth_keeping
from sg_keras.checkpoint.state import (
    ROOT,
    SavedState,
    check_same_variables,
    index_path,
)
from sg_keras.files import plain_folder, plain_prefix
from sg_keras.files.atomic import remove_partial, set_aside, write_text
from sg_keras.files.errors import explain_file_error

SET_ASIDE = "set-aside"
_LOGGER = logging.getLogger(__name__)
_HALF_WRITTEN = re.compile(rf"{NAME}-[0-9]+_temp")  # TensorFlow's folder for a checkpoint that is not complete
_OF_CHECKPOINT = re.compile(rf"{NAME}-[0-9]+\.")


def _images_seen(prefix: pathlib.Path) -> int | None:
    nimg = read_note(prefix).get("nimg")
    return nimg if isinstance(nimg, int) else None


def restore_variables(prefix: pathlib.Path, variables: Mapping[str, tf.Variable]) -> None:
    """Take over all variables from a checkpoint; only reads.

    Raises:
        ValueError: it holds other variables.
        DamagedCheckpointError: it cannot be read.
    """
    check_same_variables(SavedState(prefix), variables)
    with plain_prefix(prefix) as plain:
        tf.train.Checkpoint(**{ROOT: dict(variables)}).restore(plain.path).assert_consumed()


class CheckpointStore:
    """Writes and restores the checkpoints of one run.

    At least two are kept: saving a tick's number anew removes the old one first, and the one before stays for safety.
    What is removed is logged: half-written files of a killed process, and checkpoints that newer ones supersede.

    Attributes:
        variables: as given.

    Args:
        directory: created if missing; what a killed process left half-written there is removed.
        variables: everything that determines how training goes on, by name.
        keep: newest checkpoints to keep.
        keep_every_kimg: beside them keep the first one at or after each multiple of so many thousand images; None = no
            more.
        metrics_dir: folder with metric files (`best_snapshots`): beside them keep those of the best snapshots; None =
            no more.

    Raises:
        OSError: the folder cannot be written to.
    """

    def __init__(
        self,
        directory: pathlib.Path,
        variables: Mapping[str, tf.Variable],
        keep: int,
        keep_every_kimg: float | None = None,
        metrics_dir: pathlib.Path | None = None,
    ) -> None:
        self._directory = directory
        self.variables = dict(variables)
        self._keep, self._keep_every_kimg, self._metrics_dir = max(keep, 2), keep_every_kimg, metrics_dir
        self._checkpoint = tf.train.Checkpoint(**{ROOT: self.variables})
        directory.mkdir(exist_ok=True)
        listing = read_list(directory)
        prefixes = [directory / name for name in listing.names]
        self._listed = [prefix for prefix in prefixes if index_path(prefix).is_file()]
        self._remove_half_written()
        if listing.superseded:
            self._keep_only(self._listed, [directory / name for name in listing.superseded])

    @property
    def checkpoints(self) -> list[pathlib.Path]:
        """Prefixes of the checkpoints on the list, in the order in which they were saved."""
        return list(self._listed)

    def holds(self, prefix: pathlib.Path) -> bool:
        """Whether a checkpoint lies in this folder, on the list or not."""
        return prefix.parent.absolute() == self._directory.absolute() and index_path(prefix).is_file()

    def save(self, number: int, note: Mapping[str, Any]) -> pathlib.Path:
        """Write a checkpoint.

        Args:
            number: tick that it belongs to.
            note: human-readable, written beside it as JSON.

        Returns:
            Its prefix.

        Raises:
            OSError: it cannot be written. Those saved before it are untouched.
        """
        prefix = self._directory / f"{NAME}-{number}"
        with self._readable_errors(prefix):
            if prefix in self._listed:  # files that the list calls complete must never change
                others = [other for other in self._listed if other != prefix]
                self._keep_only(others, [prefix])
            else:
                self._clear_place(prefix)
            self._write(prefix, note)
            self._listed.append(prefix)
            kept = self._worth_keeping()
            self._keep_only(kept, [other for other in self._listed if other not in kept])
        return prefix

    def restore(self, prefix: pathlib.Path) -> None:
        """Take over all variables from a checkpoint, which need not be in this folder.

        Raises:
            ValueError: it holds other variables.
            DamagedCheckpointError: it cannot be read.
        """
        restore_variables(prefix, self.variables)

    def forget_after(self, prefix: pathlib.Path) -> list[pathlib.Path]:
        """Make a checkpoint of this folder the newest one; it comes on the list if it was not there.

        Later ones of the list are removed; damaged ones, and those that are not on the list, are set aside.

        Returns:
            Prefixes of the removed ones.
        """
        prefix = self._directory / prefix.name
        nimg = SavedState(prefix).nimg
        if prefix in self._listed:
            kept = self._listed[: self._listed.index(prefix) + 1]
        else:
            kept = [*(other for other in self._listed if _nimg_of(other, nimg) <= nimg), prefix]
        later = [other for other in self._listed if other not in kept]
        damaged = [other for other in later if not _is_whole(other)]
        stock = take_stock(self._directory)
        strangers = [other for other in (*stock.usable, *stock.left_alone) if other not in (*kept, *later)]
        # First, since a stranger that is newer than the list would be taken for the newest one.
        beyond = [*damaged, *(other for other in strangers if _nimg_of(other, nimg) > nimg)]
        self._set_aside(beyond, f"the run goes another way from {prefix.name} on")
        removed = [other for other in later if other not in damaged]
        if kept != self._listed:
            self._keep_only(kept, removed)
        return removed

    def _write(self, prefix: pathlib.Path, note: Mapping[str, Any]) -> None:
        """Write the files of a checkpoint, all or none."""
        try:
            write_text(note_path(prefix), json.dumps(note, indent=2) + "\n")
            self._checkpoint.save_counter.assign_add(1)  # as in TensorFlow's own manager: part of the file
            with plain_folder(self._directory) as folder:
                self._checkpoint.write(f"{folder.path}/{prefix.name}")
            check_same_variables(SavedState(prefix), self.variables)
        except (OSError, tf.errors.OpError):
            self._remove_files_of(prefix)  # a full disk should not be filled by what is of no use
            raise

    def _worth_keeping(self) -> list[pathlib.Path]:
        images_of = {prefix: _images_seen(prefix) for prefix in self._listed}
        best = {} if self._metrics_dir is None else best_snapshots(self._metrics_dir)
        return worth_keeping(images_of, self._keep, self._keep_every_kimg, set(best.values()))

    @contextlib.contextmanager
    def _readable_errors(self, path: pathlib.Path) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            raise OSError(explain_file_error(error, path)) from error

    def _keep_only(self, prefixes: list[pathlib.Path], removed: list[pathlib.Path]) -> None:
        """Make the list hold these, and remove others' files: killed in between, the list still says what counts."""
        write_list(self._directory, prefixes, superseded=removed)
        self._listed = list(prefixes)
        for prefix in removed:
            self._remove_files_of(prefix)
        if removed:
            _LOGGER.info("Removed %s: superseded", ", ".join(str(prefix) for prefix in removed))
            write_list(self._directory, prefixes)

    def _is_empty(self, path: pathlib.Path) -> bool:
        """Whether a file of a checkpoint that is not on the list holds nothing that could be lost."""
        if not (_OF_CHECKPOINT.match(path.name) and path.is_file() and path.stat().st_size == 0):
            return False
        return not any(_belongs(path, prefix) for prefix in self._listed)

    def _clear_place(self, prefix: pathlib.Path) -> None:
        """Make room for a checkpoint where files lie that the list does not know; its note alone is written over."""
        if any(path != note_path(prefix) for path in self._files_of(prefix)):
            self._set_aside([prefix], "it is saved anew")

    def _set_aside(self, prefixes: list[pathlib.Path], reason: str) -> None:
        if prefixes:
            files = [path for prefix in prefixes for path in self._files_of(prefix)]
            place = set_aside(files, self._directory / SET_ASIDE)
            names = ", ".join(prefix.name for prefix in prefixes)
            _LOGGER.warning("moved %s to %s: %s", names, place, reason)

    def _files_of(self, prefix: pathlib.Path) -> list[pathlib.Path]:
        return [path for path in self._directory.iterdir() if _belongs(path, prefix)]

    def _remove_files_of(self, prefix: pathlib.Path) -> None:
        """Remove the files of a checkpoint, and TensorFlow's folder for its parts."""
        for path in self._files_of(prefix):
            path.unlink(missing_ok=True)
        shutil.rmtree(self._directory / f"{prefix.name}_temp", ignore_errors=True)

    def _remove_half_written(self) -> None:
        """Remove what a process that was killed while it saved left under names of files that are not complete."""
        removed = remove_partial(self._directory)
        for path in sorted(self._directory.iterdir()):
            if path.is_dir() and _HALF_WRITTEN.fullmatch(path.name):
                shutil.rmtree(path)
                removed.append(path)
            elif self._is_empty(path):
                path.unlink()
                removed.append(path)
        if removed:
            names = ", ".join(sorted(path.name for path in removed))
            _LOGGER.info("Removed %s in %s, half-written when the process ended", names, self._directory)


def _belongs(path: pathlib.Path, prefix: pathlib.Path) -> bool:
    return path.name in (prefix.name + ".index", prefix.name + ".json") or path.name.startswith(prefix.name + ".data-")


def _is_whole(prefix: pathlib.Path) -> bool:
    try:
        SavedState(prefix).check()
    except (OSError, ValueError):
        return False
    return True


def _nimg_of(prefix: pathlib.Path, if_damaged: int) -> int:
    try:
        return SavedState(prefix).nimg
    except (OSError, ValueError):
        return if_damaged
