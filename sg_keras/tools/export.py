"""Export the averaged generator G_ema as a TensorFlow SavedModel, which needs none of our code.

    python -m sg_keras.tools.export --network=RUN_DIR --format=savedmodel --outdir=exported

Signatures are mapping, synthesis and generate, and for StyleGAN3 synthesis_transformed, which moves
the images; description.json in the folder says what they take and give.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from sg_keras.files.errors import file_errors_explained
from sg_keras.flags.tool_options import EXPORT_OPTIONS
from sg_keras.tools.entry import run_tool
from sg_keras.tools.network_option import load_generator


def main(argv: Sequence[str] | None = None) -> int:
    """Export as the command line says; returns the exit status."""
    return run_tool(_export, __doc__ or "", EXPORT_OPTIONS, argv)


def _export(values: dict[str, Any]) -> int:
    from sg_keras.export.saved_model import DESCRIPTION_FILE, export_saved_model

    G = load_generator(values["network"], "reference")
    with file_errors_explained(values["outdir"]):
        folder = export_saved_model(G, values["outdir"])
    names = "mapping, synthesis, synthesis_transformed" if G.takes_transform else "mapping, synthesis"
    print(f"SavedModel with signatures {names} and generate in {folder}; see {DESCRIPTION_FILE} there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
