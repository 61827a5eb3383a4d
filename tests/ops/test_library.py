"""How the compiled library is found, refused and chosen; and that the number of threads changes no bit."""

import logging
import subprocess
import sys

import pytest
import tensorflow as tf

from sg_keras.ops import library, resolve_impl


@pytest.fixture
def fresh_library(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """An empty folder in place of the package's, and nothing remembered; returns where the library would lie."""
    path = tmp_path / f"sg_keras_ops-tf{tf.__version__}.so"
    monkeypatch.setattr(library, "library_path", lambda: path)
    library._load.cache_clear()
    library._auto_choice.cache_clear()
    yield path
    library._load.cache_clear()
    library._auto_choice.cache_clear()


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
    fresh_library.write_bytes(b"not a library")
    assert f"does not fit TensorFlow {tf.__version__}" in library.custom_ops_problem()
    assert resolve_impl("auto") == "reference"


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


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
def test_the_number_of_threads_changes_no_bit():
    commands = [[sys.executable, "-c", _PRINT_DIGEST, str(threads)] for threads in (1, 2, 5)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    digests = {process.communicate(timeout=120)[0].strip() for process in processes}
    assert len(digests) == 1 and len(digests.pop()) == 64
