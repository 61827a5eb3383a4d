"""Convert networks between official pickles, network snapshots and safetensors.

    python -m sg_keras.tools.convert stylegan3.pkl network-snapshot-000000
    python -m sg_keras.tools.convert stylegan3.pkl networks.safetensors
    python -m sg_keras.tools.convert RUN_DIR networks.pkl

The source is an official pickle of StyleGAN2-ADA or StyleGAN3 (nothing in it is run), or whatever
else networks are loaded from: a run directory, RUN_DIR@TICK, a checkpoint, a network snapshot, a
file that this command wrote, or the address of a file (https://...). The destination's name says
what is written, and it must be new:

  NAME.safetensors  weights under their published names and layouts, the networks described in
                    the metadata; other programs can read it
  NAME.pkl          an official layout without the published program text: StyleGAN2 in that of
                    TensorFlow 1, all else in PyTorch's (docs/exports.md says who opens which)
  NAME              a network snapshot: G.keras, D.keras and G_ema.keras

G, D and G_ema keep every bit of their weights. --debug adds the traceback to an error.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Sequence

from sg_keras.files.errors import file_errors_explained
from sg_keras.files.network_source import NETWORK_NAMES
from sg_keras.tools.entry import run_words
from sg_keras.tools.network_option import load_networks
from sg_keras.tools.quiet_start import quiet_start


def main(argv: Sequence[str] | None = None) -> int:
    """Convert as the command line says. Exit status 1 after one line on stderr where that is not possible."""
    return run_words(_convert_words, lambda: str(__doc__), argv)


def _convert_words(words: Sequence[str]) -> int:
    print(_convert(*_places(words)))
    return 0


def _places(words: Sequence[str]) -> tuple[str, pathlib.Path]:
    places = [word for word in words if word != "--debug"]
    option = next((word for word in places if word.startswith("--")), None)
    if option is not None:
        raise ValueError(f"{option.partition('=')[0]}: no such option, expected SRC DST")
    if len(places) != 2:
        raise ValueError(f"found {len(places)} arguments, expected two: SRC DST")
    return places[0], pathlib.Path(places[1])


def _convert(source: str, destination: pathlib.Path) -> str:
    with quiet_start():
        from sg_keras.weights.network_file import check_destination, write_networks  # loads TensorFlow

    check_destination(destination)
    networks = load_networks("SRC", source, "auto", NETWORK_NAMES)
    with file_errors_explained(destination):
        written = write_networks(destination, networks)
    G = networks["G_ema"]
    labels = f", labels of width {G.c_dim}" if G.c_dim > 0 else ""
    return f"{G.cfg} {G.size}{labels}: {written} in {destination}"


if __name__ == "__main__":
    sys.exit(main())
