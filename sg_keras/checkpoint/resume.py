"""Where a run starts: in a new directory, or from a checkpoint of an older one.

Nothing is written here, and no network is built.
"""

from __future__ import annotations

import dataclasses
import logging
import pathlib

from sg_keras.checkpoint.fork import Parent, read_parent
from sg_keras.checkpoint.latest import choose_latest, read_config, run_directories
from sg_keras.checkpoint.listing import FOLDER, checkpoint_number, is_numbered, read_note, take_stock
from sg_keras.checkpoint.state import DamagedCheckpointError, SavedState
from sg_keras.checkpoint.traces import traces_of_training
from sg_keras.config import ResumeRequest, TrainingConfig, continued_config, forked_config
from sg_keras.files.network_source import CONFIG_FILE

_LOGGER = logging.getLogger(__name__)


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
        parent: what a new run directory starts from: of a fork, or of a checkpoint that lies in no run directory.
        anew: whether to set aside what earlier training left in run_dir.
    """

    config: TrainingConfig
    run_dir: pathlib.Path | None = None
    checkpoint: pathlib.Path | None = None
    nimg: int = 0
    elapsed_sec: float = 0.0
    finished: bool = False
    notes: tuple[str, ...] = ()
    parent: Parent | None = None
    anew: bool = False


def find_start(config: TrainingConfig, resume: ResumeRequest | None) -> StartingPoint:
    """Decide where a run starts.

    `latest` is the newest run in the output directory that this command can go on with; without any it starts a new
    one, so that the same command can be given again and again. A damaged newest checkpoint is passed over with a line;
    one that was asked for by name is an error.

    Args:
        config: as requested now.
        resume: what to continue, None = a new run.

    Raises:
        ValueError: the options would alter the run (the message holds a table), there is no such checkpoint, or it is
            not clear which run is meant; or training would begin anew over an earlier one, which takes resume.restart.
        OSError: files are missing or damaged.
    """
    if resume is None:
        return StartingPoint(config)
    run_dir, notes = _run_meant(config, resume)
    if run_dir is None and resume.kind != "checkpoint":
        if resume.fork:
            raise ValueError(f"--fork: found no run in {resume.path}, expected one to start from")
        return StartingPoint(config, notes=(f"No run in {resume.path} to continue yet: this is a new one", *notes))
    source = _find_source(resume, run_dir)
    if resume.fork:
        return _at_fork(config, source, resume)
    config, differences = _continued(source.config, config, source.where, resume)
    notes = [*notes, *differences, *source.notes]
    if source.checkpoint is None:
        return _without_checkpoint(config, run_dir or pathlib.Path(resume.path), notes, resume.restart)
    if resume.restart:
        raise ValueError(
            f"--restart: found {source.checkpoint} to go on from, expected a run directory without a whole checkpoint; "
            "leave --restart out to go on, or --resume for a new run directory"
        )
    start = _at_checkpoint(config, source.run_dir, source.checkpoint, notes)
    if source.run_dir is not None:
        return start
    # The new run directory says where it begins: killed before its first checkpoint, it would begin at kimg 0.
    return dataclasses.replace(start, parent=Parent(source.config, None, source.checkpoint, start.nimg, ()))


def _continued(
    saved: TrainingConfig, requested: TrainingConfig, where: pathlib.Path | None, resume: ResumeRequest
) -> tuple[TrainingConfig, list[str]]:
    """As `continued_config`: the one place that says whether a command goes on with a run."""
    return continued_config(
        saved, requested, str(where), resume.batch_gpu_typed, resume.data_changed, keep_gamma=resume.auto_gamma
    )


def _run_meant(config: TrainingConfig, resume: ResumeRequest) -> tuple[pathlib.Path | None, list[str]]:
    """The run directory that a request means, None if there is none, and lines on others."""
    place = pathlib.Path(resume.path)
    if resume.kind == "run_dir":
        return place, []
    if resume.kind == "checkpoint":
        return own_run_directory(place) if is_numbered(place) else None, []
    if resume.fork:
        return newest_run_directory(place), []
    latest = choose_latest(place, config, lambda saved, run_dir: _continued(saved, config, run_dir, resume))
    return latest.run_dir, list(latest.notes)


def _without_checkpoint(
    config: TrainingConfig, run_dir: pathlib.Path, notes: list[str], restart: bool
) -> StartingPoint:
    """In a run directory that has none: from the beginning, which of a fork is its parent's checkpoint.

    Where there was training before, that takes `restart`.
    """
    traces = traces_of_training(run_dir)
    if traces and not restart:
        raise ValueError(_needs_restart(run_dir, traces))
    parent = read_parent(run_dir)
    if parent is None:
        notes = [*notes, f"No checkpoint in {run_dir} yet: starting in it from kimg 0"]
        return StartingPoint(config, run_dir, notes=tuple(notes), anew=bool(traces))
    notes = [*notes, f"No checkpoint in {run_dir} yet: starting in it from that of its parent"]
    start = _at_checkpoint(config, run_dir, parent.checkpoint, notes)
    return dataclasses.replace(start, parent=parent, anew=bool(traces))


def _needs_restart(run_dir: pathlib.Path, traces: list[str]) -> str:
    shown = ", ".join(traces[:3]) + (f" and {len(traces) - 3} more" if len(traces) > 3 else "")
    networks = (
        f" (--resume={run_dir}/{traces[0]} starts a new run from its networks)"
        if traces[0].startswith("network-")
        else ""
    )
    return (
        f"--resume: found no whole checkpoint in {run_dir}, which was trained in before ({shown}), expected its folder "
        f"{FOLDER}{networks}, or --restart: kimg 0 again in this directory, with all that is there set aside"
    )


def newest_run_directory(outdir: pathlib.Path) -> pathlib.Path | None:
    """The run directory with the highest number, None if there is none."""
    return next(iter(run_directories(outdir)), None)


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


def newest_checkpoint(run_dir: pathlib.Path) -> pathlib.Path | None:
    """The checkpoint that a run goes on from, None if it has none yet; what is wrong with others is a warning.

    Raises:
        DamagedCheckpointError: all of them are damaged.
    """
    stock = take_stock(run_dir / FOLDER)
    newest, notes = newest_readable(list(stock.usable))
    for note in (*stock.notes, *notes):
        _LOGGER.warning("%s", note)
    return newest


def checkpoint_at(run_dir: pathlib.Path, tick: int) -> pathlib.Path:
    """The checkpoint of a run at a tick.

    Raises:
        ValueError: there is none; the message names those that there are.
    """
    stock = take_stock(run_dir / FOLDER)
    prefixes = (*stock.usable, *stock.left_alone)
    for prefix in prefixes:
        if checkpoint_number(prefix) == tick:
            return prefix
    ticks = ", ".join(str(number) for number in sorted(map(checkpoint_number, prefixes))) or "none"
    raise ValueError(f"found no checkpoint of tick {tick} in {run_dir}, expected one of these ticks: {ticks}")


def own_run_directory(prefix: pathlib.Path) -> pathlib.Path | None:
    """The run directory that a checkpoint lies in, if it lies in one."""
    run_dir = prefix.absolute().parent.parent
    return run_dir if prefix.absolute().parent.name == FOLDER and (run_dir / CONFIG_FILE).is_file() else None


def noted_config(prefix: pathlib.Path) -> TrainingConfig:
    """How a checkpoint that lies in no run directory was trained: by the note beside it.

    Raises:
        ValueError: there is none; one line.
    """
    saved = read_note(prefix).get("config")
    if saved is None:
        raise ValueError(
            f"{prefix}: found it outside of a run directory and without {prefix.name}.json, expected that file beside "
            "it, which says how it was trained"
        )
    return TrainingConfig.from_dict(saved)


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


def _find_source(resume: ResumeRequest, run_dir: pathlib.Path | None) -> _Source:
    """The run and checkpoint that a request names, the run directory being known."""
    prefix = pathlib.Path(resume.path)
    if run_dir is None:
        SavedState(prefix).check()
        try:
            return _Source(noted_config(prefix), None, prefix)
        except ValueError as error:
            raise ValueError(f"--resume: {error}") from error
    config = read_config(run_dir / CONFIG_FILE)
    tick = checkpoint_number(prefix) if resume.kind == "checkpoint" else resume.tick
    if tick is not None:
        try:
            prefix = checkpoint_at(run_dir, tick)
        except ValueError as error:
            raise ValueError(f"--resume: {error}") from error
        SavedState(prefix).check()
        return _Source(config, run_dir, prefix)
    stock = take_stock(run_dir / FOLDER)
    try:
        newest, notes = newest_readable(list(stock.usable))
    except DamagedCheckpointError as error:
        if not resume.restart:
            raise DamagedCheckpointError(f"{error}; no other one is left (--restart: kimg 0 again)") from error
        newest, notes = None, [f"WARNING: {error}"]
    return _Source(config, run_dir, newest, (*stock.notes, *notes))


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
