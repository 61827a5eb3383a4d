"""MIND: against sorting by hand, unequal numbers, and what distance it is."""

import numpy as np
import pytest

from sg_keras.metrics import mind


def test_equal_numbers_are_sorted_and_compared():
    random = np.random.default_rng(1)
    real, fake = random.standard_normal([40, 5]), random.standard_normal([40, 5]) + 1
    axes = np.random.default_rng(0).standard_normal([5, 1000])
    total = 0.0
    for axis in axes.T:
        axis = axis / np.linalg.norm(axis)
        total += np.mean((np.sort(real @ axis) - np.sort(fake @ axis)) ** 2)
    assert mind(real, fake) == pytest.approx(15 * total / 1000, rel=1e-9)


def test_repeated_rows_change_nothing():
    random = np.random.default_rng(1)
    real, fake = random.standard_normal([30, 4]), random.standard_normal([20, 4])
    assert mind(real, np.tile(fake, [3, 1])) == pytest.approx(mind(real, fake), rel=1e-9)


def test_a_shift_counts_by_its_square():
    rows = np.random.default_rng(0).standard_normal([50, 3])
    # A shift s moves the projection by s.u, of which the mean square over directions is |s|^2 / d.
    assert mind(rows, rows + np.array([0, 2, 0]), directions=20_000) == pytest.approx(3 * 4, rel=0.05)
