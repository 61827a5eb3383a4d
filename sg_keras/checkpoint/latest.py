"""Which run --resume=latest means: the newest in the output directory that the same command can go on with."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sg_keras.checkpoint.traces import STATISTICS
from sg_keras.config import TrainingConfig, run_number
from sg_keras.files.network_source import CONFIG_FILE

_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class Latest:
    """What "latest" stands for.

    Attributes:
        run_dir: to go on in, None = a new run.
        notes: lines on the other runs.
    """

    run_dir: pathlib.Path | None
    notes: tuple[str, ...] = ()


class _Other(NamedTuple):
    run_dir: pathlib.Path
    reason: str  # why it is not the one
    error: ValueError | None  # None where it is another experiment


def run_directories(outdir: pathlib.Path) -> list[pathlib.Path]:
    """Run directories in an output directory, the highest number first."""
    found = list(outdir.iterdir()) if outdir.is_dir() else []
    runs = [entry for entry in found if run_number(entry.name) is not None and (entry / CONFIG_FILE).is_file()]
    return sorted(runs, key=lambda run: (run_number(run.name), run.stat().st_mtime), reverse=True)


def read_config(path: pathlib.Path) -> TrainingConfig:
    """Read a training_config.json. Errors name the file."""
    try:
        return TrainingConfig.from_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def choose_latest(
    outdir: pathlib.Path, requested: TrainingConfig, check: Callable[[TrainingConfig, pathlib.Path], object]
) -> Latest:
    """Find the run that a command goes on with.

    Other experiments (another --desc, --cfg, --seed or other data) are none of it: beside them a new run starts. A run
    of the same experiment with other options is a mistake, or the command is.

    Args:
        outdir: the output directory.
        requested: what the command asks for.
        check: raises a ValueError, which says what differs, where a run of that saved configuration cannot be
            continued by this command.

    Raises:
        ValueError: that error, where there are only runs that it would alter; or it is not clear which run is meant.
    """
    fitting: list[pathlib.Path] = []
    others: list[_Other] = []
    for run_dir in run_directories(outdir):
        other = _examine(run_dir, requested, check)
        if other is None:
            fitting.append(run_dir)
        else:
            others.append(other)
    if fitting:
        _refuse_doubt(fitting)
        return Latest(fitting[0], _notes([*fitting[1:]], others))
    for other in others:
        if other.error is not None:
            raise other.error
    return Latest(None, _notes([], others))


def _examine(
    run_dir: pathlib.Path, requested: TrainingConfig, check: Callable[[TrainingConfig, pathlib.Path], object]
) -> _Other | None:
    """Why a run is not the one that is meant, None if it may be."""
    try:
        saved = read_config(run_dir / CONFIG_FILE)
    except ValueError as error:
        return _Other(run_dir, "its training_config.json cannot be read", error)
    if saved.run.desc != requested.run.desc:
        return _Other(run_dir, "--desc", None)
    try:
        check(saved, run_dir)
    except ValueError as error:
        for option, old, new in (
            ("--cfg", saved.generator.cfg, requested.generator.cfg),
            ("--data", saved.dataset.path, requested.dataset.path),
            ("--seed", saved.seed, requested.seed),
        ):
            if old != new:
                return _Other(run_dir, option, None)
        return _Other(run_dir, "other options", _with_way_out(error))
    return None


def _with_way_out(error: ValueError) -> ValueError:
    advice = "For another experiment in the same --outdir give it a --desc, or leave --resume out for its first start."
    return type(error)(f"{str(error).rstrip()}\n\n{advice}") if "\n" in str(error) else error


def _refuse_doubt(fitting: Sequence[pathlib.Path]) -> None:
    """Copies of one run cannot be told apart, nor can runs of one number."""
    newest = fitting[0]
    origin = _origin(newest)
    for other in fitting[1:]:
        copied = origin is not None and _origin(other) == origin
        if copied or run_number(other.name) == run_number(newest.name):
            what = "copies of one run" if copied else "two runs of one number"
            raise ValueError(
                f"--resume=latest: found {newest}{_progress(newest)} and {other}{_progress(other)}, {what}, expected "
                f"one that is meant: name it, --resume={newest} or --resume={other}, or move the other elsewhere"
            )


def _origin(run_dir: pathlib.Path) -> bytes | None:
    """What two runs never have in common, but a run and its copy do: the first tick's line, with time and losses."""
    try:
        with (run_dir / STATISTICS).open("rb") as file:
            return file.readline().strip() or None
    except OSError:
        return min((path.name.encode() for path in run_dir.glob("events.out.tfevents.*")), default=None)


def _progress(run_dir: pathlib.Path) -> str:
    """Human-readable: how far a run got by its statistics."""
    try:
        last = (run_dir / STATISTICS).read_bytes().splitlines()[-1]
        return f" (at kimg {json.loads(last)['Progress/kimg']['mean']:g})"
    except (OSError, LookupError, ValueError, TypeError):
        return ""


def _notes(older: Sequence[pathlib.Path], others: Sequence[_Other]) -> tuple[str, ...]:
    left = [(run_dir.name, "older") for run_dir in older] + [(other.run_dir.name, other.reason) for other in others]
    if not left:
        return ()
    names = ", ".join(f"{name} ({reason})" for name, reason in left[:_SHOWN])
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    return (f"Other runs beside it, left alone: {names}{more}",)
