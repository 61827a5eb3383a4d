"""Compiles the custom ops with g++ against the installed TensorFlow: `python custom_ops/compile_ops.py [FOLDER]`.

The library, sg_keras_ops-tf<version>.so, goes to FOLDER (sg_keras/ops of this checkout). Object files are kept in
build/ and only what changed is compiled. Standard library alone: setup.py runs this before anything is installed.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

SOURCES = pathlib.Path(__file__).resolve().parent
ROOT = SOURCES.parent
_COMPILE_FLAGS = [
    "-O3",
    "-fPIC",
    "-std=c++17",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fopenmp-simd",
    "-Wall",
    "-fvisibility=hidden",
]
_PRINT_FLAGS = """
import json, tensorflow as tf
print("FLAGS" + json.dumps([tf.__version__, tf.sysconfig.get_compile_flags(), tf.sysconfig.get_link_flags()]))
"""
_PRINT_PACKAGE = """
import importlib.metadata as metadata
names = {(d.metadata["Name"] or "").replace("_", "-").lower() for d in metadata.distributions()}
print("PACKAGE" + next((name for name in PACKAGES if name in names), ""))
"""
_PACKAGES = ("tensorflow", "tensorflow-cpu", "tensorflow-cpu-aws", "tensorflow-rocm", "tensorflow-macos", "tf-nightly")


class BuildError(RuntimeError):
    """The ops could not be compiled; the message says why and what to do."""


@dataclasses.dataclass(frozen=True)
class TensorFlowFlags:
    """What compiling against a TensorFlow takes."""

    version: str
    compile_flags: list[str]
    link_flags: list[str]


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


def source_files() -> list[pathlib.Path]:
    """The C++ files of all ops, headers included."""
    return sorted(path for pattern in ("*/cc/**/*.cc", "*/cc/**/*.h") for path in SOURCES.glob(pattern))


def _compiler() -> list[str]:
    command = shlex.split(os.environ.get("CXX", "g++"))
    if shutil.which(command[0]) is None:
        raise BuildError(f"no C++ compiler: {command[0]} is not on the PATH (install g++, or set SG_KERAS_NO_OPS=1)")
    return command


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BuildError(f"{shlex.join(command)} failed with status {result.returncode}:\n{result.stderr.strip()}")
    if result.stderr.strip():
        print(result.stderr.strip(), file=sys.stderr)


def _compile(source: pathlib.Path, folder: pathlib.Path, command: list[str]) -> pathlib.Path:
    """Compiles one file unless its object is newer than the file and every header."""
    target = folder / f"{source.relative_to(SOURCES).with_suffix('.o')}".replace(os.sep, "-")
    inputs = [source, pathlib.Path(__file__), *(path for path in source_files() if path.suffix == ".h")]
    if target.exists() and target.stat().st_mtime > max(path.stat().st_mtime for path in inputs):
        return target
    part = target.with_suffix(".o.part")
    _run([*command, "-c", str(source), "-o", str(part)])
    part.rename(target)
    return target


def build(output_folder: pathlib.Path) -> pathlib.Path:
    """Compiles and links the library for the installed TensorFlow; returns its path.

    Raises:
      BuildError: no TensorFlow, no compiler, or the compiler failed.
    """
    tensorflow = tensorflow_flags()
    compiler = _compiler()
    # TensorFlow's headers are not ours to mend: -isystem keeps their warnings out.
    includes = [
        flag.replace("-I", "-isystem", 1) if flag.startswith("-I") else flag for flag in tensorflow.compile_flags
    ]
    command = [*compiler, *includes, *_COMPILE_FLAGS, f"-I{ROOT}"]
    digest = hashlib.sha256(json.dumps([command, tensorflow.version]).encode()).hexdigest()[:12]
    folder = ROOT / "build" / f"custom_ops-tf{tensorflow.version}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    output_folder.mkdir(parents=True, exist_ok=True)
    sources = [path for path in source_files() if path.suffix == ".cc"]
    print(f"compiling {len(sources)} files of custom ops for TensorFlow {tensorflow.version}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(lambda source: _compile(source, folder, command), sources))
    library = output_folder / f"sg_keras_ops-tf{tensorflow.version}.so"
    part = library.with_suffix(".so.part")
    _run([*compiler, "-shared", "-o", str(part), *map(str, objects), *tensorflow.link_flags])
    part.rename(library)
    print(f"custom ops: {library}")
    return library


def main() -> int:
    """Compiles into the folder of the first argument."""
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "sg_keras" / "ops"
    try:
        build(folder)
    except BuildError as error:
        print(f"custom ops not compiled: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
