"""The ops on the GPU that is here: python -m tests.gpu [--golden DIR]. Without a GPU it says so and is content.

All golden cases of the ops run through TensorFlow in every type, first and second derivatives included. Then, where
CuPy is installed, the launchers alone: golden cases and times (tests.gpu.harness), and this folder's tests on the GPU.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import subprocess
import sys

from tests.golden.manifest import Case, load_manifest
from tests.golden.report import Options, Report, Result, UncoveredError, failed, uncovered
from tests.gpu import harness
from tests.gpu.devices import TYPE_CODES

_GROUPS = ("upfirdn2d", "bias_act", "filtered_lrelu", "conv2d_resample", "modulated_conv2d")
_HERE = pathlib.Path(__file__).parent
_LARGE_FOLDER = _HERE.parents[2] / "shared" / "golden"


def in_16_bits(case: Case, dtype: str) -> Case:
    """The case with the tolerance of a 16-bit type instead of its own.

    Rounding carries pixels of filtered_lrelu across its kinks: of its cases the result alone is judged here, and the
    gradients by the harness, which takes the slopes from an unrounded x.
    """
    limits = {"rtol": 0.0, "atol": harness.ROUNDINGS * harness.SPACING[dtype]}
    entry = {**case.entry, "tolerance": {"rule": "op", "f32": limits}}
    if case.group == "filtered_lrelu":
        arrays = case.entry["arrays"].items()
        entry["arrays"] = {name: info for name, info in arrays if info["role"] != "output" or name == "y"}
    return dataclasses.replace(case, entry=entry)


def run_case(case: Case, dtype: str) -> Result:
    """One case by the compiled ops on the first GPU."""
    import tensorflow as tf

    from tests.golden import checks_ops

    name = f"{case.name} {dtype}"
    try:
        with tf.device("/GPU:0"):
            judged = in_16_bits(case, dtype) if dtype in harness.SPACING else case
            return dataclasses.replace(checks_ops.check(judged, Options("custom", dtype)), name=name)
    except UncoveredError as reason:
        return uncovered(name, str(reason))
    except (tf.errors.OpError, ValueError) as error:
        return failed(name, f"{type(error).__name__}: {str(error).strip().splitlines()[0]}")


def check_ops(folder: pathlib.Path) -> int:
    """Exit status of all golden cases in all types."""
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(False)
    tf.config.set_soft_device_placement(False)  # an op without a kernel for GPUs is an error
    report = Report(sys.stdout)
    present = {path.name for path in folder.iterdir()}
    for case in load_manifest(folder, [group for group in _GROUPS if group in present]):
        for dtype in TYPE_CODES:
            # Convolutions of 16-bit types are cuDNN's affair.
            if dtype in harness.SPACING and case.group in ("conv2d_resample", "modulated_conv2d"):
                continue
            report.add(run_case(case, dtype))
    return report.finish()


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0, also without a GPU, or 1 where a case failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__.partition(":")[0])
    default = _LARGE_FOLDER if _LARGE_FOLDER.is_dir() else harness.FIXTURES
    parser.add_argument("--golden", type=pathlib.Path, default=default, help="folder of reference cases")
    options = parser.parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        print("skipped: no GPU")
        return 0
    status = check_ops(options.golden)
    if not harness.gpu_is_there():
        print("launchers alone: skipped, no CuPy")
        return status
    status |= harness.main(["--device=cupy", f"--golden={options.golden}", "--time"])
    environment = {**os.environ, "SG_KERAS_LAUNCHERS": "cupy"}
    tests = subprocess.run([sys.executable, "-m", "pytest", "-q", str(_HERE)], env=environment, check=False)
    return status | int(tests.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
