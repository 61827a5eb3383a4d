"""The CUDA kernels compile, link and load wherever nvcc is, with or without a GPU, beside any TensorFlow."""

import importlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import tensorflow as tf

from sg_keras.ops import library
from sg_keras.ops.build_stamp import BuildStamp, read_stamp

ROOT = pathlib.Path(__file__).resolve().parents[2]
_BUILD = ROOT / "custom_ops" / "compile_ops.py"
# Of the CUDA runtime and of the registration code that nvcc writes; `sg_keras_cuda_...` are our own.
_CUDA_SYMBOL = re.compile(r"(?<!sg_keras_)cuda[A-Z_]|__cuda|__fatbin|^cu[A-Z]|nvrtc", re.ASCII)


def _describe(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(_BUILD), "--describe"]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def _build_with_cuda(folder: pathlib.Path) -> pathlib.Path:
    """Compiles for one architecture; what is in the build folder already is not compiled again."""
    environment = {**os.environ, "SG_KERAS_CUDA": "1", "SG_KERAS_CUDA_ARCHS": "90"}
    environment.pop("SG_KERAS_SANITIZE", None)
    result = subprocess.run([sys.executable, str(_BUILD), str(folder)], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert not result.stderr.strip(), "the compilers warn:\n" + result.stderr
    return folder / f"sg_keras_ops-tf{tf.__version__}.so"


@pytest.fixture(scope="module")
def cuda_library(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A library with CUDA kernels: the one in use if it has them, or else one built here."""
    stamp = library.library_stamp()
    if stamp is not None and stamp.has_cuda:
        return library.library_path()
    if not (ROOT / "custom_ops" / "common" / "cc").is_dir():
        pytest.skip("the sources of the ops are not here")
    found = _describe({"SG_KERAS_SANITIZE": ""})
    assert found.returncode == 0, found.stderr
    if json.loads(found.stdout)["cuda"] is None:
        pytest.skip(json.loads(found.stdout)["about_cuda"])
    return _build_with_cuda(tmp_path_factory.mktemp("cuda"))


def _dynamic_symbols(path: pathlib.Path, *options: str) -> list[str]:
    if shutil.which("nm") is None:
        pytest.skip("no nm")
    text = subprocess.run(
        ["nm", "-D", "--format=posix", *options, str(path)], capture_output=True, text=True, check=True
    )
    return [line.split()[0] for line in text.stdout.splitlines()]


def test_the_stamp_says_cuda(cuda_library: pathlib.Path):
    stamp = read_stamp(cuda_library)
    assert stamp is not None and re.fullmatch(r"\d+\.\d+", stamp.cuda)
    assert all(re.fullmatch(r"\d{2,3}[af]?", arch) for arch in stamp.cuda_archs.split())


def test_no_cuda_symbol_comes_in_or_goes_out(cuda_library: pathlib.Path):
    for options in (["--undefined-only"], ["--defined-only"]):
        assert not [name for name in _dynamic_symbols(cuda_library, *options) if _CUDA_SYMBOL.search(name)]


def test_the_launchers_can_be_found(cuda_library: pathlib.Path):
    defined = set(_dynamic_symbols(cuda_library, "--defined-only"))
    declared: set[str] = set()
    for header in (ROOT / "custom_ops").glob("*/cc/kernels/*.h"):
        declared |= set(re.findall(r"\b(sg_keras_cuda_[a-z0-9_]+)\(", header.read_text(encoding="utf-8")))
    assert declared <= defined
    assert {"sg_keras_build_stamp", "sg_keras_cuda_error_text"} <= defined


_LOAD_AND_CALL = """
import ctypes, sys
import tensorflow as tf
from sg_keras.ops import bias_act, library
assert library.custom_ops_problem() == "", library.custom_ops_problem()
print("result", bias_act(tf.constant([[1.0, -1.0]]), act="lrelu", gain=1, impl="custom").numpy().tolist())
launchers = ctypes.CDLL(str(library.library_path()))
launchers.sg_keras_cuda_error_text.restype = ctypes.c_char_p
print("error text", launchers.sg_keras_cuda_error_text(1).decode())
"""


def test_it_loads_with_or_without_a_gpu(cuda_library: pathlib.Path):
    environment = {**os.environ, library.PATH_VARIABLE: str(cuda_library), "CUDA_VISIBLE_DEVICES": ""}
    result = subprocess.run([sys.executable, "-c", _LOAD_AND_CALL], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "result [[1.0, -0.2" in result.stdout
    assert "error text invalid argument" in result.stdout


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"SG_KERAS_CUDA": "yes"}, "SG_KERAS_CUDA: found 'yes', expected 0 or 1"),
        ({"NVCC": "/nowhere/nvcc"}, "NVCC: found '/nowhere/nvcc', which cannot be run; expected the path of nvcc"),
    ],
    ids=["SG_KERAS_CUDA", "NVCC"],
)
def test_bad_settings_are_one_line(
    variables: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    if not (ROOT / "custom_ops" / "common" / "cc").is_dir():
        pytest.skip("the sources of the ops are not here")
    monkeypatch.syspath_prepend(str(_BUILD.parent))
    compile_ops = importlib.import_module(_BUILD.stem)
    tensorflow = compile_ops.TensorFlowFlags("2", [], [], "", "")  # asking for it starts another TensorFlow
    monkeypatch.setattr(compile_ops, "tensorflow_flags", lambda: tensorflow)
    monkeypatch.setattr(sys, "argv", [str(_BUILD), "--describe"])
    for name, value in {"SG_KERAS_CUDA": "", "SG_KERAS_SANITIZE": "", **variables}.items():
        monkeypatch.setenv(name, value)
    assert compile_ops.main() == 1
    assert capsys.readouterr().err.strip() == f"custom ops not compiled: {message}"


@pytest.mark.parametrize(
    ("archs", "capability", "runs"),
    [("80 90", (8, 0), True), ("80 90", (8, 9), True), ("80 90", (12, 0), True), ("90a", (8, 9), False)],
)
def test_which_gpus_a_library_is_for(archs: str, capability: tuple[int, int], runs: bool):
    stamp = BuildStamp("0", "2", "1", "g++", "13.0", archs, "none", "0")
    assert stamp.supports(capability) is runs
