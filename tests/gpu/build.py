"""Compiles the CUDA launchers alone into one library: for a GPU by nvcc, or for the CPU emulator by g++."""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNELS = "custom_ops/*/cc/kernels/"
_EMULATED_FLAGS = [
    "-x",
    "c++",
    "-std=c++17",
    "-O1",
    "-g",
    "-fPIC",
    "-fvisibility=hidden",
    "-Wall",
    "-Wno-maybe-uninitialized",  # packs of which the compiler cannot tell that they are loaded where they are used
    "-DSG_KERAS_CUDA_EMULATION",
]
_NVCC_FLAGS = ["-O3", "-std=c++17", "-Xcompiler", "-fPIC,-fvisibility=hidden,-Wall"]


class BuildError(RuntimeError):
    """The launchers could not be compiled; the message says why."""


def sources() -> list[pathlib.Path]:
    """The CUDA sources of all ops."""
    return sorted(ROOT.glob(KERNELS + "*_cuda.cu"))


def headers() -> list[pathlib.Path]:
    """Headers that they may include."""
    return sorted(ROOT.glob(KERNELS + "*.h"))


def emulated_compiler(sanitize: bool = False) -> list[str]:
    """The command that compiles a source for the emulator; with `sanitize` under AddressSanitizer and UBSan."""
    extra = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"] if sanitize else []
    return [*shlex.split(os.environ.get("CXX", "g++")), *_EMULATED_FLAGS, *extra]


def cuda_compiler(architecture: str = "native") -> list[str]:
    """The command that compiles a source for a GPU; the architecture is as in nvcc's -arch."""
    return [os.environ.get("NVCC", "nvcc"), *_NVCC_FLAGS, f"-arch={architecture}"]


def build(command: list[str], folder: pathlib.Path = ROOT / "build" / "cuda_launchers") -> pathlib.Path:
    """Compiles what changed since the last call and links it; returns the library.

    Raises:
      BuildError: no compiler, or it failed.
    """
    if shutil.which(command[0]) is None:
        raise BuildError(f"{command[0]} is not on the PATH")
    shared = hashlib.sha256(b"".join(path.read_bytes() for path in headers()) + shlex.join(command).encode())
    folder.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(lambda source: _compile(source, command, shared.hexdigest(), folder), sources()))
    digest = hashlib.sha256(" ".join(path.name for path in objects).encode()).hexdigest()[:16]
    library = folder / f"launchers-{digest}.so"
    if not library.exists():
        link = [flag for flag in command if flag not in ("-x", "c++")]
        _run([*link, "-shared", *map(str, objects)], library)
    return library


def _compile(source: pathlib.Path, command: list[str], shared: str, folder: pathlib.Path) -> pathlib.Path:
    digest = hashlib.sha256(shared.encode() + source.read_bytes()).hexdigest()[:16]
    target = folder / f"{source.stem}-{digest}.o"
    if not target.exists():
        _run([*command, f"-I{ROOT}", "-c", str(source)], target)
    return target


def _run(command: list[str], target: pathlib.Path) -> None:
    """Runs a compiler; its result appears at once or not at all, also where several processes build."""
    part = target.with_name(f"{target.name}.{os.getpid()}")
    done = subprocess.run([*command, "-o", str(part)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{shlex.join(command)}: status {done.returncode}\n{done.stderr.strip()}")
    if done.stderr.strip():
        print(done.stderr.strip(), file=sys.stderr)
    part.replace(target)
