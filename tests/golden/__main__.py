"""Command: python -m tests.golden DIR [--group NAME] [--without NAME] [--impl auto|custom|reference]
[--dtype float32|float64]."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.golden.manifest import Case, load_manifest
from tests.golden.report import Options, Report, Result, UncoveredError, failed, uncovered

# Which module knows the cases of which group. Groups that are not here have no code in sg_keras yet.
CHECKERS = {
    "upfirdn2d": "checks_ops",
    "bias_act": "checks_ops",
    "filtered_lrelu": "checks_ops",
    "conv2d_resample": "checks_ops",
    "modulated_conv2d": "checks_ops",
    "layers": "checks_layers",
    "stylegan2_networks": "checks_networks",
    "stylegan3_networks": "checks_networks",
    "gradients": "checks_gradients",
    "training": "checks_training",
    "design_tables": "checks_tables",
    "augment": "checks_augment",
    "metrics": "checks_metrics",
    "pickles": "checks_pickles",
    "features": "checks_features",
    "dataset_conversion": "checks_dataset_conversion",
    "latent_paths": "checks_latent_paths",
    "projection": "checks_projection",
}


def run_case(case: Case, options: Options) -> list[Result]:
    """Results of one case: one, or several where parts of a file are covered and others are not."""
    if case.group not in CHECKERS:
        return [uncovered(case.name, f"no code for group {case.group!r}")]
    try:
        result = importlib.import_module(f"tests.golden.{CHECKERS[case.group]}").check(case, options)
    except UncoveredError as reason:
        return [uncovered(case.name, str(reason))]
    except Exception as error:  # whatever goes wrong in a case is that case's failure, and the others still run
        if options.verbose:
            traceback.print_exc()
        first = (str(error).strip() or "no message").splitlines()[0]
        return [failed(case.name, f"{type(error).__name__}: {first}")]
    return [result] if isinstance(result, Result) else list(result)


def prepare(dtype: str) -> None:
    """Let every layer, model and optimizer compute in one dtype, exactly."""
    import keras
    import tensorflow as tf

    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    tf.config.experimental.enable_tensor_float_32_execution(False)


def run(
    folder: Path, groups: list[str], options: Options, stream: object = None, without: Sequence[str] = ()
) -> Report:
    """Run the cases of a folder as of `load_manifest`. The report holds every result."""
    import keras

    report = Report(stream or sys.stdout, options.verbose)
    cases = load_manifest(folder, groups, without)
    prepare(options.dtype)
    for case in cases:
        for result in run_case(case, options):
            report.add(result)
        keras.backend.clear_session()
    return report


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__.partition(":")[0])
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder with a manifest.json of format 2")
    parser.add_argument("--group", action="append", default=[], metavar="NAME", help="only this group (repeatable)")
    parser.add_argument(
        "--without", action="append", default=[], metavar="NAME", help="not this group, if it is there (repeatable)"
    )
    parser.add_argument("--impl", choices=("auto", "custom", "reference"), default="auto")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--verbose", action="store_true", help="the worst array of every case, and tracebacks")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0, or 1 where a case failed or the folder cannot be read."""
    options = parse(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        how = Options(options.impl, options.dtype, options.verbose)
        report = run(options.folder, options.group, how, without=options.without)
    except (OSError, ValueError) as error:
        print(f"golden: {error}", file=sys.stderr)
        return 1
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
