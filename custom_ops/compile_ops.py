"""Compiles the custom ops with g++, and nvcc if there is one, against the installed TensorFlow.

    python custom_ops/compile_ops.py [FOLDER]       the library goes to FOLDER (sg_keras/ops of this checkout)
    python custom_ops/compile_ops.py --describe     what would be used, as JSON: Bazel's rules read it

The library is called sg_keras_ops-tf<version>.so. Object files are kept in build/, and only what changed is compiled.
Standard library alone: setup.py runs this before anything is installed. docs/custom_ops.md tells the whole story.

Environment variables, beside those of cuda_toolkit.py:
  CXX                the C++ compiler (g++).
  SG_KERAS_SANITIZE  sanitizers to build with, such as address,undefined: the library then goes to build/sanitized.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

from build_error import BuildError
from cuda_toolkit import CudaToolkit, find_cuda
from installed_tensorflow import TensorFlowFlags, tensorflow_flags
from stamp_header import header_text, source_digest, source_files

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
_STAMP_HEADER = pathlib.Path("custom_ops/common/build_stamp_values.h")


def stamp_values(tensorflow: TensorFlowFlags, cuda: CudaToolkit | None) -> dict[str, str]:
    """What the stamp says beside the compiler, the C++ ABI and the digest of the sources."""
    package = (ROOT / "sg_keras" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.+)"$', package, re.MULTILINE)
    if version is None:
        raise BuildError("sg_keras/__init__.py: found no __version__")
    return {
        "sg_keras": version.group(1),
        "tensorflow": tensorflow.version,
        "cuda": cuda.version if cuda else "none",
        "cuda_archs": " ".join(cuda.architectures) if cuda else "none",
        "sanitizers": os.environ.get("SG_KERAS_SANITIZE") or "none",
    }


def _find_cuda() -> tuple[CudaToolkit | None, str]:
    if os.environ.get("SG_KERAS_SANITIZE"):
        return None, "no CUDA kernels, since SG_KERAS_SANITIZE is set"
    if not any(path.suffix == ".cu" for path in source_files(SOURCES)):
        return None, "no CUDA kernels: there are no sources"
    return find_cuda()


def _compiler() -> list[str]:
    command = shlex.split(os.environ.get("CXX", "g++"))
    if shutil.which(command[0]) is None:
        raise BuildError(f"no C++ compiler: {command[0]} is not on the PATH (install g++, or set SG_KERAS_NO_OPS=1)")
    return command


def _sanitizer_flags() -> list[str]:
    sanitizers = os.environ.get("SG_KERAS_SANITIZE")
    # vptr checks need type information that TensorFlow keeps to itself.
    return (
        ["-O1", "-g", "-fno-omit-frame-pointer", f"-fsanitize={sanitizers}", "-fno-sanitize=vptr"] if sanitizers else []
    )


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if result.returncode:
        raise BuildError(f"{shlex.join(command)} failed with status {result.returncode}:\n{result.stderr.strip()}")
    if result.stderr.strip():
        print(result.stderr.strip(), file=sys.stderr)


def _compile(source: pathlib.Path, command: list[str], folder: pathlib.Path) -> pathlib.Path:
    """The object file of a source in folder, compiled unless it is there.

    An object stays as long as its command and the contents of all files that were read for it are the same. Contents,
    not times: copies and checkouts may leave a changed file older than its object. The command is part of its name, so
    that builds of other kinds (other architectures, sanitizers) stay side by side and share what they can.
    """
    name = f"{source.relative_to(SOURCES)}-{_digest(command)}".replace(os.sep, "-")
    target, dependencies, key = (folder / f"{name}.{kind}" for kind in ("o", "d", "key"))
    if target.exists() and key.exists() and key.read_text(encoding="utf-8") == _inputs_digest(dependencies):
        return target
    part = target.with_suffix(".o.part")
    key.unlink(missing_ok=True)
    _run([*command, "-MMD", "-MF", str(dependencies), "-c", str(source), "-o", str(part)])
    part.rename(target)
    key.write_text(_inputs_digest(dependencies), encoding="utf-8")
    return target


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]


def _inputs_digest(dependencies: pathlib.Path) -> str:
    """Of the contents of all files that a make rule written by the compiler names; "" where one is missing."""
    if not dependencies.exists():
        return ""
    rule = dependencies.read_text(encoding="utf-8", errors="surrogateescape").replace("\\\n", " ")
    paths = [pathlib.Path(word) for word in shlex.split(rule.partition(": ")[2])]
    if not all(path.exists() for path in paths):
        return ""
    return _digest([hashlib.sha256(path.read_bytes()).hexdigest() for path in paths])


def _write_stamp_header(values: dict[str, str], folder: pathlib.Path) -> pathlib.Path:
    """Writes the header that says what the library is built from; returns the folder to include it from."""
    text = header_text(values)
    generated = folder / f"stamp-{_digest(text)}"
    path = generated / _STAMP_HEADER
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return generated


def _command(
    source: pathlib.Path,
    tensorflow: TensorFlowFlags,
    compiler: list[str],
    cuda: CudaToolkit | None,
    generated: pathlib.Path,
) -> list[str]:
    """How a source is compiled, but for the names of files."""
    if source.suffix == ".cu":
        if cuda is None:
            raise ValueError(f"{source}: found no CUDA toolkit, expected one")
        return [cuda.nvcc, *cuda.compile_flags(compiler[0]), f"-I{ROOT}"]
    # TensorFlow's headers are not ours to mend: -isystem keeps their warnings out.
    includes = [
        flag.replace("-I", "-isystem", 1) if flag.startswith("-I") else flag for flag in tensorflow.compile_flags
    ]
    includes += [f"-I{ROOT}", *([f"-I{generated}"] if source.name == "build_stamp.cc" else [])]
    sanitizers = _sanitizer_flags()
    if sanitizers and source.name.endswith(("_kernels.cc", "_ops.cc")):
        # With these, GCC refuses comparisons of functions with null in TensorFlow's headers as not constant.
        sanitizers += ["-fno-sanitize=null,nonnull-attribute,returns-nonnull-attribute"]
    return [*compiler, *_COMPILE_FLAGS, *sanitizers, *includes]


def _sources_to_compile(cuda: CudaToolkit | None) -> list[pathlib.Path]:
    """Kernels for GPUs first, since they take longest; none of them without CUDA."""
    sources = [path for path in source_files(SOURCES) if path.suffix != ".h"]
    for_gpus = [path for path in sources if path.suffix == ".cu" or path.name.endswith("_gpu_kernels.cc")]
    others = [path for path in sources if path not in for_gpus]
    return [*for_gpus, *others] if cuda is not None else others


def build(output_folder: pathlib.Path) -> pathlib.Path:
    """Compiles and links the library for the installed TensorFlow; returns its path.

    Raises:
      BuildError: no TensorFlow, no compiler, or a compiler failed.
    """
    tensorflow, compiler = tensorflow_flags(), _compiler()
    cuda, about_cuda = _find_cuda()
    folder = ROOT / "build" / f"custom_ops-tf{tensorflow.version}"
    values = {**stamp_values(tensorflow, cuda), "sources": source_digest(ROOT, source_files(SOURCES))}
    generated = _write_stamp_header(values, folder)
    sources = _sources_to_compile(cuda)
    print(f"compiling {len(sources)} files of custom ops for TensorFlow {tensorflow.version}; {about_cuda}", flush=True)

    def compile_one(source: pathlib.Path) -> pathlib.Path:
        return _compile(source, _command(source, tensorflow, compiler, cuda, generated), folder)

    with concurrent.futures.ThreadPoolExecutor(_available_cores()) as pool:
        objects = list(pool.map(compile_one, sources))
    output_folder.mkdir(parents=True, exist_ok=True)
    library = output_folder / f"sg_keras_ops-tf{tensorflow.version}.so"
    part = library.with_suffix(".so.part")
    link_flags = [*(cuda.link_flags() if cuda else []), *tensorflow.link_flags]
    _run([*compiler, "-shared", *_sanitizer_flags(), "-o", str(part), *map(str, objects), *link_flags])
    part.rename(library)
    print(f"custom ops: {library}")
    return library


def _available_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> dict[str, object]:
    """What `build` would use, for builds by other tools."""
    tensorflow, compiler = tensorflow_flags(), _compiler()
    cuda, about_cuda = _find_cuda()
    return {
        "tensorflow": dataclasses.asdict(tensorflow),
        "compile_flags": _COMPILE_FLAGS,
        "stamp": stamp_values(tensorflow, cuda),
        "about_cuda": about_cuda,
        "cuda": {"nvcc": cuda.nvcc, "compile_flags": cuda.compile_flags(compiler[0]), "link_flags": cuda.link_flags()}
        if cuda
        else None,
    }


def main() -> int:
    """Compiles, or describes, as the command line says."""
    parser = argparse.ArgumentParser(description="Compiles the custom ops.")
    default = ROOT / "build" / "sanitized" if os.environ.get("SG_KERAS_SANITIZE") else ROOT / "sg_keras" / "ops"
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=default, help="where the library goes")
    parser.add_argument("--describe", action="store_true", help="print what would be used, as JSON, and build nothing")
    arguments = parser.parse_args()
    try:
        if arguments.describe:
            print(json.dumps(describe()))
        else:
            build(arguments.folder)
    except BuildError as error:
        print(f"custom ops not compiled: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
