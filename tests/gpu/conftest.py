"""The launchers that the tests of this folder call: emulated, or on a GPU where SG_KERAS_LAUNCHERS=cupy asks for it."""

import os
import shutil

import pytest

from tests.gpu import build, harness
from tests.gpu.devices import Emulated
from tests.gpu.launchers import Launchers


@pytest.fixture(scope="session")
def launchers() -> Launchers:
    """The launchers, compiled once for all tests.

    With SG_KERAS_SANITIZE set the emulated ones run under AddressSanitizer and UBSan (preload libasan).
    """
    if os.environ.get("SG_KERAS_LAUNCHERS") == "cupy":
        return harness.open_device("cupy")
    command = build.emulated_compiler(sanitize=bool(os.environ.get("SG_KERAS_SANITIZE")))
    if shutil.which(command[0]) is None:
        pytest.skip(f"no C++ compiler: {command[0]} is not on the PATH")
    return Launchers(build.build(command), Emulated())
