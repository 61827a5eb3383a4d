"""The controller of p."""

import pytest

from sg_keras.augment import next_p


def test_p_moves_towards_the_target_by_fixed_steps():
    settings = dict(target=0.6, batch=32, interval=4, ada_kimg=500)
    step = 32 * 4 / 500_000
    assert next_p(0.5, 0.7, **settings) == pytest.approx(0.5 + step)
    assert next_p(0.5, 0.1, **settings) == pytest.approx(0.5 - step)
    assert next_p(0.5, 0.6, **settings) == 0.5
    assert next_p(0.5, float("nan"), **settings) == 0.5


def test_a_trajectory_takes_ada_kimg_from_0_to_1_and_stays_in_between():
    p, reached = 0.0, None
    for adjustment in range(400):
        p = next_p(p, 0.9, 0.6, batch=50, interval=4, ada_kimg=64)
        assert 0 <= p <= 1
        if p == 1 and reached is None:
            reached = (adjustment + 1) * 50 * 4
    assert reached == pytest.approx(64_000, abs=200)
    for _ in range(400):
        p = next_p(p, -1.0, 0.6, batch=50, interval=4, ada_kimg=64)
    assert p == 0


def test_a_speed_of_nothing_is_refused():
    with pytest.raises(ValueError, match="ada_kimg: found 0"):
        next_p(0.5, 0.7, 0.6, 32, 4, 0)
