"""The benchmark of conversions runs and tells what it says."""

from benchmarks.dataset_conversion import measure


def test_a_small_round():
    found = measure(6, [1, 2], 1)
    assert found["equal_bytes"] and found["images"] == 6
    assert set(found["per_sec"]) == {1, 2} and found["ratio"] > 0
    assert found["draft_largest_change"] > 0  # why it is off by default
