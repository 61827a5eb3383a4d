"""The clock of a run."""

import pytest

from sg_keras.config.cadence import Every
from sg_keras.training.callbacks.ticks import TickClock


def boundaries(clock, iterations):
    ends = [clock.batch * (number + 1) for number in range(iterations)]
    return [(nimg, clock.tick(nimg)) for nimg in ends if clock.is_boundary(nimg)]


def test_first_boundary_follows_the_first_iteration_and_then_every_tick():
    assert boundaries(TickClock(32, 0.1), 12) == [(32, 0), (160, 1), (256, 2), (352, 3)]


@pytest.mark.parametrize("batch, tick_kimg", [(8, 0.032), (32, 4), (48, 0.1), (7, 0.0123)])
def test_boundaries_are_where_the_definition_says(batch, tick_kimg):
    reached = boundaries(TickClock(batch, tick_kimg), 2000)
    assert [number for _, number in reached] == list(range(len(reached)))
    for nimg, number in reached:
        threshold = batch + number * round(tick_kimg * 1000)
        assert nimg - batch < threshold <= nimg or number == 0


def test_within_a_tick_the_next_boundary_counts():
    clock = TickClock(10, 0.1)
    assert [clock.tick(nimg) for nimg in (0, 10, 20, 110, 120)] == [0, 0, 1, 1, 2]


def test_ticks_shorter_than_an_iteration_are_passed_together():
    clock = TickClock(100, 0.03)
    assert boundaries(clock, 3) == [(100, 0), (200, 3), (300, 6)]
    assert [clock.is_due(nimg, Every(5)) for nimg in (100, 200, 300, 400, 500)] == [False, False, True, True, False]


def test_due_at_multiples_above_0():
    clock = TickClock(10, 0.01)
    assert [nimg for nimg in range(10, 101, 10) if clock.is_due(nimg, Every(3))] == [40, 70, 100]
    assert not any(clock.is_due(nimg, Every(None)) for nimg in range(10, 101, 10))
