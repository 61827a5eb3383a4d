"""How the compiled library is found, refused and chosen; and that the number of threads changes no bit."""

import dataclasses
import json
import logging
import os
import re
import subprocess
import sys
import types

import pytest
import tensorflow as tf

import sg_keras
from sg_keras.ops import library, resolve_impl
from sg_keras.ops.build_stamp import BuildStamp

needs_library = pytest.mark.skipif(bool(library.custom_ops_problem()), reason=library.custom_ops_problem())


def _forget():
    for function in (library._load, library._auto_choice, library.custom_dtypes):
        function.cache_clear()


@pytest.fixture
def nothing_remembered():
    """The library is looked for again in this test and after it."""
    _forget()
    yield
    _forget()


@pytest.fixture
def fresh_library(monkeypatch: pytest.MonkeyPatch, tmp_path, nothing_remembered):
    """An empty folder in place of the package's; returns where the library would lie."""
    path = tmp_path / f"sg_keras_ops-tf{tf.__version__}.so"
    monkeypatch.setattr(library, "library_path", lambda: path)
    monkeypatch.delenv("SG_KERAS_OPS_LIBRARY", raising=False)
    return path


def fitting_stamp() -> BuildStamp:
    """Of a library that could be used here."""
    abi = str(tf.sysconfig.CXX11_ABI_FLAG)
    return BuildStamp(sg_keras.__version__, tf.__version__, abi, "g++ 12", "none", "none", "none", "0" * 16)


def stamped(stamp: BuildStamp) -> bytes:
    """A file that holds no library but this stamp."""
    lines = "".join(f"{key}={value}\n" for key, value in dataclasses.asdict(stamp).items())
    return b"\x7fELF....sg_keras build " + f"stamp\n{lines}".encode() + b"\0...."


def test_auto_falls_back_to_the_reference_and_says_so_once(fresh_library, caplog):
    with caplog.at_level(logging.INFO, logger="sg_keras.ops.library"):
        assert [resolve_impl("auto") for _ in range(3)] == ["reference"] * 3
    assert len(caplog.records) == 1
    assert f"no compiled ops for TensorFlow {tf.__version__} (found none" in caplog.text


def test_custom_needs_the_library(fresh_library):
    with pytest.raises(ValueError, match="impl='custom': no compiled ops for TensorFlow"):
        resolve_impl("custom")


def test_a_library_for_another_tensorflow_is_named(fresh_library):
    fresh_library.with_name("sg_keras_ops-tf1.15.0.so").touch()
    assert "found only sg_keras_ops-tf1.15.0.so" in library.custom_ops_problem()


def test_a_library_that_does_not_load_is_no_crash(fresh_library):
    fresh_library.write_bytes(stamped(fitting_stamp()))
    assert f"does not fit TensorFlow {tf.__version__}" in library.custom_ops_problem()
    assert resolve_impl("auto") == "reference"


@pytest.mark.parametrize("content", [b"", b"not a library", b"sg_keras build " + b"stamp\ntensorflow=2.21.0\n\0"])
def test_a_library_without_a_stamp_is_refused(fresh_library, content):
    fresh_library.write_bytes(content)
    assert "found no build stamp, expected one of this release; run `make ops`" in library.custom_ops_problem()


_MISMATCHES = {
    "tensorflow": ("1.15.0", f"it was built for TensorFlow 1.15.0, expected TensorFlow {tf.__version__}"),
    "cxx11_abi": ("7", f"it was built for C++ ABI 7, expected C++ ABI {tf.sysconfig.CXX11_ABI_FLAG}"),
    "sg_keras": ("0.0.1", f"it was built for sg_keras 0.0.1, expected sg_keras {sg_keras.__version__}"),
}


@pytest.mark.parametrize("key", _MISMATCHES)
def test_a_stamp_that_does_not_match_is_one_line(fresh_library, key):
    found, line = _MISMATCHES[key]
    fresh_library.write_bytes(stamped(dataclasses.replace(fitting_stamp(), **{key: found})))
    problem = library.custom_ops_problem()
    assert line in problem and "run `make ops`" in problem and "\n" not in problem
    with pytest.raises(ValueError, match=r"impl='custom': .*it was built for"):
        resolve_impl("custom")


@needs_library
def test_the_stamp_of_the_built_library():
    stamp = library.library_stamp()
    assert (stamp.tensorflow, stamp.sg_keras) == (tf.__version__, sg_keras.__version__)
    assert stamp.has_cuda == (stamp.cuda != "none") == (stamp.cuda_archs != "none")


_PRINT_CHOICE = """
import json
import logging
logging.basicConfig(level=logging.INFO)
from sg_keras.ops import bias_act
print(bias_act([1.0, -1.0], act="lrelu", gain=1).numpy())
"""


def test_a_named_file_that_is_missing(monkeypatch, tmp_path, nothing_remembered):
    monkeypatch.setenv("SG_KERAS_OPS_LIBRARY", str(tmp_path / "ops.so"))
    assert f"SG_KERAS_OPS_LIBRARY: found no file {tmp_path / 'ops.so'}" in library.custom_ops_problem()


