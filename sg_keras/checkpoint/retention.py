"""Which of a run's checkpoints are worth their space."""

from __future__ import annotations

import functools
import json
import logging
import math
import pathlib
from collections.abc import Collection, Iterator, Mapping

from sg_keras.config.metric_specs import higher_is_better

_LOGGER = logging.getLogger(__name__)
_RATINGS = "metric-*.jsonl"


def worth_keeping(
    images_of: Mapping[pathlib.Path, int | None], newest: int, every_kimg: float | None, best_kimg: Collection[int]
) -> list[pathlib.Path]:
    """The newest checkpoints, those of the best snapshots, and the first at or after each multiple of every_kimg.

    Args:
        images_of: how many images each checkpoint has seen, None where that is not known; oldest first.
        newest: so many of them.
        every_kimg: thousands of images; None = none.
        best_kimg: thousands of images of the best snapshots.
    """
    prefixes = list(images_of)
    milestones: dict[int, pathlib.Path] = {}
    wanted = set(prefixes[-newest:])
    for prefix, nimg in images_of.items():
        if nimg is None:
            continue
        if nimg // 1000 in best_kimg:
            wanted.add(prefix)
        if every_kimg is not None and nimg >= every_kimg * 1000:
            milestones.setdefault(int(nimg // (every_kimg * 1000)), prefix)
    return [prefix for prefix in prefixes if prefix in wanted or prefix in milestones.values()]


def best_snapshots(run_dir: pathlib.Path) -> dict[str, int]:
    """The best network snapshot by each metric, from the files metric-*.jsonl of a run.

    A line of them is {"metric": NAME, "results": {NAME: NUMBER, ...}, "snapshot_pkl": "network-snapshot-000200", ...},
    the published form; fields beyond these are not looked at. `higher_is_better` says which way is better; *_std rates
    nothing. A NaN or Inf is never the best; of equals the first is.

    Returns:
        Thousands of images by name of the result. A line that cannot be read is a warning, and does not count.
    """
    best: dict[str, tuple[float, int]] = {}
    for path in sorted(run_dir.glob(_RATINGS)):
        for name, value, kimg in _ratings(path):
            cost = -value if higher_is_better(name) else value
            if math.isfinite(cost) and (name not in best or cost < best[name][0]):
                best[name] = cost, kimg
    return {name: kimg for name, (_, kimg) in best.items()}


def _ratings(path: pathlib.Path) -> Iterator[tuple[str, float, int]]:
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            row = json.loads(line)
            kimg = int(pathlib.PurePath(row["snapshot_pkl"]).stem.rpartition("-")[2])
            rated = [(name, float(value), kimg) for name, value in row["results"].items() if not name.endswith("_std")]
        except (ValueError, TypeError, LookupError, AttributeError):
            _say_once(f"{path}: found line {number} without results and snapshot_pkl; it does not count")
            continue
        yield from rated


@functools.cache
def _say_once(text: str) -> None:
    _LOGGER.warning("%s", text)
