"""A run's directory: made whole, used by one process at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import pathlib
import shutil
import uuid
from collections.abc import Iterator

from sg_keras.checkpoint.fork import PARENT_FILE, Parent
from sg_keras.checkpoint.manager import FOLDER, saved_checkpoints
from sg_keras.config import TrainingConfig, next_run_number, run_directory_name
from sg_keras.files.atomic import remove_partial, set_aside, write_text
from sg_keras.files.errors import explain_file_error
from sg_keras.files.network_source import CONFIG_FILE

BEFORE_RESTART = "before-restart"
_LOGGER = logging.getLogger(__name__)


def create_run_directory(config: TrainingConfig, parent: Parent | None = None) -> pathlib.Path:
    """Make the next free run directory in --outdir; it has its training_config.json from the first moment on.

    A fork has its parent.json, too.

    Raises:
        OSError: the output directory cannot be written to.
    """
    outdir = pathlib.Path(config.run.outdir)
    try:
        return _created(outdir, config, parent)
    except OSError as error:
        raise OSError(f"--outdir: {explain_file_error(error, outdir)}") from error


def _created(outdir: pathlib.Path, config: TrainingConfig, parent: Parent | None) -> pathlib.Path:
    outdir.mkdir(parents=True, exist_ok=True)
    new = outdir / f".new-run-{uuid.uuid4().hex}"
    new.mkdir()
    try:
        (new / CONFIG_FILE).write_text(config.to_json(), encoding="utf-8")
        if parent is not None:
            (new / PARENT_FILE).write_text(parent.to_json(), encoding="utf-8")
        while True:
            run_dir = outdir / run_directory_name(config, next_run_number(str(outdir)))
            try:
                return new.rename(run_dir)
            except OSError as error:  # another run may have taken the name meanwhile
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def set_run_aside(run_dir: pathlib.Path) -> str:
    """Make room for training anew: move all that is in a run directory into a folder in it, before-restart-1.

    Its configuration stays, and what it is a fork of, and folders of that kind from before.

    Returns:
        A line on what was moved where.
    """
    staying = {CONFIG_FILE, PARENT_FILE}
    moved = [e for e in run_dir.iterdir() if e.name not in staying and not e.name.startswith(f"{BEFORE_RESTART}-")]
    place = set_aside(moved, run_dir / BEFORE_RESTART)
    return f"--restart: moved to {place}: {', '.join(sorted(entry.name for entry in moved))}"


def continue_run_directory(run_dir: pathlib.Path, config: TrainingConfig) -> None:
    """Save the configuration that the run goes on with, and remove what a killed process left half-written."""
    removed = remove_partial(run_dir)
    if removed:
        names = ", ".join(sorted(path.name for path in removed))
        _LOGGER.info("Removed %s in %s, half-written when the process ended", names, run_dir)
    path = run_dir / CONFIG_FILE
    if path.read_text(encoding="utf-8") != config.to_json():
        write_text(path, config.to_json())


def check_still_new(run_dir: pathlib.Path) -> None:
    """Make sure that a run which is to begin at kimg 0 has no checkpoints: another process may have ended meanwhile.

    Raises:
        OSError: it has.
    """
    prefixes = saved_checkpoints(run_dir / FOLDER)
    if prefixes:
        raise OSError(
            f"{run_dir}: found {prefixes[-1].name}, which another process has saved since this one began, expected no "
            "checkpoint yet; give the same command again"
        )


@contextlib.contextmanager
def exclusive_lock(run_dir: pathlib.Path) -> Iterator[None]:
    """Keep other processes on this host out of a run directory.

    Raises:
        OSError: another one is at work in it.
    """
    descriptor = os.open(run_dir, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OSError(f"{run_dir}: found another process training in it, expected it to have ended") from error
        except OSError:
            pass  # file systems without locks: no protection there
        yield
    finally:
        os.close(descriptor)
