"""Show on this machine, with these options, that a continued run ends in the same bits as one in one piece.

    python -m sg_keras.tools.verify_resume --iterations=N [options of run_training.py]

Trains 2N iterations in one piece, and N + N with the process ended in between, in temporary run directories, and
compares the fingerprints of the two final states. Exit status 0 where they are equal, else 1. --outdir and --kimg need
not be given and have no effect. On GPUs, --deterministic belongs to the promise.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence

import numpy as np

from sg_keras.flags import ParsedCommandLine, parse_command_line
from sg_keras.flags.arguments import normalise
from sg_keras.flags.command_line import read_values
from sg_keras.flags.options import OPTIONS
from sg_keras.flags.tool_options import ITERATIONS
from sg_keras.tools.entry import run_words
from sg_keras.tools.quiet_start import without_chatter

_OURS = ("outdir", "kimg", "iterations")  # what this decides, whatever was typed
_SHOWN_DIFFERENCES = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Compare. Exit status 0 for equal fingerprints, 1 for others or after one line on stderr that says what failed."""
    return run_words(_verify, lambda: str(__doc__), argv)


def _verify(words: Sequence[str]) -> int:
    iterations, options = _split_words(words)
    with tempfile.TemporaryDirectory(prefix="verify-resume-") as folder:
        with without_chatter():
            parsed = parse_command_line([*options, f"--outdir={folder}", "--kimg=1"])
        _check(parsed)
        return _compare(pathlib.Path(folder), options, parsed, iterations)


def _split_words(words: Sequence[str]) -> tuple[int, list[str]]:
    """N, and the options of the runs."""
    arguments = normalise(words, (*OPTIONS, ITERATIONS))
    own = [argument for argument in arguments if argument.option is ITERATIONS]
    if not own:
        raise ValueError("--iterations: found nothing, expected a value; required (see --help)")
    values, _ = read_values(own, [ITERATIONS])
    others = [argument for argument in arguments if argument.option.key not in _OURS]
    return values["iterations"], [f"--{argument.option.name}={argument.value}" for argument in others]


def _check(parsed: ParsedCommandLine) -> None:
    if parsed.resume is not None:
        raise ValueError("--resume: found a run to continue, expected a run that starts anew, or from a network")
    if parsed.cluster is not None:
        raise ValueError(f"--workers_hosts: found {len(parsed.cluster.hosts)} workers, expected this one alone")


def _compare(folder: pathlib.Path, options: list[str], parsed: ParsedCommandLine, iterations: int) -> int:
    whole, halves = folder / "whole", folder / "halves"
    unless_resumed = [word for word in options if not word.startswith("--resume=")]
    images = iterations * parsed.config.batch
    _train(whole, options, 2 * images)
    one_piece = _show(f"{2 * iterations} iterations in one piece", whole)
    _train(halves, options, images)
    _show(f"{iterations} iterations", halves)
    _train(halves, [*unless_resumed, "--resume=latest"], 2 * images)
    two_pieces = _show(f"{iterations} + {iterations} iterations", halves)
    if one_piece == two_pieces:
        print("the same bits: a continued run ends as one in one piece")
        return 0
    print("DIFFERENT BITS")
    _show_differences(whole, halves)
    if parsed.config.gpus > 0 and not parsed.config.run.deterministic:
        print("(on GPUs, --deterministic belongs to the promise)")
    return 1


def _train(outdir: pathlib.Path, options: Sequence[str], images: int) -> None:
    """Train in a process of its own until so many images were seen."""
    kimg = (images - 0.5) / 1000  # half an image less, lest rounding adds an iteration
    words = [sys.executable, "-m", "sg_keras.tools.train", *options, f"--outdir={outdir}", f"--kimg={kimg!r}"]
    done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = (lines or ["no reason given"])[-1].removeprefix("Error: ")
        raise ValueError(f"a run ended with exit status {done.returncode}: {reason}")


def _newest_checkpoint(outdir: pathlib.Path) -> pathlib.Path:
    from sg_keras.weights import find_checkpoint

    (run_dir,) = outdir.iterdir()
    prefix = find_checkpoint(run_dir)
    if prefix is None:
        raise ValueError(f"{run_dir}: found no checkpoint, expected one at the end of the run")
    return prefix


def _show(what: str, outdir: pathlib.Path) -> tuple[int, str]:
    from sg_keras.checkpoint import checkpoint_fingerprint

    nimg, digest = checkpoint_fingerprint(_newest_checkpoint(outdir))
    print(f"{what + ':':<34} nimg {nimg} sha256 {digest}", flush=True)
    return nimg, digest


def _show_differences(whole: pathlib.Path, halves: pathlib.Path) -> None:
    """The variables that differ most."""
    from sg_keras.checkpoint import SavedState

    one, two = SavedState(_newest_checkpoint(whole)), SavedState(_newest_checkpoint(halves))
    differences = {}
    for name, value in one.values():
        other = two.value(name)
        if not np.array_equal(value, other):
            differences[name] = float(np.max(np.abs(value.astype(np.float64) - other.astype(np.float64))))
    largest = sorted(differences, key=lambda name: differences[name], reverse=True)[:_SHOWN_DIFFERENCES]
    print(f"{len(differences)} of {len(one.names())} variables differ, most of all:")
    for name in largest:
        print(f"  {name}: by {differences[name]:.3g}")


if __name__ == "__main__":
    sys.exit(main())
