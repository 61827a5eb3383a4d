"""The one predicate of what happens every so often."""

import doctest

import pytest

from sg_keras.config import cadence
from sg_keras.config.cadence import Every


@pytest.mark.parametrize("interval, due", [(1, [0, 1, 2, 3, 4, 5, 6, 7, 8]), (3, [0, 3, 6]), (16, [0]), (None, [])])
def test_at_multiples_of_a_counter(interval, due):
    assert [count for count in range(9) if Every(interval).is_at(count)] == due


def test_reached_where_a_multiple_lies_between():
    every = Every(5)
    assert [now for now in range(1, 21) if every.is_reached(now - 1, now)] == [5, 10, 15, 20]
    assert not every.is_reached(5, 5) and not every.is_reached(5, 9)  # once, and not again before the next one
    assert every.is_reached(4, 5) and every.is_reached(9, 26)  # also where several are passed together
    assert not Every(None).is_reached(0, 10**9)


def test_every_multiple_is_reached_once_however_large_the_steps():
    for step in (1, 2, 3, 7):
        reached = sum(Every(3).is_reached(now - step, now) for now in range(step, 200 * step, step))
        assert reached == (199 * step // 3 if step <= 3 else 199)


def test_passed_since_the_last_time():
    assert [now for now in (9.9, 10.0, 25.0) if Every(10).has_passed(0.0, now)] == [10.0, 25.0]
    assert not Every(None).has_passed(0.0, float("inf"))


@pytest.mark.parametrize("interval", [0, -1, float("nan")])
def test_an_interval_is_above_0(interval):
    with pytest.raises(ValueError, match=r"interval: found .*, expected a number above 0, or None for never"):
        Every(interval)


def test_the_example_is_true():
    assert doctest.testmod(cadence).failed == 0
