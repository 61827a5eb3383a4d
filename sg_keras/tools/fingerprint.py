"""Print one line for the exact state of a run: real images seen, and a SHA-256.

    python -m sg_keras.tools.fingerprint RUN_DIR|RUN_DIR@TICK|CHECKPOINT

Equal lines mean that training goes on to the same bits. Networks without the state of a run (a
snapshot, a pickle or safetensors file, or the address of one) give "networks" and a SHA-256 over
the weights of G, D and G_ema, which is the same in every format.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sg_keras.files.network_source import NetworkSource, parse_network_source
from sg_keras.tools.entry import run_words
from sg_keras.tools.network_option import named_errors
from sg_keras.tools.quiet_start import quiet_start

_RUNS = ("run_dir", "checkpoint")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the line. Exit status 1 after one line on stderr where there is no readable checkpoint."""
    return run_words(_print_line, lambda: str(__doc__), argv)


def _print_line(words: Sequence[str]) -> int:
    places = [word for word in words if word != "--debug"]
    if len(places) != 1:
        raise ValueError(f"found {len(places)} arguments, expected one: RUN_DIR, RUN_DIR@TICK or CHECKPOINT")
    source = named_errors("RUN_DIR", lambda: parse_network_source(places[0]))
    with quiet_start():
        import sg_keras.checkpoint  # noqa: F401  # loads TensorFlow
    print(named_errors("RUN_DIR", lambda: _of_run(source) if source.kind in _RUNS else _of_networks(source)))
    return 0


def _of_run(source: NetworkSource) -> str:
    from sg_keras.checkpoint import checkpoint_fingerprint
    from sg_keras.weights import find_checkpoint

    prefix = find_checkpoint(source)
    if prefix is None:
        raise ValueError(f"{source.typed}: found no checkpoint in this run yet, expected one")
    nimg, digest = checkpoint_fingerprint(prefix)
    return f"nimg {nimg} sha256 {digest}"


def _of_networks(source: NetworkSource) -> str:
    from sg_keras.checkpoint import fingerprint
    from sg_keras.weights import load, published_weights

    weights = {name: published_weights(network) for name, network in load(source, "reference").items()}
    digest = fingerprint((f"{name}.{key}", value) for name, of in weights.items() for key, value in of.items())
    return f"networks sha256 {digest}"


if __name__ == "__main__":
    sys.exit(main())
