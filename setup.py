"""Builds the package: which TensorFlow it depends on, the layout of its folders, and the compiled ops.

Environment variables:
  SG_KERAS_TENSORFLOW  the TensorFlow requirement to use, for instance "tensorflow[and-cuda]". Otherwise it is the
                       package that the target environment already has; or tensorflow with CUDA where there is
                       an NVIDIA driver; or tensorflow-cpu.
  SG_KERAS_NO_OPS=1    do not compile the ops: the package then computes in pure TensorFlow.
  SG_KERAS_CUDA, SG_KERAS_CUDA_ARCHS, NVCC, CUDA_HOME, CXX    see custom_ops/compile_ops.py and cuda_toolkit.py.
"""

from __future__ import annotations

import os
import pathlib
import platform
import shutil
import sys

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "custom_ops"))  # build front ends do not put this folder on the path

import compile_ops  # noqa: E402
import installed_tensorflow  # noqa: E402
from build_error import BuildError  # noqa: E402
from stamp_header import source_files  # noqa: E402

WITH_OPS = os.environ.get("SG_KERAS_NO_OPS", "0") != "1"
REQUIREMENTS = ["keras>=3.10", "numpy", "scipy", "pillow", "absl-py", "tensorboard", "rich>=14.1", "safetensors"]
OLDEST_TENSORFLOW = "2.19"


def tensorflow_package() -> str:
    """The TensorFlow distribution to depend on, so that no second one is installed over the one that is there."""
    chosen = os.environ.get("SG_KERAS_TENSORFLOW") or installed_tensorflow.installed_tensorflow_package()
    if chosen:
        return chosen
    if shutil.which("nvidia-smi"):
        return "tensorflow[and-cuda]"
    return "tensorflow-cpu" if platform.machine() in ("x86_64", "AMD64") else "tensorflow"


def tensorflow_requirement() -> str:
    """The TensorFlow requirement: the release that the ops are compiled for, or any that is new enough."""
    package = tensorflow_package()
    if any(sign in package for sign in "<>=~"):
        return package
    try:
        version = installed_tensorflow.tensorflow_flags().version if WITH_OPS else None
    except BuildError:  # a front end asks for metadata before TensorFlow is there
        version = None
    return f"{package}=={version}" if version else f"{package}>={OLDEST_TENSORFLOW}"


class BuildOps(build_ext):
    """Compiles the ops into sg_keras/ops, in the source folder for editable installs."""

    def run(self) -> None:
        try:
            self._library = compile_ops.build(self._folder())
        except BuildError as error:
            hint = "SG_KERAS_NO_OPS=1 installs without compiled ops"
            raise SystemExit(f"custom ops not compiled: {error}\n({hint})") from error

    def _folder(self) -> pathlib.Path:
        in_place = self.inplace or getattr(self, "editable_mode", False)
        return (ROOT if in_place else pathlib.Path(self.build_lib)) / "sg_keras" / "ops"

    def get_outputs(self) -> list[str]:
        return [str(self._library)] if hasattr(self, "_library") else []

    def get_output_mapping(self) -> dict[str, str]:
        return {}

    def get_source_files(self) -> list[str]:
        return [str(path.relative_to(ROOT)) for path in source_files(ROOT / "custom_ops")]


setup(
    packages=find_packages(include=["sg_keras", "sg_keras.*"]),  # sg_keras/flags is a link to flags/
    package_data={
        "sg_keras": [
            *("data/*.npz", "data/*.zip", "data/*.txt", "data/*.md"),
            *("curation/data/*.npz", "curation/data/*.txt", "curation/data/*.html"),
            *("features/data/*.npz", "features/data/*.txt", "export/data/*.html", "recipes/*.flags", "py.typed"),
        ],
    },
    include_package_data=False,
    install_requires=[tensorflow_requirement(), *REQUIREMENTS],
    setup_requires=[tensorflow_package()] if WITH_OPS and not installed_tensorflow.tensorflow_is_installed() else [],
    ext_modules=[Extension("sg_keras.ops.compiled", sources=[])] if WITH_OPS else [],
    cmdclass={"build_ext": BuildOps},
)
