"""Finds the TensorFlow to compile against. Standard library alone."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import subprocess
import sys

from build_error import BuildError

_PRINT_FLAGS = """
import json, tensorflow as tf
config = tf.sysconfig
flags = config.get_compile_flags(), config.get_link_flags()
print("FLAGS" + json.dumps([tf.__version__, *flags, config.get_include(), config.get_lib()]))
"""
_PRINT_PACKAGE = """
import importlib.metadata as metadata
names = {(d.metadata["Name"] or "").replace("_", "-").lower() for d in metadata.distributions()}
print("PACKAGE" + next((name for name in PACKAGES if name in names), ""))
"""
_PACKAGES = ("tensorflow", "tensorflow-cpu", "tensorflow-cpu-aws", "tensorflow-rocm", "tensorflow-macos", "tf-nightly")


@dataclasses.dataclass(frozen=True)
class TensorFlowFlags:
    """What compiling against a TensorFlow takes."""

    version: str
    compile_flags: list[str]
    link_flags: list[str]
    include_folder: str
    library_folder: str


def _ask_python(code: str, marker: str, *options: str) -> str | None:
    """Runs code in this interpreter's environment; returns what it printed after the marker, None where it failed."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, *options, "-c", code]
    # From another folder: a checkout's own folders must not be taken for installed packages.
    result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=sys.prefix, check=False)
    lines = [line for line in result.stdout.splitlines() if line.startswith(marker)]
    return lines[-1][len(marker) :] if result.returncode == 0 and lines else None


def installed_tensorflow_package() -> str | None:
    """Name of the TensorFlow distribution of the target environment, None without one.

    A build front end hides the target environment's packages by PYTHONPATH (pip); `-E` looks past it.
    """
    return _ask_python(f"PACKAGES = {_PACKAGES!r}\n{_PRINT_PACKAGE}", "PACKAGE", "-E") or None


def tensorflow_is_installed() -> bool:
    """Whether the target environment has a TensorFlow to compile against."""
    return installed_tensorflow_package() is not None


@functools.cache
def tensorflow_flags() -> TensorFlowFlags:
    """Version and flags of the target environment's TensorFlow, or of the build environment's where that has none."""
    answer = _ask_python(_PRINT_FLAGS, "FLAGS", "-E") or _ask_python(_PRINT_FLAGS, "FLAGS")
    if answer is None:
        raise BuildError(
            f"no TensorFlow can be imported by {sys.executable}: install tensorflow-cpu or tensorflow first"
        )
    return TensorFlowFlags(*json.loads(answer))
