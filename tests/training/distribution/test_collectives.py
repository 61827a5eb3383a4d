"""The test of devices at the start of a run: what it says when they do not work together."""

import os
import subprocess
import sys
import time

import pytest

from sg_keras.training.distribution.collectives import time_limit
from tests.training.exchange_on_two import SECONDS
from tests.training.tiny_run import ROOT

OUTCOMES = {
    "works": "fine",
    "agrees": "a pa\u00df phrase True",
    "forgets": "devices exchange wrong data: found [1.0, 0.0], expected [1.0, 2.0]. NCCL_DEBUG=INFO says more",
    "fails": "2 devices cannot exchange data: ",
}


def exchange(*ways: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.training.exchange_on_two", *ways],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=1800,
    )


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str]:
    """What came of each way, one after another in one process."""
    done = exchange(*OUTCOMES)
    assert done.returncode == 0, done.stderr
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("how", OUTCOMES)
def test_two_devices(how, outcomes):
    assert outcomes[how].startswith(OUTCOMES[how])


def test_devices_that_hang_end_the_process_with_a_line():
    done = exchange("hangs")
    assert done.returncode == 1
    assert f"Error: 2 devices cannot exchange data: found no answer after {SECONDS:g} s" in done.stderr


def test_what_is_quick_enough_goes_on():
    with time_limit(0.2, "never shown"):
        pass
    time.sleep(0.3)
