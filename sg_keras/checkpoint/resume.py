"""Where a run starts: in a new directory, or from a checkpoint of an older one.

Nothing is written here, and no network is built.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re

from sg_keras.checkpoint.fork import Parent, read_parent
from sg_keras.checkpoint.manager import FOLDER, checkpoint_number, read_note, saved_checkpoints
from sg_keras.checkpoint.state import DamagedCheckpointError, SavedState
from sg_keras.config import ResumeRequest, TrainingConfig, continued_config, forked_config

CONFIG_FILE = "training_config.json"
_RUN_NAME = re.compile(r"^(\d{5,})(-|$)")


@dataclasses.dataclass(frozen=True)
class StartingPoint:
    """Where a run starts.

    Attributes:
        config: what to train, choices of the continued run included.
        run_dir: directory to go on in, None = a new one.
        checkpoint: prefix to restore, None = start from nimg 0.
        nimg: real images seen at that point.
        elapsed_sec: training time up to there.
        finished: whether all of total_kimg is done.
        notes: lines that people should see.
        parent: the run that this one is a fork of, None = no fork.
    """

    config: TrainingConfig
    run_dir: pathlib.Path | None = None
    checkpoint: pathlib.Path | None = None
    nimg: int = 0
    elapsed_sec: float = 0.0
    finished: bool = False
    notes: tuple[str, ...] = ()
    parent: Parent | None = None


def find_start(config: TrainingConfig, resume: ResumeRequest | None) -> StartingPoint:
    """Decide where a run starts.

    `latest` without any run in the output directory starts a new one, so that the same command can be given again
    and again. A damaged newest checkpoint is passed over with a line; one that was asked for by name is an error.

    Args:
        config: as requested now.
        resume: what to continue, None = a new run.

    Raises:
        ValueError: the options would alter the run (the message holds a table), or there is no such checkpoint.
        OSError: files are missing or damaged.
    """
    if resume is None:
        return StartingPoint(config)
    source = _find_source(resume)
    if source is None and resume.fork:
        raise ValueError(f"--fork: found no run in {resume.path}, expected one to start from")
    if source is None:
        return StartingPoint(config, notes=(f"No run in {resume.path} to continue yet: this is a new one",))
    if resume.fork:
        return _at_fork(config, source, resume)
    config, differences = continued_config(
        source.config, config, str(source.where), resume.batch_gpu_typed, resume.data_changed
    )
    notes = [*differences, *source.notes]
    if source.checkpoint is not None:
        return _at_checkpoint(config, source.run_dir, source.checkpoint, notes)
    return _without_checkpoint(config, source, notes)


def _without_checkpoint(config: TrainingConfig, source: _Source, notes: list[str]) -> StartingPoint:
    """In a run directory that has none yet: from the beginning, which of a fork is its parent's checkpoint."""
    parent = None if source.run_dir is None else read_parent(source.run_dir)
    if parent is None:
        notes = [*notes, f"No checkpoint in {source.run_dir} yet: starting in it from kimg 0"]
        return StartingPoint(config, source.run_dir, notes=tuple(notes))
    notes = [*notes, f"No checkpoint in {source.run_dir} yet: starting in it from that of its parent"]
    return dataclasses.replace(_at_checkpoint(config, source.run_dir, parent.checkpoint, notes), parent=parent)


def newest_run_directory(outdir: pathlib.Path) -> pathlib.Path | None:
    """The run directory with the highest number, None if there is none."""
    found = list(outdir.iterdir()) if outdir.is_dir() else []
    runs = [entry for entry in found if _RUN_NAME.match(entry.name) and (entry / CONFIG_FILE).is_file()]
    return max(runs, key=lambda run: (int(run.name.partition("-")[0]), run.stat().st_mtime), default=None)


def read_config(path: pathlib.Path) -> TrainingConfig:
    """Read a training_config.json. Errors name the file."""
    try:
        return TrainingConfig.from_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def newest_readable(prefixes: list[pathlib.Path]) -> tuple[pathlib.Path | None, list[str]]:
    """The newest undamaged checkpoint of a list that is oldest first, and a line on each that was passed over.

    Raises:
        DamagedCheckpointError: all of them are damaged.
    """
    notes: list[str] = []
    for prefix in reversed(prefixes):
        try:
            SavedState(prefix).check()
        except DamagedCheckpointError as error:
            if prefix == prefixes[0]:
                raise
            notes.append(f"WARNING: {error}; going back to the checkpoint before it")
        else:
            return prefix, notes
    return None, notes


