"""sg_keras.tools.doctor."""

import pathlib
import re
import shutil

import pytest
import tensorflow as tf

from sg_keras.ops import library
from sg_keras.tools import build_tools, doctor, ops_agreement, ops_speed

needs_library = pytest.mark.skipif(bool(library.custom_ops_problem()), reason=library.custom_ops_problem())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch):
    """Nothing is timed."""
    monkeypatch.setattr(ops_speed, "speed_ups", lambda: [("bias_act lrelu", 3.14)])


@needs_library
def test_all_is_well(capsys):
    assert doctor.main([]) == 0
    text = capsys.readouterr().out
    for part in (
        f"{tf.__version__}",
        "Keras",
        str(library.library_path()),
        "--ops=auto",
        "bias_act lrelu",
        "upfirdn2d up 2",
        "filtered_lrelu radial",
        "bfloat16",
        "C++ compiler",
        "nvcc",
        "Bazel",
        f"TensorFlow {tf.__version__}, C++ ABI",
        f"code for         {library.library_processor()} (",
        "All is well.",
    ):
        assert part in text
    of_lrelu = next(line for line in text.splitlines() if line.startswith("  bias_act lrelu"))
    assert re.fullmatch(r"  bias_act lrelu +custom( +\d\.\de[-+]\d\d){5} +\d+\.\dx", of_lrelu)


@needs_library
def test_tools_that_are_not_present_are_no_failure(monkeypatch, capsys, quick):
    monkeypatch.setenv("NVCC", "/nowhere/nvcc")
    monkeypatch.setenv("PATH", "/nowhere")
    assert doctor.main([]) == 0
    assert capsys.readouterr().out.count("not present") == 3


@needs_library
def test_a_library_older_than_its_sources_is_off(monkeypatch, tmp_path, capsys, quick):
    sources = pathlib.Path(build_tools.__file__).parents[2] / "custom_ops"
    if not (sources / "stamp_header.py").exists():
        pytest.skip("the sources of the ops are not here")
    shutil.copytree(sources, tmp_path / "custom_ops")
    monkeypatch.setattr(build_tools, "_SOURCES", tmp_path / "custom_ops")
    kernels = tmp_path / "custom_ops" / "bias_act" / "cc" / "kernels"
    kernels.mkdir(parents=True, exist_ok=True)
    (kernels / "another.cc").touch()
    assert doctor.main([]) == 1
    assert "older than their sources: `make ops`" in capsys.readouterr().out


@needs_library
def test_a_gpu_without_kernels_is_off_where_nvcc_is(monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: ["a GPU"])
    monkeypatch.setattr(library, "resolve_impl", lambda impl: "reference")
    monkeypatch.setattr(build_tools, "sources_have_changed", lambda digest: False)
    for nvcc, said in (("/usr/bin/nvcc", 1), (None, 0)):
        monkeypatch.setattr(build_tools, "find_nvcc", lambda nvcc=nvcc: nvcc)
        problems = list(doctor._library_problems())
        assert len(problems) == said and all("`make clean ops`" in problem for problem in problems)


@needs_library
def test_a_wrong_op_is_found(monkeypatch, capsys, quick):
    right = ops_agreement.upfirdn2d

    def wrong(x, **options):
        factor = 1.001 if options["impl"] == "custom" and x.dtype == tf.float32 else 1.0
        return right(x, **options) * factor

    monkeypatch.setattr(ops_agreement, "upfirdn2d", wrong)
    assert doctor.main([]) == 1
    text = capsys.readouterr().out
    assert text.count("DISAGREES: upfirdn2d") == 3
    assert "make clean ops" in text and "All is well" not in text


@needs_library
def test_a_wrong_second_derivative_is_found(monkeypatch):
    right = ops_agreement.bias_act

    def wrong(x, impl, **options):
        y = right(x, impl=impl, **options)
        if impl == "reference":
            return y

        @tf.custom_gradient
        def first_order_only(y):
            return y, tf.stop_gradient

        return first_order_only(y)

    monkeypatch.setattr(ops_agreement, "bias_act", wrong)
    found = [case for case in ops_agreement.compare_ops() if case.op == "bias_act tanh" and case.dtype == "float32"]
    assert not found[0].agrees
    assert found[0].where == "second derivative"


def test_nan_never_agrees():
    assert not ops_agreement.Agreement("op", "float32", (0.0, float("nan"), 0.0), 1e-5).agrees


@pytest.fixture
def no_library(monkeypatch, tmp_path):
    """The installation as it is without the compiled ops; gives the path where they would be."""
    path = tmp_path / "ops.so"
    monkeypatch.setattr(library, "library_path", lambda: path)
    caches = (library._load, library._auto_choice, library.custom_dtypes)
    for function in caches:
        function.cache_clear()
    yield path
    for function in caches:
        function.cache_clear()


def test_nothing_built_is_no_failure(no_library, capsys):
    assert doctor.main([]) == 0
    text = capsys.readouterr().out
    assert "(not there)" in text and "uses reference" in text and "`make ops` compiles the ops" in text


def test_a_broken_library_is_one(no_library: pathlib.Path, capsys):
    no_library.write_bytes(b"no library")
    assert doctor.main([]) == 1
    assert "cannot be used" in capsys.readouterr().out
