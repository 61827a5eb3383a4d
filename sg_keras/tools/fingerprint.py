"""Print one line for the exact state of a run: real images seen, and a SHA-256.

    python -m sg_keras.tools.fingerprint RUN_DIR|RUN_DIR@TICK|CHECKPOINT

Equal lines mean that training goes on to the same bits.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Sequence

from sg_keras.config.file_errors import error_line
from sg_keras.tools.quiet_start import quiet_start


def main(argv: Sequence[str] | None = None) -> int:
    """Print the line. Exit status 1 after one line on stderr where there is no readable checkpoint."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    if len(words) != 1:
        found = f"found {len(words)} arguments"
        print(f"Error: {found}, expected one: RUN_DIR, RUN_DIR@TICK or CHECKPOINT", file=sys.stderr)
        return 1
    path = pathlib.Path(words[0])
    with quiet_start():
        from sg_keras.checkpoint import checkpoint_fingerprint, find_checkpoint  # loads TensorFlow

    try:
        prefix = find_checkpoint(path)
        if prefix is None:
            raise ValueError(f"{path}: found no checkpoint in this run yet")
        nimg, digest = checkpoint_fingerprint(prefix)
    except (ValueError, OSError) as error:
        print(f"Error: {error_line(error, words)}", file=sys.stderr)
        return 1
    print(f"nimg {nimg} sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
