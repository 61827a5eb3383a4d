"""Print one line for the exact state of a run: real images seen, and a SHA-256.

    python -m sg_keras.tools.fingerprint RUN_DIR|RUN_DIR@TICK|CHECKPOINT

Equal lines mean that training goes on to the same bits.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Sequence

from sg_keras.flags import path_argument
from sg_keras.tools.entry import run_words
from sg_keras.tools.quiet_start import load_quietly


def main(argv: Sequence[str] | None = None) -> int:
    """Print the line. Exit status 1 after one line on stderr where there is no readable checkpoint."""
    return run_words(_fingerprint, lambda: str(__doc__), argv)


def _fingerprint(words: Sequence[str]) -> int:
    places = [word for word in words if word != "--debug"]
    if len(places) != 1:
        raise ValueError(f"found {len(places)} arguments, expected one: RUN_DIR, RUN_DIR@TICK or CHECKPOINT")
    path = pathlib.Path(path_argument("RUN_DIR", places[0]))
    load_quietly("sg_keras.checkpoint")
    from sg_keras.checkpoint import checkpoint_fingerprint, find_checkpoint

    prefix = find_checkpoint(path)
    if prefix is None:
        raise ValueError(f"{path}: found no checkpoint in this run yet")
    nimg, digest = checkpoint_fingerprint(prefix)
    print(f"nimg {nimg} sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
