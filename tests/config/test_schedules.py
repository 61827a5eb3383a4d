"""Everything that depends on the real images seen: values at chosen points, and at points beyond them."""

from sg_keras.config import AugmentConfig, LossConfig, OptimizerConfig
from sg_keras.config.schedules import Schedules, blur_sigma, ema_beta


def test_blur_fades():
    assert blur_sigma(0, 10, 200) == 10
    assert blur_sigma(100_000, 10, 200) == 5
    assert blur_sigma(199_000, 10, 200) is None  # 0.05 pixels: a single tap
    assert blur_sigma(300_000, 10, 200) is None
    assert blur_sigma(0, 0, 200) is None
    assert blur_sigma(0, 10, 0) is None


def test_one_tuple_holds_all_of_a_run():
    schedules = Schedules.of_parts(
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
    assert early.num_fp16_res is None  # as the networks were made
    assert (early.pl_weight, early.beta2, early.ada_target) == (2.0, 0.99, 0.6)
    assert [str(rule) for rule in late.frozen] == ["d:first2"]


def test_everything_may_change_over_a_run():
    schedules = Schedules.of_parts(
        LossConfig(r1_gamma="10; 5 from 1", pl_weight="2; 0 from 1", blur="linear 4..0 over 2"),
        OptimizerConfig(g_lr="cosine 2e-3..1e-3 over 1", d_lr="1e-3; 2e-3 from 1", beta2="linear 0.9..0.99 over 2"),
        AugmentConfig(mode="fixed", p="linear 0..0.5 over 2", target="0.6; 0.5 from 1", ada_kimg="100; 500 from 1"),
        batch=32,
        ema_kimg="linear 0.5..500 over 2",
        ema_rampup=None,
        num_fp16_res="0; 4 from 1.5",
    )
    start, half, end = (schedules.at(nimg) for nimg in (0, 1000, 2000))
    assert (start.r1_gamma, half.r1_gamma, start.pl_weight, half.pl_weight) == (10, 5, 2, 0)
    assert (start.g_lr, half.g_lr, end.g_lr, half.d_lr) == (2e-3, 1e-3, 1e-3, 2e-3)
    assert (start.beta2, end.beta2, half.augment_p, half.ada_target, half.ada_kimg) == (0.9, 0.99, 0.25, 0.5, 500)
    assert (start.blur_sigma, half.blur_sigma, end.blur_sigma) == (4, 2, None)
    assert [type(values.num_fp16_res) for values in (start, half, end)] == [int] * 3
    assert (start.num_fp16_res, half.num_fp16_res, end.num_fp16_res) == (0, 0, 4)
    assert end.ema_beta == ema_beta(2000, 32, 500, None)
