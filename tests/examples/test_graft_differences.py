"""The table of what grafts change."""

import pytest

from examples.graft_differences import CASES, largest_difference


@pytest.mark.long
def test_what_is_the_same_is_the_same_and_the_rest_is_not():
    for case in CASES[4], CASES[-1]:  # without the constant, and a narrower discriminator
        assert (largest_difference(case, "float32") < 1e-4) == (case is CASES[4])
