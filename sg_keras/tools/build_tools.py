"""What an installation could build ops with: compilers and Bazel, and whether the sources have changed since."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import shlex
import shutil
import subprocess
from collections.abc import Iterator

import sg_keras

NOT_PRESENT = "not present"
_SOURCES = pathlib.Path(sg_keras.__file__).resolve().parents[1] / "custom_ops"  # of a checkout


def build_tools() -> Iterator[tuple[str, str]]:
    """Name and version of each tool, or `NOT_PRESENT`: without nvcc there are no GPU kernels; Bazel is an option."""
    yield "C++ compiler", _version_line(shlex.split(os.environ.get("CXX", "g++"))[0], "--version")
    nvcc = find_nvcc()
    yield "nvcc", f"{_version_line(nvcc, '--version', line=-2)} ({nvcc})" if nvcc else NOT_PRESENT
    yield "Bazel", _version_line("bazel", "--version")


def find_nvcc() -> str | None:
    """Path of nvcc, looked for where custom_ops/cuda_toolkit.py does."""
    homes = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH")]
    folders = [f"{home}/bin" for home in homes if home] + [os.environ.get("PATH", ""), "/usr/local/cuda/bin"]
    return shutil.which(os.environ.get("NVCC") or "nvcc", path=os.pathsep.join(folders))


def sources_have_changed(digest: str) -> bool:
    """Whether the checkout's sources are others than those of this digest; False where there is no checkout."""
    script = _SOURCES / "stamp_header.py"
    spec = importlib.util.spec_from_file_location("sg_keras_stamp_header", script)
    if not script.exists() or spec is None or spec.loader is None:
        return False
    stamp_header = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stamp_header)
    sources = stamp_header.source_files(_SOURCES)
    return bool(sources) and stamp_header.source_digest(_SOURCES.parent, sources) != digest


def _version_line(command: str, option: str, line: int = 0) -> str:
    if shutil.which(command) is None:
        return NOT_PRESENT
    result = subprocess.run([command, option], capture_output=True, text=True, errors="replace", check=False)
    lines = [text.strip() for text in result.stdout.splitlines() if text.strip()]
    if result.returncode or len(lines) < abs(line):
        return f"{command} {option} fails with status {result.returncode}"
    return lines[line]
