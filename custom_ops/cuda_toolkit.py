"""Finds the CUDA toolkit and the flags with which kernels are compiled and linked. Standard library alone.

Environment variables:
  SG_KERAS_CUDA        0: build no CUDA kernels. 1: fail where they cannot be built. Otherwise: build if nvcc is found.
  SG_KERAS_CUDA_ARCHS  compute capabilities to build for, such as "80 90" (the default); PTX of the last is added.
  NVCC, CUDA_HOME      where nvcc is, else it is looked for on the PATH and in /usr/local/cuda.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess

from build_error import BuildError

DEFAULT_ARCHITECTURES = "80 90"
_USUAL_HOME = "/usr/local/cuda"
_LIBRARY_FOLDERS = ("targets/x86_64-linux/lib", "targets/sbsa-linux/lib", "lib64", "lib")


@dataclasses.dataclass(frozen=True)
class CudaToolkit:
    """A toolkit that can build the kernels.

    Attributes:
      nvcc: path of the compiler.
      version: release of the toolkit, such as "13.0".
      architectures: compute capabilities without the point, such as ("80", "90").
      runtime: path of libcudart_static.a.
    """

    nvcc: str
    version: str
    architectures: tuple[str, ...]
    runtime: str

    def compile_flags(self, compiler: str) -> list[str]:
        """Flags of nvcc for a kernel file, with the C++ compiler that nvcc is to use for the host's part."""
        flags = ["-O3", "-std=c++17", "-ccbin", compiler, "-Xcompiler", "-fPIC,-fvisibility=hidden,-Wall"]
        for arch in self.architectures:
            flags += ["-gencode", f"arch=compute_{arch},code=sm_{arch}"]
        newest = self.architectures[-1]
        return [*flags, "-gencode", f"arch=compute_{newest},code=compute_{newest}"]

    def link_flags(self) -> list[str]:
        """Flags that bind the kernels to a CUDA runtime of their own, hidden inside the library.

        Otherwise its symbols would be those of TensorFlow's runtime, of another release, or be missing where TensorFlow
        is built without CUDA. The order matters: these come after the objects and before TensorFlow.
        """
        hidden = ["-Wl,--exclude-libs,ALL", "-Wl,-Bsymbolic"]
        return [*hidden, self.runtime, "-ldl", "-lrt", "-lpthread"]


def find_cuda() -> tuple[CudaToolkit | None, str]:
    """The toolkit to build with and one line on it, or None and one line on why there are no CUDA kernels.

    Raises:
      BuildError: a toolkit that cannot be used; or none where SG_KERAS_CUDA=1 asks for it.
    """
    wanted = os.environ.get("SG_KERAS_CUDA", "")
    if wanted not in ("", "0", "1"):
        raise BuildError(f"SG_KERAS_CUDA: found {wanted!r}, expected 0 or 1")
    if wanted == "0":
        return None, "no CUDA kernels, since SG_KERAS_CUDA=0"
    nvcc = _find_nvcc()
    if nvcc is None:
        searched = f"no nvcc in NVCC, CUDA_HOME, PATH or {_USUAL_HOME}"
        if wanted == "1":
            raise BuildError(f"SG_KERAS_CUDA=1, but there is {searched}")
        return None, f"no CUDA kernels: {searched}"
    toolkit = CudaToolkit(nvcc, _version(nvcc), _architectures(), _find_runtime(nvcc))
    names = ", ".join(f"sm_{arch}" for arch in toolkit.architectures)
    return toolkit, f"CUDA kernels by nvcc {toolkit.version} for {names} and PTX of the last"


def _find_nvcc() -> str | None:
    named = os.environ.get("NVCC")
    if named:
        found = shutil.which(named)
        if found is None:
            raise BuildError(f"NVCC: found {named!r}, which cannot be run; expected the path of nvcc")
        return found
    homes = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH")]
    folders = [f"{home}/bin" for home in homes if home] + [os.environ.get("PATH", ""), f"{_USUAL_HOME}/bin"]
    return shutil.which("nvcc", path=os.pathsep.join(folders))


def _output(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if result.returncode:
        raise BuildError(f"{' '.join(command)} failed with status {result.returncode} ({_HINT}):\n{result.stderr}")
    return result.stdout + result.stderr


_HINT = "SG_KERAS_CUDA=0 builds without CUDA kernels"


def _version(nvcc: str) -> str:
    text = _output(nvcc, "--version")
    found = re.search(r"release (\d+\.\d+)", text)
    if found is None:
        raise BuildError(f"{nvcc} --version: found no release in {text!r} ({_HINT})")
    return found.group(1)


def _architectures() -> tuple[str, ...]:
    text = os.environ.get("SG_KERAS_CUDA_ARCHS") or DEFAULT_ARCHITECTURES
    names = tuple(text.replace(",", " ").split())
    if not names or not all(re.fullmatch(r"\d{2,3}[af]?", name) for name in names):
        expected = f"compute capabilities such as {DEFAULT_ARCHITECTURES!r}"
        raise BuildError(f"SG_KERAS_CUDA_ARCHS: found {text!r}, expected {expected}")
    return names


def _find_runtime(nvcc: str) -> str:
    # nvcc may be a link or a script on the PATH: it says itself where its toolkit is.
    found = re.search(r"^#\$ TOP=(.+)$", _output(nvcc, "-dryrun", "-x", "cu", os.devnull), re.MULTILINE)
    home = pathlib.Path(found.group(1).strip() if found else pathlib.Path(nvcc).resolve().parents[1]).resolve()
    for folder in _LIBRARY_FOLDERS:
        runtime = home / folder / "libcudart_static.a"
        if runtime.exists():
            return str(runtime)
    raise BuildError(f"no libcudart_static.a in {home}: install the CUDA runtime's development files ({_HINT})")
