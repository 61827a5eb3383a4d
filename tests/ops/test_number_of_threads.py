"""The number of threads changes no bit of what a compiled op gives."""

import json
import pathlib
import subprocess
import sys

import pytest

from sg_keras.ops import library
from tests.ops.print_digests import OPS

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def digests() -> list[dict[str, str]]:
    """The digests of 1, 2, 5 and 7 threads, by op."""
    command = [sys.executable, "-m", "tests.ops.print_digests"]
    return [
        json.loads(subprocess.run([*command, str(threads)], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
        for threads in (1, 2, 5, 7)
    ]


@pytest.mark.skipif(bool(library.custom_ops_problem()), reason="no compiled ops")
@pytest.mark.parametrize("op", OPS)
def test_the_number_of_threads_changes_no_bit(op, digests):
    found = {by_op[op] for by_op in digests}
    assert len(found) == 1 and len(found.pop()) == 64