def checkpoint_at(run_dir: pathlib.Path, tick: int) -> pathlib.Path:
    """The checkpoint of a run at a tick.

    Raises:
        ValueError: there is none; the message names those that there are.
    """
    prefixes = saved_checkpoints(run_dir / FOLDER)
    for prefix in prefixes:
        if checkpoint_number(prefix) == tick:
            return prefix
    ticks = ", ".join(str(checkpoint_number(prefix)) for prefix in prefixes) or "none"
    raise ValueError(f"found no checkpoint of tick {tick} in {run_dir}, expected one of these ticks: {ticks}")


def own_run_directory(prefix: pathlib.Path) -> pathlib.Path | None:
    """The run directory that a checkpoint lies in, if it lies in one."""
    run_dir = prefix.absolute().parent.parent
    return run_dir if prefix.absolute().parent.name == FOLDER and (run_dir / CONFIG_FILE).is_file() else None


@dataclasses.dataclass(frozen=True)
class _Source:
    """What --resume names: a run, and which of its checkpoints."""

    config: TrainingConfig  # as saved
    run_dir: pathlib.Path | None
    checkpoint: pathlib.Path | None
    notes: tuple[str, ...] = ()

    @property
    def where(self) -> pathlib.Path | None:
        return self.run_dir or self.checkpoint


def _find_source(resume: ResumeRequest) -> _Source | None:
    """The run and checkpoint that a request names; None for "latest" where there is no run yet."""
    path: pathlib.Path | None = pathlib.Path(resume.path)
    tick = resume.tick
    if resume.kind == "checkpoint":
        prefix = pathlib.Path(resume.path)
        path, tick = own_run_directory(prefix), checkpoint_number(prefix)
        if path is None:
            SavedState(prefix).check()
            return _Source(_noted_config(prefix), None, prefix)
    elif resume.kind == "latest":
        path = newest_run_directory(pathlib.Path(resume.path))
    if path is None:
        return None
    config = read_config(path / CONFIG_FILE)
    if tick is not None:
        try:
            prefix = checkpoint_at(path, tick)
        except ValueError as error:
            raise ValueError(f"--resume: {error}") from error
        SavedState(prefix).check()
        return _Source(config, path, prefix)
    newest, notes = newest_readable(saved_checkpoints(path / FOLDER))
    return _Source(config, path, newest, tuple(notes))


def _noted_config(prefix: pathlib.Path) -> TrainingConfig:
    saved = read_note(prefix).get("config")
    if saved is None:
        raise ValueError(
            f"--resume: found {prefix} outside of a run directory and without {prefix.name}.json, "
            "expected that file beside it, which says how it was trained"
        )
    return TrainingConfig.from_dict(saved)


def _at_fork(config: TrainingConfig, source: _Source, resume: ResumeRequest) -> StartingPoint:
    if source.checkpoint is None:
        raise ValueError(f"--fork: found no checkpoint in {source.run_dir} yet, expected one to start from")
    config, changed = forked_config(source.config, config, str(source.where), resume.batch_gpu_typed)
    start = _at_checkpoint(config, None, source.checkpoint, list(source.notes))
    parent = Parent(source.config, source.run_dir, source.checkpoint, start.nimg, tuple(changed))
    return dataclasses.replace(start, parent=parent, notes=(*start.notes, *parent.lines()))


def _at_checkpoint(
    config: TrainingConfig, run_dir: pathlib.Path | None, prefix: pathlib.Path, notes: list[str]
) -> StartingPoint:
    nimg = SavedState(prefix).nimg
    elapsed_sec = float(read_note(prefix).get("elapsed_sec", 0.0))
    finished = nimg >= config.run.total_kimg * 1000
    if finished:
        notes = [
            *notes,
            f"{run_dir or prefix} is finished: {nimg / 1000:g} of {config.run.total_kimg:g} kimg are "
            "done; a larger --kimg goes on from there",
        ]
    return StartingPoint(config, run_dir, prefix, nimg, elapsed_sec, finished, tuple(notes))
