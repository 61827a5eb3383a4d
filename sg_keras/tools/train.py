"""Entry point of the trainer, shared by run_training.py and the console script."""

from __future__ import annotations

import os
import pathlib
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from sg_keras.files.errors import error_line
from sg_keras.files.printable import printable
from sg_keras.flags import (
    freeze_schedule,
    help_text,
    list_requested,
    parse_command_line,
    recipe_lines,
    resolved_configuration,
    scheduled_options,
)
from sg_keras.tools.entry import run_words
from sg_keras.tools.quiet_start import load_quietly, without_chatter
from sg_keras.training.signals import hangups_ignored


def main(argv: Sequence[str] | None = None) -> int:
    """Train as the command line says.

    Args:
        argv: the words after the program's name; None takes them from sys.argv.

    Returns:
        Exit status: 0, or 1 after one line on stderr that says what is wrong (--debug adds the traceback).
    """
    with hangups_ignored():  # from the first second on, also while TensorFlow is loaded
        return run_words(_train, lambda: help_text(pathlib.Path(sys.argv[0]).name or "run_training.py"), argv)


def _train(words: Sequence[str]) -> int:
    if list_requested(words):
        print("\n".join(recipe_lines()))
        return 0
    parsed = parse_command_line(words, open_dataset=_open_dataset, count_gpus=_count_gpus)
    if parsed.plan is not None:
        load_quietly("sg_keras.planning.plan")
        from sg_keras.tools.plan import show_plan

        return show_plan(parsed, parsed.plan)
    if parsed.dry_run:
        load_quietly("sg_keras.weights.parameter_counts")
        from sg_keras.weights.parameter_counts import parameter_counts

        print(printable(resolved_configuration(parsed, networks=parameter_counts(parsed.config))))
        if parsed.plot_schedule is not None:
            from sg_keras.tools.schedule_plot import draw_schedules

            place = pathlib.Path(parsed.plot_schedule)
            config = parsed.config
            draw_schedules(place, scheduled_options(config), config.run.total_kimg, freeze_schedule(config))
            print(f"\nSchedules drawn in {place}")
        return 0
    load_quietly("sg_keras.training.run")
    from sg_keras.training.run import run

    for note in parsed.notes:
        print(f"Note: {printable(note)}", flush=True)
    if parsed.cluster is None:
        return run(parsed.config, resume=parsed.resume)
    try:
        return run(parsed.config, resume=parsed.resume, cluster=parsed.cluster)
    except (ValueError, OSError) as error:
        if parsed.config.run.debug:
            traceback.print_exc()
        print(f"Error: {printable(error_line(error, words))}", file=sys.stderr, flush=True)
        sys.stdout.flush()
        os._exit(1)  # TensorFlow's clean-up would wait for the other workers, and they for this one


def _open_dataset(path: str, **options: Any) -> Any:
    """As sg_keras.data.open_dataset. TensorFlow is loaded once the options are in order."""
    load_quietly("sg_keras.data.dataset")
    from sg_keras.data import open_dataset

    return open_dataset(path, **options)


def _count_gpus() -> int:
    load_quietly("tensorflow")
    import tensorflow as tf

    with without_chatter():
        return len(tf.config.list_physical_devices("GPU"))


if __name__ == "__main__":
    sys.exit(main())
