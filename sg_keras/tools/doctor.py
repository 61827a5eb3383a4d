"""Examine an installation: what is built and used, whether it computes the same, how much faster.

    python -m sg_keras.tools.doctor

Exit status 1, and what to do, where something is off: compiled ops that are there but cannot be
used, are older than their sources, lack kernels for a GPU though nvcc is here, or disagree with
the reference.
"""

from __future__ import annotations

import itertools
import logging
import os
import pathlib
import platform
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from sg_keras.files.processor import processor_name, usable_cores
from sg_keras.flags.tool_options import DOCTOR_OPTIONS
from sg_keras.tools.entry import run_tool


def main(argv: Sequence[str] | None = None) -> int:
    """Print the examination; returns the exit status."""
    return run_tool(_examine, __doc__ or "", DOCTOR_OPTIONS, argv)


def _examine(values: dict[str, Any]) -> int:
    from sg_keras.ops.library import custom_ops_problem, library_path
    from sg_keras.tools.build_tools import build_tools

    logging.getLogger("sg_keras.ops.library").setLevel(logging.ERROR)  # what it would say is in the table
    sections = ("Versions", _versions), ("Build tools", build_tools), ("Devices", _devices), ("Compiled ops", _library)
    for title, rows in sections:
        print(f"{title}:")
        for label, text in rows():
            print(f"  {label:<16} {text}")
    if custom_ops_problem():
        if library_path().exists():
            print("\nThe compiled ops are there but cannot be used: `make ops` or a reinstallation builds them again.")
            return 1
        print("\nEverything works in plain TensorFlow; `make ops` compiles the ops, which are faster.")
        return 0
    problems = [*_library_problems(), *_print_agreement()]
    for problem in problems:
        print(f"\n{problem}")
    if not problems:
        print("\nAll is well.")
    return 1 if problems else 0


def _versions() -> Iterator[tuple[str, str]]:
    import keras
    import numpy as np
    import tensorflow as tf

    import sg_keras
    from sg_keras.config.environment import settings_not_used

    yield "sg_keras", f"{sg_keras.__version__} in {pathlib.Path(sg_keras.__file__).parent}"
    yield "Python", f"{platform.python_version()} ({platform.platform()})"
    build = tf.sysconfig.get_build_info()
    cuda = f"CUDA {build.get('cuda_version', '?')}, cuDNN {build.get('cudnn_version', '?')}"
    yield "TensorFlow", f"{tf.__version__}, built {'with ' + cuda if build.get('is_cuda_build') else 'without CUDA'}"
    yield "Keras", f"{keras.__version__} on {keras.backend.backend()}"
    yield "NumPy", np.__version__
    ignored = settings_not_used()
    if ignored:
        settings = ", ".join(f"{name}={value}" for name, value in ignored.items())
        yield "not used", f"{settings} of the environment: commands set what they need"


def _devices() -> Iterator[tuple[str, str]]:
    import tensorflow as tf

    yield "CPU", f"{processor_name()}, {usable_cores()} cores may be used"
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        details = tf.config.experimental.get_device_details(gpu)
        capability = ".".join(map(str, details.get("compute_capability", ("?",))))
        yield gpu.name.rpartition("physical_device:")[2], f"{details.get('device_name', '?')}, capability {capability}"
    if not gpus:
        yield "GPU", "none that TensorFlow sees"


def _library() -> Iterator[tuple[str, str]]:
    from sg_keras.ops.library import custom_ops_problem, library_path, library_stamp, resolve_impl

    path, problem = library_path(), custom_ops_problem()
    yield "file", f"{path}{'' if path.exists() else ' (not there)'}"
    if problem:
        yield "problem", problem
    stamp = library_stamp()
    if stamp is not None:
        yield "built for", f"TensorFlow {stamp.tensorflow}, C++ ABI {stamp.cxx11_abi}, by {stamp.compiler}"
        gpus = f"CUDA {stamp.cuda}, compute capability {stamp.cuda_archs}" if stamp.has_cuda else "none"
        yield "GPU kernels", gpus
        yield "code for", _processor()
        yield "sources", stamp.sources
        if stamp.sanitizers != "none":
            yield "sanitizers", stamp.sanitizers
    yield "--ops=auto", f"uses {resolve_impl('auto')}"


