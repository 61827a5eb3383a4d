"""Everything that depends on the real images seen: values at chosen points, and at points beyond them."""

import pytest

from sg_keras.config import AugmentConfig, LossConfig, OptimizerConfig
from sg_keras.config.schedules import Piecewise, Schedules, blur_sigma, ema_beta


def test_steps_hold_until_the_next_point():
    rate = Piecewise(((0, 2e-3), (10_000, 2e-4)))
    assert [rate.at(nimg) for nimg in (0, 9_999, 10_000, 10**9)] == [2e-3, 2e-3, 2e-4, 2e-4]
    assert Piecewise(((100, 5.0),)).at(0) == 5.0


def test_lines_go_from_point_to_point():
    gamma = Piecewise(((1000, 0.0), (3000, 10.0)), linear=True)
    assert [gamma.at(nimg) for nimg in (0, 1000, 1500, 3000, 4000)] == [0.0, 0.0, 2.5, 10.0, 10.0]


@pytest.mark.parametrize("points", [(), ((0, 1.0), (0, 2.0)), ((5, 1.0), (1, 2.0))])
def test_points_are_in_order(points):
    with pytest.raises(ValueError, match="schedule: found points at"):
        Piecewise(points)


def test_blur_fades():
    assert blur_sigma(0, 10, 200) == 10
    assert blur_sigma(100_000, 10, 200) == 5
    assert blur_sigma(199_000, 10, 200) is None  # 0.05 pixels: a single tap
    assert blur_sigma(300_000, 10, 200) is None
    assert blur_sigma(0, 0, 200) is None
    assert blur_sigma(0, 10, 0) is None


def test_one_tuple_holds_all_of_a_run():
    schedules = Schedules.of(
        LossConfig(r1_gamma=10.0, blur_init_sigma=10, blur_fade_kimg=200),
        OptimizerConfig(g_lr=2e-3, d_lr=1e-3),
        AugmentConfig(ada_kimg=100),
        batch=32,
        ema_kimg=10.0,
        ema_rampup=0.05,
        freeze="g:mapping until 1 kimg; d:first2",
    )
    early, late = schedules.at(0), schedules.at(100_000)
    assert (early.g_lr, early.d_lr, early.r1_gamma, early.ada_kimg) == (2e-3, 1e-3, 10.0, 100)
    assert (early.blur_sigma, late.blur_sigma) == (10, 5)
    assert (early.ema_beta, late.ema_beta) == (0.0, ema_beta(100_000, 32, 10.0, 0.05))
    assert [str(rule) for rule in early.frozen] == ["g:mapping until 1kimg", "d:first2"]
    assert [str(rule) for rule in late.frozen] == ["d:first2"]
