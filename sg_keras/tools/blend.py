"""Join two generators of one shape at a resolution: what is coarse from the one, what is fine from the other.

    python -m sg_keras.tools.blend --low=FACES --high=CARTOONS --resolution=32 --output=blended
    python -m sg_keras.tools.blend --low=FACES --high=CARTOONS --resolution=32 --ramp=3 --output=blended.safetensors

That makes sense where one was trained from the other, or both from a third. The result is read as
any other network; its discriminator is that of --high.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sg_keras.files.network_source import NETWORK_NAMES
from sg_keras.flags.combine_options import BLEND_OPTIONS
from sg_keras.tools.combined import write_combined
from sg_keras.tools.entry import run_tool
from sg_keras.tools.network_option import load_networks

if TYPE_CHECKING:
    import keras


def main(argv: Sequence[str] | None = None) -> int:
    """Blend as the command line says; returns the exit status."""
    return run_tool(_blend, __doc__ or "", BLEND_OPTIONS, argv)


def _blend(values: dict[str, Any]) -> int:
    from sg_keras.weights.combine import blend_networks

    def blended() -> Mapping[str, keras.Model]:
        low, high = (load_networks(f"--{name}", values[name], "auto", NETWORK_NAMES) for name in ("low", "high"))
        try:
            return blend_networks(low, high, values["resolution"], values["ramp"])
        except ValueError as error:
            option = "--resolution" if str(error).startswith("resolution: ") else "--high"
            raise ValueError(f"{option}: {str(error).removeprefix('resolution: ')}") from error

    write_combined(values["output"], blended, f"joined at {values['resolution']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
