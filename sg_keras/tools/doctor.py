"""Examine an installation: what is built, what is used, and whether it computes the same.

    python -m sg_keras.tools.doctor

Exit status 1 where the compiled ops are there but cannot be used, or disagree with the reference.
"""

from __future__ import annotations

import itertools
import logging
import pathlib
import platform
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from sg_keras.flags.tool_options import DOCTOR_OPTIONS
from sg_keras.tools.entry import run_tool

_CPU_INFO = pathlib.Path("/proc/cpuinfo")
# Marks of the functions that a library holds for several generations of processors, best first, and what these need.
_CPU_LEVELS = (
    (b"arch_x86_64_v4", "x86-64-v4 (AVX-512)", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    (b"avx512f", "AVX-512", {"avx512f"}),
    (b"arch_x86_64_v3", "x86-64-v3 (AVX2, FMA)", {"avx2", "fma", "bmi1", "bmi2", "f16c", "abm", "movbe"}),
    (b"avx2", "AVX2", {"avx2"}),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the examination; returns the exit status."""
    return run_tool(_examine, __doc__ or "", DOCTOR_OPTIONS, argv)


def _examine(values: dict[str, Any]) -> int:
    from sg_keras.ops.library import custom_ops_problem, library_path

    logging.getLogger("sg_keras.ops.library").setLevel(logging.ERROR)  # what it would say is in the table
    for title, rows in (("Versions", _versions()), ("Devices", _devices()), ("Compiled ops", _library())):
        print(f"{title}:")
        for label, text in rows:
            print(f"  {label:<16} {text}")
    if custom_ops_problem():
        if library_path().exists():
            print("\nThe compiled ops are there but cannot be used.")
            return 1
        print("\nEverything works in plain TensorFlow; `make ops` compiles the ops, which are faster.")
        return 0
    return _print_agreement()


def _versions() -> Iterator[tuple[str, str]]:
    import keras
    import numpy as np
    import tensorflow as tf

    import sg_keras

    yield "sg_keras", f"{sg_keras.__version__} in {pathlib.Path(sg_keras.__file__).parent}"
    yield "Python", f"{platform.python_version()} ({platform.platform()})"
    build = tf.sysconfig.get_build_info()
    cuda = f"CUDA {build.get('cuda_version', '?')}, cuDNN {build.get('cudnn_version', '?')}"
    yield "TensorFlow", f"{tf.__version__}, built {'with ' + cuda if build.get('is_cuda_build') else 'without CUDA'}"
    yield "Keras", f"{keras.__version__} on {keras.backend.backend()}"
    yield "NumPy", np.__version__


def _devices() -> Iterator[tuple[str, str]]:
    import os

    import tensorflow as tf

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield "CPU", f"{_cpu_name()}, {cores} cores may be used"
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        details = tf.config.experimental.get_device_details(gpu)
        capability = ".".join(map(str, details.get("compute_capability", ("?",))))
        yield gpu.name.rpartition("physical_device:")[2], f"{details.get('device_name', '?')}, capability {capability}"
    if not gpus:
        yield "GPU", "none that TensorFlow sees"


def _library() -> Iterator[tuple[str, str]]:
    import tensorflow as tf

    from sg_keras.ops.library import custom_ops_problem, library_path, resolve_impl

    path, problem = library_path(), custom_ops_problem()
    yield "file", f"{path}{'' if path.exists() else ' (not there)'}"
    if problem:
        yield "problem", problem
    else:
        yield "built for", f"TensorFlow {tf.__version__}, the running one"
        yield "instructions", _instructions(path)
    yield "--ops=auto", f"uses {resolve_impl('auto')}"


def _print_agreement() -> int:
    from sg_keras.tools.ops_agreement import compare_ops

    print("Compiled ops against the reference, largest relative error of results and derivatives to second order:")
    cases = list(compare_ops())
    allowed = {case.dtype: case.tolerance for case in cases}
    print(f"  {'':<20}" + "".join(f"{name:>12}" for name in allowed))
    for op, of_op in itertools.groupby(sorted(cases, key=lambda case: case.op), key=lambda case: case.op):
        print(f"  {op:<20}" + "".join(f"{case.error:>12.1e}" for case in of_op))
    print(f"  {'allowed':<20}" + "".join(f"{tolerance:>12.0e}" for tolerance in allowed.values()))
    disagreements = [case for case in cases if not case.agrees]
    for case in disagreements:
        print(f"  DISAGREES: {case.op}, {case.dtype}, in the {case.where}, by {case.error:.1e}")
    if disagreements:
        print("\nBuild the ops again (`make clean ops`); until then use --ops=reference.")
        return 1
    print("\nAll is well.")
    return 0


def _cpu_facts(name: str) -> str:
    if not _CPU_INFO.is_file():
        return ""
    lines = [line.partition(":") for line in _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()]
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _cpu_name() -> str:
    return _cpu_facts("model name") or platform.processor() or platform.machine()


def _instructions(library: pathlib.Path) -> str:
    """For which processors the library holds functions of their own, and which of these are used here."""
    content, available = library.read_bytes(), set(_cpu_facts("flags").split())
    built = [(name, needs) for mark, name, needs in _CPU_LEVELS if b"." + mark in content]
    if not built:
        return "those that every processor of this kind has"
    used = next((name for name, needs in built if needs <= available), "the basic ones")
    return f"{used}, of {', '.join(name for name, _ in built)} and the basic ones"


if __name__ == "__main__":
    sys.exit(main())
