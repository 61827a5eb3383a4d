"""Scores of a run's snapshots in its directory: metric-NAME.jsonl, a line for each, and links to the best ones."""

from __future__ import annotations

import contextlib
import logging
import pathlib
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sg_keras.checkpoint import StartingPoint
from sg_keras.checkpoint.retention import best_snapshots
from sg_keras.config.metric_specs import higher_is_better
from sg_keras.config.stop_condition import StopCondition
from sg_keras.files.errors import PARTIAL
from sg_keras.files.json_lines import append_line, keep_lines, read_lines
from sg_keras.metrics.record import Score
from sg_keras.training.callbacks.status import duration_text
from sg_keras.weights.snapshot import snapshot_name

_LOGGER = logging.getLogger(__name__)


def unscored(start: StartingPoint) -> list[str]:
    """Metrics that the last snapshot of a finished run has no score by."""
    if start.run_dir is None or not (start.run_dir / snapshot_name(start.nimg)).is_dir():
        return []
    return ScoreFiles(start.run_dir).missing(start.config.run.metrics, start.nimg)


class TimeSpent(NamedTuple):
    """Seconds of a pass over the images, which all scores of a snapshot share, and without what is done but once."""

    seconds: float
    repeat_seconds: float


class ScoreFiles:
    """The scores that a run has made so far.

    A line has the published keys (results, metric, total_time, total_time_str, num_gpus, snapshot_pkl, timestamp) and
    ours: nimg, repeat_time, intervals (ends of 95% by result) and fingerprints (by result). total_time is that of the
    pass over the images which all scores of a snapshot share, repeat_time the same without the reals.

    Args:
        run_dir: where the files lie.
    """

    def __init__(self, run_dir: pathlib.Path) -> None:
        self._run_dir = run_dir

    def missing(self, metrics: Iterable[str], nimg: int) -> list[str]:
        """Those of the metrics that have no line yet for the snapshot at nimg images."""
        return [name for name in metrics if all(row.get("nimg") != nimg for row in self._rows(name))]

    def add(self, metric: str, nimg: int, scores: Sequence[Score], spent: TimeSpent, num_gpus: int) -> None:
        """Write the line of a metric of a snapshot. OSError: it cannot be written."""
        row = {
            "results": {score.full_name: score.value for score in scores},
            "metric": metric,
            "total_time": spent.seconds,
            "total_time_str": duration_text(spent.seconds),
            "num_gpus": num_gpus,
            "snapshot_pkl": snapshot_name(nimg),
            "timestamp": time.time(),
            "nimg": nimg,
            "repeat_time": spent.repeat_seconds,
            "intervals": {score.full_name: [score.low, score.high] for score in scores},
            "fingerprints": {score.full_name: dict(score.fingerprint) for score in scores},
        }
        append_line(self._path(metric), row)

    def times(self) -> list[TimeSpent]:
        """What each pass so far took, in the order of the images seen."""
        by_snapshot: dict[int, TimeSpent] = {}
        for row in (row for path in self._paths() for row in read_lines(path)):
            spent = TimeSpent(float(row.get("total_time", 0)), float(row.get("repeat_time", 0)))
            nimg = int(row.get("nimg", -1))
            by_snapshot[nimg] = max(spent, by_snapshot.get(nimg, spent))
        return [by_snapshot[nimg] for nimg in sorted(by_snapshot)]

    def forget_after(self, nimg: int) -> None:
        """Remove lines on snapshots beyond nimg images, and torn ones: the run comes past there again."""
        for path in self._paths():
            # Lines of others, without the key, are not ours to remove.
            removed = keep_lines(path, lambda row: row.get("nimg", 0) <= nimg)
            if removed:
                _LOGGER.info("Removed %d lines of %s beyond kimg %g", removed, path, nimg / 1000)

    def link_best(self) -> None:
        """Let best-RESULT point at the snapshot with the best value of each result. No links where there are none."""
        for result, kimg in best_snapshots(self._run_dir).items():
            target = snapshot_name(kimg * 1000)
            link, beside = self._run_dir / f"best-{result}", self._run_dir / f"{PARTIAL}best-{result}"
            if not (self._run_dir / target).is_dir() or (link.is_symlink() and link.readlink() == pathlib.Path(target)):
                continue
            with contextlib.suppress(OSError):  # a file system without links
                beside.unlink(missing_ok=True)
                beside.symlink_to(target)
                beside.replace(link)

    def has_stalled(self, condition: StopCondition, nimg: int) -> str:
        """A line on a score that has not improved for as long as the condition says; empty where it has, or none is."""
        rows = [row for row in self._rows(condition.metric) if row.get("results")]
        if not rows:
            return ""
        result = next(iter(rows[0]["results"]))
        values = [(row["results"][result], row["nimg"]) for row in rows if result in row["results"]]
        best, at = min(values, key=lambda pair: (-pair[0] if higher_is_better(result) else pair[0], pair[1]))
        if nimg - at < condition.kimg * 1000:
            return ""
        return f"{condition}: the best {result} is {best:.5g}, at kimg {at / 1000:g}"

    def _rows(self, metric: str) -> list[dict[str, Any]]:
        return read_lines(self._path(metric))

    def _path(self, metric: str) -> pathlib.Path:
        return self._run_dir / f"metric-{metric}.jsonl"

    def _paths(self) -> list[pathlib.Path]:
        return sorted(self._run_dir.glob("metric-*.jsonl"))