def _library_problems() -> Iterator[str]:
    """What is off with a library that can be used."""
    import tensorflow as tf

    from sg_keras.ops.library import library_stamp, resolve_impl
    from sg_keras.tools.build_tools import find_nvcc, sources_have_changed

    stamp = library_stamp()
    if stamp is not None and sources_have_changed(stamp.sources):
        yield "The compiled ops are older than their sources: `make ops` builds them again."
    if tf.config.get_visible_devices("GPU") and resolve_impl("auto") == "reference" and find_nvcc():
        yield "The compiled ops cannot serve this GPU, though nvcc is here: `make clean ops` builds kernels for it."


def _print_agreement() -> Iterator[str]:
    """Prints a table for each device; what disagrees comes back, with what to do."""
    import tensorflow as tf

    from sg_keras.ops.library import resolve_impl

    devices = ["/CPU:0"]
    if tf.config.get_visible_devices("GPU") and resolve_impl("auto") == "custom":
        devices.append("/GPU:0")
    ratios: dict[str, float] = {}
    disagree = False
    for device in devices:
        print(f"Largest relative errors of the compiled ops on {device[1:]}; how much faster than the reference:")
        if device == devices[-1]:  # the one that ops run on
            from sg_keras.tools.ops_speed import speed_ups

            ratios = dict(speed_ups())
        disagree = _print_table(device, ratios) or disagree
    if disagree:
        yield "Build the ops again (`make clean ops`); until then use --ops=reference."


def _print_table(device: str, ratios: dict[str, float]) -> bool:
    """A row for each use of an op: float32's errors by order, others' largest. Returns whether any is off."""
    from sg_keras.ops.library import resolve_impl
    from sg_keras.tools.ops_agreement import QUANTITIES, compare_ops

    cases = sorted(compare_ops(device), key=lambda case: case.op)
    allowed = {case.dtype: case.tolerance for case in cases}
    others = [dtype for dtype in allowed if dtype != "float32"]
    heads = ["in use", *(name.removesuffix(" derivative") for name in QUANTITIES), *others, "speed-up"]
    print(f"  {'':<24}" + "".join(f"{head:>11}" for head in heads))
    for op, of_op in itertools.groupby(cases, key=lambda case: case.op):
        errors = {case.dtype: case.errors if case.dtype == "float32" else (case.error,) for case in of_op}
        row = [resolve_impl("auto")] + [f"{e:.1e}" for dtype in ("float32", *others) for e in errors[dtype]]
        print(f"  {op:<24}" + "".join(f"{text:>11}" for text in [*row, f"{ratios[op]:.1f}x" if op in ratios else ""]))
    row = [""] + [f"{allowed['float32']:.0e}"] * len(QUANTITIES) + [f"{allowed[dtype]:.0e}" for dtype in others]
    print(f"  {'allowed':<24}" + "".join(f"{text:>11}" for text in row))
    for case in cases:
        if not case.agrees:
            print(f"  DISAGREES: {case.op}, {case.dtype}, in the {case.where}, by {case.error:.1e}")
    return not all(case.agrees for case in cases)


def _processor() -> str:
    """Whose code of those that the library holds is used here, and what chose it."""
    from sg_keras.ops.library import PROCESSOR_VARIABLE, library_processor

    wish = os.environ.get(PROCESSOR_VARIABLE)
    return f"{library_processor()} ({f'{PROCESSOR_VARIABLE}={wish}' if wish else 'the newest that runs here'})"


if __name__ == "__main__":
    sys.exit(main())
