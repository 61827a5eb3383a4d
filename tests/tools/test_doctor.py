"""sg_keras.tools.doctor."""

import pathlib

import pytest
import tensorflow as tf

from sg_keras.ops import library
from sg_keras.tools import doctor, ops_agreement

needs_library = pytest.mark.skipif(bool(library.custom_ops_problem()), reason=library.custom_ops_problem())


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
        "bfloat16",
        "All is well.",
    ):
        assert part in text


@needs_library
def test_a_wrong_op_is_found(monkeypatch, capsys):
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
    assert not ops_agreement.Agreement("op", "float32", float("nan"), "result", 1e-5).agrees


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
