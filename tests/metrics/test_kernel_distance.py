"""The kernel distance, against loops over pairs, and its spread."""

import numpy as np
import pytest

from sg_keras.metrics import kernel_distance, subset_kernel_distances
from sg_keras.metrics.kernel_distance import KernelSums, first_order_error


def draw(count: int, seed: int, dimension: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal([count, dimension]).astype(np.float32)


def plain_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """From the definition, pair by pair."""

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return (float(np.dot(x.astype(np.float64), y.astype(np.float64))) / len(x) + 1) ** 3

    def within(rows: np.ndarray) -> float:
        pairs = [k(x, y) for i, x in enumerate(rows) for j, y in enumerate(rows) if i != j]
        return sum(pairs) / len(pairs)

    between = [k(x, y) for x in real for y in fake]
    return within(real) + within(fake) - 2 * sum(between) / len(between)


def test_all_pairs_of_unequal_numbers():
    real, fake = draw(30, 0), draw(21, 1) + np.float32(0.3)
    assert kernel_distance(real, fake) == pytest.approx(plain_distance(real, fake), rel=1e-9)


def test_subsets_of_everything_are_everything():
    real, fake = draw(30, 0), draw(30, 1)
    found = subset_kernel_distances(real, fake, subsets=3, random=np.random.default_rng(0))
    np.testing.assert_allclose(found, kernel_distance(real, fake), rtol=1e-9)


def test_indices_of_fakes_are_drawn_before_those_of_reals():
    asked = []

    class Recorded:
        def choice(self, a: int, size: int, replace: bool) -> np.ndarray:
            asked.append((a, size, replace))
            return np.arange(size)

    subset_kernel_distances(draw(30, 0), draw(21, 1), subsets=2, size=10, random=Recorded())
    assert asked == [(21, 10, False), (30, 10, False)] * 2


def test_a_row_that_counts_twice_is_no_pair_of_itself():
    real, fake = draw(8, 0), draw(8, 1)
    weights = np.array([2.0, 0, 1, 1, 1, 1, 1, 1])
    pairs = np.outer(weights, weights) * (1 - np.eye(8))
    kernels = (fake.astype(np.float64) @ fake.T / 6 + 1) ** 3
    to_real = ((fake.astype(np.float64) @ real.T / 6 + 1) ** 3).mean(axis=1)
    expected = (pairs * kernels).sum() / pairs.sum() - 2 * (weights * to_real).sum() / 8
    sums = KernelSums(real, fake)
    changed = sums.distance(weights) - sums.distance()
    plain = (kernels.sum() - np.trace(kernels)) / 56 - 2 * to_real.mean()
    assert changed == pytest.approx(expected - plain, rel=1e-6)


def test_the_bootstrap_finds_the_spread_of_repeated_draws():
    real = draw(300, 1000)
    repeated = [kernel_distance(real, draw(60, seed)) for seed in range(200)]
    found = np.mean([KernelSums(real, draw(60, seed)).standard_error() for seed in range(10)])
    assert 0.6 < found / np.std(repeated) < 1.6


@pytest.mark.parametrize("shift", [0.3, 1.0])
def test_the_error_of_many_fakes_is_the_spread_of_repeated_draws(shift):
    real = draw(400, 1000)
    repeated = [kernel_distance(real, draw(150, seed) + np.float32(shift)) for seed in range(100)]
    found = np.mean([first_order_error(real, draw(150, seed) + np.float32(shift)) for seed in range(5)])
    assert 0.7 < found / np.std(repeated) < 1.4


def test_one_row_is_too_few():
    with pytest.raises(ValueError, match="real features: found 1 rows, expected 2 at least"):
        kernel_distance(draw(1, 0), draw(5, 1))
