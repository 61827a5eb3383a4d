"""Settings and fixtures of all tests.

TensorFlow is imported where it is used: the process that only hands out the tests does without.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported: its start-up notes

import hypothesis
import pytest

from tests.released_graphs import Collector, release_with_their_graphs

# The same examples every time, so that a change is judged by itself; `make fuzz` looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.register_profile("searching", derandomize=False, print_blob=True)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _bfloat16(request: pytest.FixtureRequest):
    """What computes convolutions in bfloat16 is left out, visibly, where TensorFlow cannot."""
    if request.node.get_closest_marker("bfloat16"):
        from sg_keras.training.precision_choice import bfloat16_problem

        if bfloat16_problem():
            pytest.skip(f"bfloat16: {bfloat16_problem()}")


@pytest.fixture(autouse=True)
def _restore_keras_types():
    """Tests may choose other floating types; the next test finds the defaults again."""
    if "keras" not in sys.modules:  # no test module of this process needs it
        yield
        return
    import keras

    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


_collector = Collector()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol():
    """Free what a test has left behind, once its fixtures have let go of it."""
    if "tensorflow" in sys.modules:
        release_with_their_graphs()
    report = yield
    _collector.after_test()
    return report


@pytest.fixture(params=["reference", "custom"])
def impl(request: pytest.FixtureRequest) -> str:
    """Both implementations of the ops; the compiled one is left out, visibly, where it was not built."""
    from sg_keras.ops import library

    if request.param == "custom" and library.custom_ops_problem():
        pytest.skip(library.custom_ops_problem())
    return request.param
