"""What shows that a run directory has been trained in, though no checkpoint of it can be used."""

from __future__ import annotations

import pathlib
import re

from sg_keras.checkpoint.listing import FOLDER, NAME

STATISTICS = "stats.jsonl"
_SNAPSHOT = re.compile(r"network-snapshot-[0-9]+")
_IMAGES = re.compile(r"fakes[0-9]+\.png")
_RATINGS = re.compile(r"metric-.*\.jsonl")
#: Of a process that was killed while it saved for the first time, after one iteration.
_FIRST_CHECKPOINT = re.compile(rf"{NAME}-0[._].*|{NAME}-[0-9]+(\.json|_temp)")


def traces_of_training(run_dir: pathlib.Path) -> list[str]:
    """Names of what training left in a run directory beyond its first iteration, in the order of its importance.

    A run that was killed before its first checkpoint has none: there is nothing of it to lose.
    """
    entries = sorted(entry.name for entry in run_dir.iterdir())
    names = [name for name in reversed(entries) if _SNAPSHOT.fullmatch(name)]  # the newest first
    names += [STATISTICS] if _lines(run_dir / STATISTICS) > 1 else []
    folder = run_dir / FOLDER
    files = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    names += [
        f"{FOLDER}/{name}"
        for name in files
        if name.startswith(f"{NAME}-") and not _FIRST_CHECKPOINT.fullmatch(name) and (folder / name).stat().st_size > 0
    ]
    return names + [name for name in entries if _IMAGES.fullmatch(name) or _RATINGS.fullmatch(name)]


def _lines(path: pathlib.Path) -> int:
    try:
        return len(path.read_bytes().splitlines())
    except FileNotFoundError:
        return 0