@pytest.mark.parametrize("wish", ["AVX2", "sse", " avx2"])
def test_a_processor_that_is_not_known_is_one_line(monkeypatch, nothing_remembered, wish):
    """Nothing falls back in silence: the code of another processor than was wished for would run."""
    monkeypatch.setenv("SG_KERAS_PROCESSOR", wish)
    for impl in ("auto", "custom"):
        with pytest.raises(ValueError) as error:
            resolve_impl(impl)
        assert str(error.value) == f"SG_KERAS_PROCESSOR: found {wish!r}, expected one of baseline, avx2, avx512"


_PRINT_PROCESSOR = """
import json
from sg_keras.ops.library import library_processor
from sg_keras.tools.ops_agreement import compare_ops
print(json.dumps([library_processor(), [f"{case}" for case in compare_ops() if not case.agrees]]))
"""


@needs_library
def test_all_ops_run_the_code_of_an_older_processor():
    # Every x86-64 processor has the baseline; without that family there is nothing else.
    environment = {**os.environ, "SG_KERAS_PROCESSOR": "baseline"}
    command = [sys.executable, "-c", _PRINT_PROCESSOR]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == ["baseline", []]
    wish = os.environ.get("SG_KERAS_PROCESSOR") or "avx512"
    assert library.PROCESSORS.index(library.library_processor()) <= library.PROCESSORS.index(wish)


@needs_library
def test_another_file_can_be_named(tmp_path):
    elsewhere = tmp_path / "ops.so"
    elsewhere.symlink_to(library.library_path())
    environment = {**os.environ, "SG_KERAS_OPS_LIBRARY": str(elsewhere)}
    result = subprocess.run([sys.executable, "-c", _PRINT_CHOICE], env=environment, capture_output=True, text=True)
    assert result.stdout.strip() == "[ 1.  -0.2]"
    assert f"ops: custom ({elsewhere})" in result.stderr


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, nothing_remembered):
    """A GPU of compute capability 8.6 that TensorFlow seems to see; returns a function that stamps the library."""
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: [types.SimpleNamespace(name="GPU:0")])
    details = {"compute_capability": (8, 6), "device_name": "Some GPU"}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)

    def stamp_library(cuda: str, archs: str):
        stamp = dataclasses.replace(fitting_stamp(), cuda=cuda, cuda_archs=archs)
        monkeypatch.setattr(library, "library_stamp", lambda: stamp)

    return stamp_library


@needs_library
@pytest.mark.parametrize(
    ("cuda", "archs", "said"),
    [("none", "none", "no GPU kernels"), ("13.0", "90 100", "Some GPU has compute capability 8.6.*for 90 100")],
)
def test_auto_on_a_gpu_needs_kernels_for_it(gpu, caplog, cuda, archs, said):
    gpu(cuda, archs)
    assert [resolve_impl("auto", tf.float32) for _ in range(2)] == ["reference"] * 2
    assert resolve_impl("custom", tf.float32) == "custom"
    assert len(caplog.records) == 1
    assert re.search(said, caplog.text)
    with pytest.raises(ValueError, match="impl='custom': found dtype float16"):
        resolve_impl("custom", tf.float16)


@needs_library
def test_auto_on_a_gpu_takes_the_compiled_ops_where_they_have_kernels(gpu):
    gpu("13.0", "80 90")
    assert {resolve_impl("auto", dtype) for dtype in (None, tf.float32, tf.float16, tf.bfloat16)} == {"custom"}


def test_choice_by_type():
    assert resolve_impl("reference", tf.float16) == "reference"
    assert resolve_impl("auto", tf.float16) == "reference"
    with pytest.raises(ValueError, match="impl: found 'gpu'"):
        resolve_impl("gpu")


_PRINT_DIGEST = """
import hashlib, sys
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
from sg_keras.ops import bias_act, channel_scale, scale_bias_act, setup_filter, upsample2d
x = tf.random.stateless_normal([5, 32, 32, 37], seed=[0, 0])
b = tf.ones([37])
s = tf.random.stateless_uniform([5, 37], seed=[0, 1])
f = setup_filter([1, 3, 3, 1])
with tf.GradientTape() as tape:
    tape.watch(x)
    tape.watch([x, s, b])
    y = scale_bias_act(channel_scale(x, s, impl="custom"), s, None, b, impl="custom")
    y = upsample2d(bias_act(y, b, "lrelu", impl="custom"), f, impl="custom")
gradients = tape.gradient(y, [x, s, b], y * y)
print(hashlib.sha256(b"".join(a.numpy().tobytes() for a in (y, *gradients))).hexdigest())
"""


@needs_library
def test_the_number_of_threads_changes_no_bit():
    commands = [[sys.executable, "-c", _PRINT_DIGEST, str(threads)] for threads in (1, 2, 5)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    digests = {process.communicate(timeout=1800)[0].strip() for process in processes}
    assert len(digests) == 1 and len(digests.pop()) == 64
