"""A run that stops after some seconds, timed: what `plan_errors` compares plans with.

    python -m benchmarks.timed_run SECONDS OPTIONS_OF_A_RUN

Prints one line of JSON. The process holds what a run of run_training.py holds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.other_load import OtherLoad
from sg_keras.files.process_memory import peak_bytes
from sg_keras.flags import parse_command_line
from sg_keras.tools.quiet_start import load_quietly

MARK = "trained: "  # before the JSON, on its line
_SKIPPED = 2  # iterations: the first compiles, the second still prepares
_ROUND = 16  # iterations, in which each phase runs as often as in a long run


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A run: seconds for a thousand images, bytes at the peak, share of the cores' time that others took meanwhile."""

    sec_per_kimg: float
    peak_bytes: int
    other_load: float


def train(words: Sequence[str], seconds: float) -> Outcome:
    """Train in this process, which is at its beginning, for whole rounds."""
    load_quietly("sg_keras.training.run")
    import keras

    from sg_keras.training.run import run

    class Watch(keras.callbacks.Callback):
        """Looks at the clock in each iteration."""

        iterations, spent = 0, 0.0
        outcome: Outcome | None = None

        def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
            self.start = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
            self.iterations += 1
            if self.iterations <= _SKIPPED:
                self.load = OtherLoad()
                return
            self.spent += time.perf_counter() - self.start
            count = self.iterations - _SKIPPED
            if self.spent >= seconds and count % _ROUND == 0:
                self.outcome = Outcome(1000 * self.spent / count / config.batch, peak_bytes(), self.load.share())
                self.model.stop_training = True

    config = parse_command_line(words).config
    watch = Watch()
    with contextlib.redirect_stdout(io.StringIO()):
        run(config, callbacks=[watch])
    if watch.outcome is None:
        raise ValueError(f"found a run of {config.run.total_kimg:g} kimg, expected one of {seconds:g} seconds or more")
    return watch.outcome


def main(words: Sequence[str]) -> None:
    """Train and print."""
    outcome = train(words[1:], float(words[0]))
    print(f"\n{MARK}{json.dumps(dataclasses.asdict(outcome))}")


if __name__ == "__main__":
    main(sys.argv[1:])
