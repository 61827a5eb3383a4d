"""Thread pools and binding to cores."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sg_keras.training.distribution.threads import configure_threads

REPORT = """
import os, tensorflow as tf
from sg_keras.training.distribution.threads import configure_threads
cores = configure_threads(1)
tf.ones([8]) + 1
threads = tf.config.threading
print(cores, len(os.sched_getaffinity(0)), threads.get_intra_op_parallelism_threads(),
      threads.get_inter_op_parallelism_threads())
"""


@pytest.mark.parametrize("num_threads", [0, -1, 1_000_000])
def test_impossible_numbers_are_refused(num_threads: int) -> None:
    with pytest.raises(ValueError, match=f"threads: found {num_threads}, expected 1 to"):
        configure_threads(num_threads)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux only")
def test_a_process_is_bound_to_so_many_cores() -> None:
    result = subprocess.run([sys.executable, "-c", REPORT], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["1", "1", "1", "2"]
