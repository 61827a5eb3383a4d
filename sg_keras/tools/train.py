"""Entry point of the trainer, shared by run_training.py and the console script."""

from __future__ import annotations

import os
import pathlib
import sys
import traceback
from collections.abc import Sequence

from sg_keras.config.file_errors import error_line
from sg_keras.flags import (
    help_text,
    parse_command_line,
    resolved_configuration,
)
from sg_keras.tools.entry import run_words
from sg_keras.tools.quiet_start import quiet_start


def main(argv: Sequence[str] | None = None) -> int:
    """Train as the command line says.

    Args:
        argv: the words after the program's name; None takes them from sys.argv.

    Returns:
        Exit status: 0, or 1 after one line on stderr that says what is wrong (--debug adds the traceback).
    """
    return run_words(_train, lambda: help_text(pathlib.Path(sys.argv[0]).name or "run_training.py"), argv)


def _train(words: Sequence[str]) -> int:
    with quiet_start():  # TensorFlow is loaded once the options are in order
        parsed = parse_command_line(words)
    if parsed.dry_run:
        print(resolved_configuration(parsed))
        return 0
    from sg_keras.training.run import run
    from sg_keras.training.run_log import forsake_stdout

    try:
        for note in parsed.notes:
            print(f"Note: {note}", flush=True)
    except BrokenPipeError:  # nobody reads any more (`| head`), which is no reason not to train
        forsake_stdout()

    if parsed.cluster is None:
        return run(parsed.config, resume=parsed.resume)
    try:
        return run(parsed.config, resume=parsed.resume, cluster=parsed.cluster)
    except (ValueError, OSError) as error:
        if parsed.config.run.debug:
            traceback.print_exc()
        print(f"Error: {error_line(error, words)}", file=sys.stderr, flush=True)
        sys.stdout.flush()
        os._exit(1)  # TensorFlow's clean-up would wait for the other machines, and they for this one


if __name__ == "__main__":
    sys.exit(main())
