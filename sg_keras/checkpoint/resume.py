"""Where a run starts: in a new directory, or from a checkpoint of an older one.

Nothing is written here, and no network is built.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re

from sg_keras.checkpoint.manager import FOLDER, checkpoint_number, read_note, saved_checkpoints
from sg_keras.checkpoint.state import DamagedCheckpointError, SavedState
from sg_keras.config import ResumeRequest, TrainingConfig, adopt_choices, compare, format_differences

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
    """

    config: TrainingConfig
    run_dir: pathlib.Path | None = None
    checkpoint: pathlib.Path | None = None
    nimg: int = 0
    elapsed_sec: float = 0.0
    finished: bool = False
    notes: tuple[str, ...] = ()


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
    path = pathlib.Path(resume.path)
    if resume.kind == "checkpoint":
        return _from_checkpoint(config, path)
    if resume.kind == "run_dir":
        return _in_run_directory(config, path, resume.tick)
    newest = newest_run_directory(path)
    if newest is None:
        return StartingPoint(config, notes=(f"No run in {path} to continue yet: this is a new one",))
    return _in_run_directory(config, newest, None)


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
    raise ValueError(f"--resume: found no checkpoint of tick {tick} in {run_dir}, expected one of these ticks: {ticks}")


def own_run_directory(prefix: pathlib.Path) -> pathlib.Path | None:
    """The run directory that a checkpoint lies in, if it lies in one."""
    run_dir = prefix.absolute().parent.parent
    return run_dir if prefix.absolute().parent.name == FOLDER and (run_dir / CONFIG_FILE).is_file() else None


def _in_run_directory(config: TrainingConfig, run_dir: pathlib.Path, tick: int | None) -> StartingPoint:
    config = _continued(read_config(run_dir / CONFIG_FILE), config, str(run_dir))
    if tick is not None:
        prefix = checkpoint_at(run_dir, tick)
        SavedState(prefix).check()
        return _at_checkpoint(config, run_dir, prefix, [])
    newest, notes = newest_readable(saved_checkpoints(run_dir / FOLDER))
    if newest is None:
        return StartingPoint(config, run_dir, notes=(f"No checkpoint in {run_dir} yet: starting in it from kimg 0",))
    return _at_checkpoint(config, run_dir, newest, notes)


def _from_checkpoint(config: TrainingConfig, prefix: pathlib.Path) -> StartingPoint:
    run_dir = own_run_directory(prefix)
    if run_dir is not None:
        return _in_run_directory(config, run_dir, checkpoint_number(prefix))
    saved = read_note(prefix).get("config")
    if saved is None:
        raise ValueError(
            f"--resume: found {prefix} outside of a run directory and without {prefix.name}.json, "
            "expected that file beside it, which says how it was trained"
        )
    config = _continued(TrainingConfig.from_dict(saved), config, str(prefix))
    SavedState(prefix).check()
    return _at_checkpoint(config, None, prefix, [])


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


def _continued(saved: TrainingConfig, requested: TrainingConfig, where: str) -> TrainingConfig:
    """The configuration a run goes on with; options that would alter the run are refused with a table."""
    requested = adopt_choices(saved, requested)
    blocking, _ = compare(saved, requested)
    if blocking:
        raise ValueError(
            f"--resume: found options that differ from those of {where} and would alter the run, expected "
            f"the same:\n\n{format_differences(blocking)}\n"
        )
    return requested
