"""Checks and times the launchers without TensorFlow: python -m tests.gpu.harness [--golden DIR] [--time].

By default they are compiled for the device that is here: a GPU, if CuPy finds one, else the emulator. Under NVIDIA's
compute-sanitizer: `compute-sanitizer python -m tests.gpu.harness --golden DIR`.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.golden.manifest import Case, load_manifest
from tests.golden.tolerance import Judgement, compare, worst, worst_element
from tests.gpu import build, timing
from tests.gpu.devices import TYPE_CODES, Cupy, Device, Emulated
from tests.gpu.launchers import Launchers

# Which module of this folder has `golden(launchers, case, dtype)` for which group of cases.
GROUPS = {"bias_act": "bias_act", "filtered_lrelu": "filtered_lrelu", "upfirdn2d": "upfirdn2d"}
FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures" / "golden"
# 16-bit types are judged by their spacing at 1 (twice the rounding error): inputs, results and sums are rounded.
SPACING = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
ROUNDINGS = 4.0


def judge(case: Case, found: dict[str, np.ndarray], dtype: str) -> Judgement:
    """The worst of a case's arrays. The first word of an array's name is its name in the file."""
    judgements = []
    for name, array in found.items():
        expected = case.arrays[name.split()[0]]
        if dtype in SPACING:
            limit = ROUNDINGS * SPACING[dtype] * max(1.0, float(np.abs(expected).max(initial=0.0)))
            same_shape = array.shape == expected.shape
            judgements.append(
                worst_element(name, array.astype(np.float64), expected, limit)
                if same_shape
                else Judgement(name, np.inf, limit, f"shape {array.shape}, expected {expected.shape}")
            )
        else:
            judgements.append(compare(name, array, expected, case.tolerance, dtype))
    return worst(judgements)


def check_golden(launchers: Launchers, folder: pathlib.Path, dtypes: list[str]) -> Iterator[tuple[str, Judgement]]:
    """A line's words and the judgement of every case in every type that has kernels."""
    present = {path.name for path in folder.iterdir()}
    groups = [group for group in GROUPS if group in present and _module(group) is not None]
    for case, dtype in itertools.product(load_manifest(folder, groups), dtypes):
        found = _module(case.group).golden(launchers, case, dtype)
        if found is not None:
            yield f"{case.name} {dtype}", judge(case, found, dtype)


def _module(group: str) -> Any:
    name = f"tests.gpu.{GROUPS[group]}"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


def open_device(name: str, library: pathlib.Path | None = None) -> Launchers:
    """Launchers on a device: cupy, emulated, or auto for the first of them that is there.

    Raises:
      ImportError: no CuPy for cupy. build.BuildError: the launchers could not be compiled.
    """
    device: Device
    if name == "auto":
        name = "cupy" if gpu_is_there() else "emulated"
    if name == "cupy":
        device = Cupy()
        return Launchers(library or build.build(build.cuda_compiler()), device)
    device = Emulated()
    return Launchers(library or build.build(build.emulated_compiler()), device)


def gpu_is_there() -> bool:
    """Whether CuPy is installed and sees a GPU."""
    if importlib.util.find_spec("cupy") is None:
        return False
    import cupy

    try:
        return bool(cupy.cuda.runtime.getDeviceCount() > 0)
    except cupy.cuda.runtime.CUDARuntimeError:
        return False


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.harness", description=__doc__.partition(":")[0])
    parser.add_argument("--library", type=pathlib.Path, help="launchers compiled before; default: compile them")
    parser.add_argument("--device", choices=("auto", "cupy", "emulated"), default="auto")
    parser.add_argument("--golden", type=pathlib.Path, default=FIXTURES, help="folder of reference cases")
    parser.add_argument("--dtype", choices=tuple(TYPE_CODES), action="append", help="only this type (repeatable)")
    parser.add_argument("--time", action="store_true", help="time the kernels against a copy on the device (GPU only)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0, or 1 where a case failed or nothing could be run."""
    options = parse(argv)
    try:
        launchers = open_device(options.device, options.library)
    except (ImportError, OSError, build.BuildError) as error:
        print(f"harness: {error}", file=sys.stderr)
        return 1
    passed = failed = 0
    for words, judgement in check_golden(launchers, options.golden, options.dtype or list(TYPE_CODES)):
        passed += judgement.passed
        failed += not judgement.passed
        print(f"{words} {judgement.error:.2e} {judgement.limit:.2e} {'ok' if judgement.passed else 'FAIL'}")
    if options.time and isinstance(launchers.device, Cupy):
        for line in timing.report(launchers):
            print(line)
    elif options.time:
        print("times: not run, no GPU")
    print(f"harness: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
