"""How exports compare with the network, as the table of docs/exports.md.

    python -m benchmarks.exports [--cfg=stylegan2,stylegan3-t,stylegan3-r] [--resolution=32,256] [--cbase=2048]
                                 [--cmax=64] [--formats=savedmodel,onnx,litert,openvino,keras]

Networks are untrained and conditional, twice as wide for R. A row has the largest errors of mapping, synthesis and
generate, equal pixels and the largest difference of generate's, milliseconds an image of generate in a batch of one by
the clock, and the megabytes of all files. The exit status is 1 where an export is not the same.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import tempfile
from collections.abc import Iterator, Sequence

import keras

from benchmarks.other_load import OtherLoad
from sg_keras.export.formats import FORMATS, ExportSettings
from sg_keras.export.parity import GeneratorFunctions, Parity, compare, milliseconds
from sg_keras.models import Generator

_COLUMNS = ("network", "export", "mapping", "synthesis", "generate", "equal pixels", "largest difference", "ms", "MB")
_CLASSES = 3


def generator(cfg: str, resolution: int, cbase: int, cmax: int) -> Generator:
    """An untrained one with labels."""
    keras.utils.set_random_seed(0)
    wider = 2 if cfg == "stylegan3-r" else 1
    return Generator(
        cfg=cfg, img_resolution=resolution, c_dim=_CLASSES, channel_base=wider * cbase, channel_max=wider * cmax
    )


def rows_of(G: Generator, formats: Sequence[str]) -> Iterator[tuple[str, list[Parity], float | None]]:
    """What is compared, how each function compares, and megabytes: the network first, which has its times alone."""
    expected = GeneratorFunctions(G)
    times = milliseconds(G, expected)
    yield "this package", [Parity(name, None, None, 0, ms, True) for name, ms in times.items()], None
    settings = ExportSettings({"G_ema": G})
    for name in formats:
        form = FORMATS[name]
        with tempfile.TemporaryDirectory() as folder:
            place = form.write(settings, pathlib.Path(folder) / "export")
            size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) / 1e6
            for kind, functions in form.open(settings, place).items():
                yield f"{name} {kind}".strip(), list(compare(G, expected, functions, kind or "float32")), size


def cells_of(label: str, export: str, parities: Sequence[Parity], size: float | None) -> list[str]:
    """A row of the table."""
    found = {parity.signature: parity for parity in parities}
    errors = [found[name].error if name in found else None for name in ("mapping", "synthesis", "generate")]
    generate = found["generate"]
    equal = "" if generate.equal_pixels is None else f"{100 * generate.equal_pixels:.2f}%"
    largest = "" if generate.equal_pixels is None else str(generate.max_levels)
    megabytes = "" if size is None else f"{size:.1f}"
    shown = ["" if error is None else f"{error:.0e}".replace("e-0", "e-") for error in errors]
    return [label, export, *shown, equal, largest, f"{generate.ms:.1f}", megabytes]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; returns the exit status."""
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=summary)
    parser.add_argument("--cfg", default="stylegan2,stylegan3-t,stylegan3-r")
    parser.add_argument("--resolution", default="32,256")
    parser.add_argument("--cbase", type=int, default=2048)
    parser.add_argument("--cmax", type=int, default=64)
    parser.add_argument("--formats", default="savedmodel,onnx,litert,openvino,keras")
    options = parser.parse_args(argv)
    all_same, load = True, OtherLoad()
    print(f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}")
    for resolution in map(int, options.resolution.split(",")):
        for cfg in options.cfg.split(","):
            G = generator(cfg, resolution, options.cbase, options.cmax)
            for export, parities, size in rows_of(G, options.formats.split(",")):
                print(f"| {' | '.join(cells_of(f'{cfg} {resolution}', export, parities, size))} |", flush=True)
                all_same &= all(parity.is_close for parity in parities)
    print(f"other load: {load.share():.2f} of the cores")
    return 0 if all_same else 1


if __name__ == "__main__":
    sys.exit(main())
