"""Scores of a run's snapshots: when they are made, what time they may take, and what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from sg_keras.config.stop_condition import parse_stop_condition
from sg_keras.files.errors import first_line
from sg_keras.metrics.evaluation import OnProgress
from sg_keras.metrics.record import few_authentic
from sg_keras.training.callbacks.checkpoints import score_cadence
from sg_keras.training.callbacks.image_grid import save_png
from sg_keras.training.callbacks.meter import Meter, Tick, TickCallback
from sg_keras.training.callbacks.score_window import ScoreWindow
from sg_keras.training.callbacks.status import duration_text
from sg_keras.training.callbacks.tensorboard import TensorBoardEvents
from sg_keras.training.run_scores import RunScorer, ScoredSnapshot
from sg_keras.training.score_files import ScoreFiles, TimeSpent
from sg_keras.training.session import Session
from sg_keras.weights.snapshot import snapshot_name


class _InterruptedError(Exception):
    """A signal asked the run to stop while scores were made."""


class _Watch:
    """Times scores by what is told of their progress, and ends them where the run is to stop."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._began = self._reals_done = time.monotonic()

    def passing_on(self, on_progress: OnProgress) -> OnProgress:
        """What is to be told; it tells `on_progress`. Raises _InterruptedError."""

        def tell(stage: str, done: int, total: int) -> None:
            if self._stopped():
                raise _InterruptedError
            if stage == "reals":
                self._reals_done = time.monotonic()
            on_progress(stage, done, total)

        return tell

    def spent(self) -> TimeSpent:
        """Until now."""
        now = time.monotonic()
        return TimeSpent(now - self._began, now - self._reals_done)


class SnapshotScores(TickCallback):
    """Makes the scores of snapshots, at ticks as --metrics_ticks says and at the end.

    To stand after the exact checkpoints: a run that is killed while it makes scores has lost nothing that it trained,
    and makes them when it goes on. Scores change no bit of training. Those that cannot be made are a warning.

    Args:
        meter: of the run.
        session: of the run.
        events: TensorBoard's.
        stopped: whether something asked the run to stop; scores are then left for when it goes on.
    """

    def __init__(self, meter: Meter, session: Session, events: TensorBoardEvents, stopped: Callable[[], bool]) -> None:
        super().__init__(meter)
        self._session, self._events, self._stopped = session, events, stopped
        self._config, self._log, self._run_dir = session.config.run, session.log, session.run_dir
        self._files, self._window = ScoreFiles(session.run_dir), ScoreWindow(session.log)
        self._scorer = RunScorer(session)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        nimg = int(self.model.cur_nimg.numpy())
        self._files.forget_after(nimg)
        last = nimg >= self._session.total_nimg
        # What an earlier process trained, and did not live to score.
        is_unscored = (last or _is_due(self._session, nimg)) and (self._run_dir / snapshot_name(nimg)).is_dir()
        self._score(nimg, self._chosen(nimg, last) if is_unscored else [])
        self._stop_if_stalled(nimg)

    def on_tick(self, tick: Tick) -> None:
        if tick.last or _is_due(self._session, tick.nimg):
            self._score(tick.nimg, self._chosen(tick.nimg, tick.last))
            self._stop_if_stalled(tick.nimg)

    def _chosen(self, nimg: int, last: bool) -> list[str]:
        """Which scores are to be made."""
        names = self._files.missing(self._config.metrics, nimg)
        return [] if names and not last and self._takes_too_long(snapshot_name(nimg), names) else names

    def _score(self, nimg: int, names: list[str]) -> None:
        snapshot = snapshot_name(nimg)
        if not self._scorer.agreed(names):
            return
        watch = _Watch(self._stopped)
        try:
            with self._window.opened() as on_progress:
                scored = self._scorer.scored(names, snapshot, watch.passing_on(on_progress))
        except _InterruptedError:
            self._log.line(f"Scores of {snapshot} are left for when the run goes on")
            return
        except (ValueError, OSError, tf.errors.OpError) as error:
            self._log.line(f"WARNING: no scores of {snapshot}: {first_line(error)}; training goes on without")
            return
        if scored.scores:
            self._keep(nimg, scored, watch.spent())

    def _takes_too_long(self, snapshot: str, names: list[str]) -> bool:
        """Whether scores as slow as the last ones would take more than their share; said in a line."""
        times = self._files.times()
        if not times:
            return False
        needed = times[-1].repeat_seconds
        share = (sum(spent.seconds for spent in times) + needed) / (self._meter.total_sec + needed)
        if share <= self._config.metrics_share:
            return False
        self._log.line(
            f"No scores of {snapshot}: with another {duration_text(needed)} they would take {share:.1%} of the "
            f"run's time, more than --metrics_share={self._config.metrics_share:g}; sg_keras.tools.calc_metrics "
            f"--network={self._run_dir / snapshot} --metrics={','.join(names)} makes them"
        )
        return True

    def _keep(self, nimg: int, scored: ScoredSnapshot, spent: TimeSpent) -> None:
        for metric, scores in scored.by_metric.items():
            self._files.add(metric, nimg, scores, spent, self._session.config.gpus)
        self._files.link_best()
        if scored.sheet is not None:
            save_png(scored.sheet, self._run_dir / f"nearest{nimg // 1000:06d}.png")
        self._events.show_scores(nimg, scored.scores, scored.sheet)
        share = sum(each.seconds for each in self._files.times()) / max(self._meter.total_sec, 1e-9)
        told = "  ".join(
            f"{score.full_name} {score.value:.5g} ({score.low:.5g} to {score.high:.5g})" for score in scored.scores
        )
        self._log.line(
            f"scores of {snapshot_name(nimg)}  {told}  time {duration_text(spent.seconds)}  share {share:.1%}"
        )
        warning = few_authentic(scored.scores)
        if warning:
            self._log.line(f"WARNING: {warning}")

    def _stop_if_stalled(self, nimg: int) -> None:
        if not self._config.stop_when:
            return
        reason = self._files.has_stalled(parse_stop_condition(self._config.stop_when), nimg)
        if reason:
            self._log.line(f"--stop_when: {reason}")
            self.model.stop_training = True


class ScoreHelper(TickCallback):
    """A worker's part in the scores that the chief makes: it sees its share of the images.

    Args:
        meter: of this worker.
        session: of the run.
    """

    def __init__(self, meter: Meter, session: Session) -> None:
        super().__init__(meter)
        self._session, self._scorer = session, RunScorer(session)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._take_part()

    def on_tick(self, tick: Tick) -> None:
        if tick.last or _is_due(self._session, tick.nimg):
            self._take_part()

    def _take_part(self) -> None:
        names = self._scorer.agreed([])
        if not names:
            return
        try:
            self._scorer.take_part(names)
        except (ValueError, OSError, tf.errors.OpError) as error:
            self._session.log.line(f"WARNING: the chief makes scores alone: {first_line(error)}")


def _is_due(session: Session, nimg: int) -> bool:
    return session.clock.is_due(nimg, score_cadence(session.config.run))
