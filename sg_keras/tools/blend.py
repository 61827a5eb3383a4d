"""Join two generators of one shape at a resolution: what is coarse from the one, what is fine from the other.

    python -m sg_keras.tools.blend --low=FACES --high=CARTOONS --resolution=32 --output=blended
    python -m sg_keras.tools.blend --low=FACES --high=CARTOONS --resolution=32 --ramp=3 --output=blended.safetensors

That makes sense where one was trained from the other, or both from a third. The result is read as
any other network; its discriminator is that of --high.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from sg_keras.files.errors import file_errors_explained
from sg_keras.files.network_source import NETWORK_NAMES
from sg_keras.flags.combine_options import BLEND_OPTIONS
from sg_keras.tools.entry import run_tool
from sg_keras.tools.network_option import load_networks, named_errors


def main(argv: Sequence[str] | None = None) -> int:
    """Blend as the command line says; returns the exit status."""
    return run_tool(_blend, __doc__ or "", BLEND_OPTIONS, argv)


def _blend(values: dict[str, Any]) -> int:
    from sg_keras.weights.combine import blend_networks
    from sg_keras.weights.network_file import check_destination, write_networks

    output = pathlib.Path(values["output"])
    named_errors("--output", lambda: check_destination(output))
    low, high = (load_networks(f"--{name}", values[name], "auto", NETWORK_NAMES) for name in ("low", "high"))
    try:
        blended = blend_networks(low, high, values["resolution"], values["ramp"])
    except ValueError as error:
        option = "--resolution" if str(error).startswith("resolution: ") else "--high"
        raise ValueError(f"{option}: {str(error).removeprefix('resolution: ')}") from error
    with file_errors_explained(output):
        written = write_networks(output, blended)
    G = blended["G_ema"]
    print(f"{G.cfg} {G.size}, joined at {values['resolution']}: {written} in {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
