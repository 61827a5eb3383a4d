"""Random numbers are functions of key, phase, purpose and sample; the moving average's ramp-up."""

from __future__ import annotations

import itertools

import numpy as np
import tensorflow as tf

from sg_keras.config.schedules import ema_beta
from sg_keras.training.step.random_streams import PhaseRandom


def _draws(key: int = 0, mixing: float = 0.9) -> PhaseRandom:
    return PhaseRandom(tf.constant(key, tf.int64), z_dim=8, style_mixing_prob=mixing)


def test_same_place_same_numbers():
    np.testing.assert_array_equal(_draws().latents(1, 64, 4), _draws().latents(1, 64, 4))


def test_different_places_different_numbers():
    latents = [
        _draws(key).latents(phase, first, 2).numpy() for key, phase, first in itertools.product((0, 1), (0, 1), (0, 32))
    ]
    latents += [_draws().mixing_latents(0, 0, 2).numpy(), _draws().path_noise(0, 0, [2, 8]).numpy()]
    assert len({x.tobytes() for x in latents}) == len(latents)


def test_mixing_cutoffs_cover_all_layers():
    cutoffs = [int(_draws().mixing_cutoff(0, i, 6)) for i in range(400)]
    assert set(cutoffs) == {1, 2, 3, 4, 5, 6}
    assert 0.05 < np.mean(np.array(cutoffs) == 6) < 0.15  # no mixing in one of ten
    assert {int(_draws(mixing=0.0).mixing_cutoff(0, i, 6)) for i in range(20)} == {6}


def test_ema_ramps_up():
    assert ema_beta(0, 32, 10, 0.05) == 0.0
    assert ema_beta(1000, 32, 10, 0.05) == 0.5 ** (32 / 50)
    assert ema_beta(10**9, 32, 10, 0.05) == 0.5 ** (32 / 10000)
    assert ema_beta(0, 32, 10, None) == 0.5 ** (32 / 10000)
