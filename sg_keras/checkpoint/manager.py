"""Exact checkpoints of a run: ckpt-<tick> files, a list of them, and a note for people beside each.

TensorFlow's list (the file "checkpoint", written beside and renamed once a checkpoint is complete) decides which
checkpoints exist and which is the newest: neither a process killed while it saves nor ticks of another length
(--tick may change) can confuse it.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from sg_keras.checkpoint.retention import best_snapshots, worth_keeping
from sg_keras.checkpoint.state import ROOT, SavedState, check_same_variables, index_path
from sg_keras.checkpoint.whole_files import remove_partial, write_text
from sg_keras.config.file_errors import explain_file_error

FOLDER = "checkpoints"
_NAME = "ckpt"


def saved_checkpoints(directory: pathlib.Path) -> list[pathlib.Path]:
    """Prefixes of the checkpoints in a folder, in the order in which they were saved."""
    try:
        state = tf.train.get_checkpoint_state(str(directory))
    except (tf.errors.OpError, ValueError):
        state = None
    if state is None:  # the list was lost: the files themselves, by number
        found = [path.with_suffix("") for path in directory.glob(f"{_NAME}-*.index")]
        return sorted((prefix for prefix in found if _has_number(prefix)), key=checkpoint_number)
    prefixes = [directory / pathlib.Path(path).name for path in state.all_model_checkpoint_paths]
    return [prefix for prefix in prefixes if index_path(prefix).is_file()]


def _has_number(prefix: pathlib.Path) -> bool:
    return re.fullmatch(rf"{_NAME}-\d+", prefix.name) is not None


def checkpoint_number(prefix: pathlib.Path) -> int:
    """The tick a checkpoint belongs to."""
    return int(prefix.name.rpartition("-")[2])


def note_path(prefix: pathlib.Path) -> pathlib.Path:
    """The JSON file for people beside a checkpoint."""
    return prefix.with_name(prefix.name + ".json")


def read_note(prefix: pathlib.Path) -> dict[str, Any]:
    """What was noted beside a checkpoint; empty if that file is gone. The state does not depend on it."""
    try:
        note = json.loads(note_path(prefix).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


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
    tf.train.Checkpoint(**{ROOT: dict(variables)}).restore(str(prefix)).assert_consumed()


class CheckpointStore:
    """Writes and restores the checkpoints of one run.

    At least two are kept: saving a tick's number anew removes the old one first, and the one before stays for safety.

    Attributes:
        variables: as given.

    Args:
        directory: created if missing; what a killed process left half-written there is removed.
        variables: everything that determines how training goes on, by name.
        keep: newest checkpoints to keep.
        keep_every_kimg: beside them keep the first one at or after each multiple of so many thousand images; None = no
            more.
        rated_in: folder with metric files (`best_snapshots`): beside them keep those of the best snapshots; None = no
            more.

    Raises:
        OSError: the folder cannot be written to.
    """

    def __init__(
        self,
        directory: pathlib.Path,
        variables: Mapping[str, tf.Variable],
        keep: int,
        keep_every_kimg: float | None = None,
        rated_in: pathlib.Path | None = None,
    ) -> None:
        self._directory = directory
        self.variables = dict(variables)
        self._keep, self._keep_every_kimg, self._rated_in = max(keep, 2), keep_every_kimg, rated_in
        self._checkpoint = tf.train.Checkpoint(**{ROOT: self.variables})
        directory.mkdir(exist_ok=True)
        with self._readable_errors(directory):
            self._keep_only(saved_checkpoints(directory))

    @property
    def checkpoints(self) -> list[pathlib.Path]:
        """Prefixes, oldest first."""
        return [pathlib.Path(path) for path in self._manager.checkpoints]

    def save(self, number: int, note: Mapping[str, Any]) -> pathlib.Path:
        """Write a checkpoint.

        Args:
            number: tick that it belongs to.
            note: for people, written beside it as JSON.

        Returns:
            Its prefix.

        Raises:
            OSError: it cannot be written. Those saved before it are untouched.
        """
        prefix = self._directory / f"{_NAME}-{number}"
        with self._readable_errors(prefix):
            if prefix in self.checkpoints:  # files that the list calls complete must never change
                self._keep_only([other for other in self.checkpoints if other != prefix])
            try:
                write_text(note_path(prefix), json.dumps(note, indent=2) + "\n")
                self._manager.save(checkpoint_number=number)
                check_same_variables(SavedState(prefix), self.variables)
            except (OSError, tf.errors.OpError):
                self._remove_files_of(prefix)  # a full disk should not be filled by what is of no use
                raise
            kept = self._worth_keeping()
            if kept != self.checkpoints:
                self._keep_only(kept)
        return prefix

    def restore(self, prefix: pathlib.Path) -> None:
        """Take over all variables from a checkpoint, which need not be in this folder.

        Raises:
            ValueError: it holds other variables.
            DamagedCheckpointError: it cannot be read.
        """
        restore_variables(prefix, self.variables)

    def forget_after(self, prefix: pathlib.Path) -> list[pathlib.Path]:
        """Remove the checkpoints saved after this one, which then is the newest. Returns their prefixes."""
        kept = self.checkpoints[: self.checkpoints.index(prefix) + 1]
        forgotten = self.checkpoints[len(kept) :]
        if forgotten:
            self._keep_only(kept)
        return forgotten

    def _worth_keeping(self) -> list[pathlib.Path]:
        images_of = {prefix: _images_seen(prefix) for prefix in self.checkpoints}
        best = {} if self._rated_in is None else best_snapshots(self._rated_in)
        return worth_keeping(images_of, self._keep, self._keep_every_kimg, set(best.values()))

    @contextlib.contextmanager
    def _readable_errors(self, path: pathlib.Path) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            raise OSError(explain_file_error(error, path)) from error

    def _remove_files_of(self, prefix: pathlib.Path) -> None:
        if prefix in saved_checkpoints(self._directory):  # complete after all
            return
        for path in self._directory.glob(f"{prefix.name}*"):
            if _belongs(path, prefix) or path.name == f"{prefix.name}_temp":
                with contextlib.suppress(OSError):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _keep_only(self, prefixes: list[pathlib.Path]) -> None:
        """Make the list hold these, then remove all other files: killed in between, the list is still right."""
        if prefixes:
            # With their folder: beside a relative one TensorFlow takes bare names for files of the working directory.
            names = [str(self._directory / prefix.name) for prefix in prefixes]
            times = [index_path(prefix).stat().st_mtime for prefix in prefixes]
            # The manager drops what seems older than last_preserved_timestamp; clocks can go back.
            tf.compat.v1.train.update_checkpoint_state(
                str(self._directory),
                names[-1],
                names,
                all_model_checkpoint_timestamps=times,
                last_preserved_timestamp=0.0,
            )
        else:
            (self._directory / "checkpoint").unlink(missing_ok=True)
        for path in self._directory.iterdir():
            if path.name.startswith(f"{_NAME}-") and not any(_belongs(path, prefix) for prefix in prefixes):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        remove_partial(self._directory)
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, str(self._directory), max_to_keep=None, checkpoint_name=_NAME
        )


def _belongs(path: pathlib.Path, prefix: pathlib.Path) -> bool:
    return path.name in (prefix.name + ".index", prefix.name + ".json") or path.name.startswith(prefix.name + ".data-")
