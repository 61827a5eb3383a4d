"""The Frechet distance, against a plain implementation of its definition and where covariances are singular."""

import numpy as np
import pytest

from sg_keras.metrics import FeatureMoments, frechet_distance
from sg_keras.metrics.frechet import standard_error


def features(count: int, dimension: int, seed: int, shift: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    mix = np.random.default_rng(99).standard_normal([dimension, dimension])
    return (random.standard_normal([count, dimension]) @ mix + shift).astype(np.float32)


def plain_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """From the definition, divisor N: the root by the eigenvalues of the product that is not symmetric."""
    real, fake = real.astype(np.float64), fake.astype(np.float64)
    (m, s), (n, t) = ((rows.mean(0), np.cov(rows.T, bias=True)) for rows in (real, fake))
    roots = np.sqrt(np.maximum(np.linalg.eigvals(t @ s).real, 0)).sum()
    return float(((m - n) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * roots)


@pytest.mark.parametrize("counts", [(300, 200), (40, 300), (20, 20)], ids=["regular", "one singular", "both singular"])
def test_both_ways_to_the_root_give_what_the_definition_does(counts):
    real, fake = features(counts[0], 32, 0), features(counts[1], 32, 1, shift=0.2)
    moments = FeatureMoments.of(real), FeatureMoments.of(fake)
    expected = plain_distance(real, fake)
    assert frechet_distance(*moments) == pytest.approx(expected, rel=1e-6)
    # SciPy's root of a singular matrix is as exact as the root of what rounding leaves of 0.
    assert frechet_distance(*moments, method="sqrtm") == pytest.approx(expected, rel=1e-3)


def test_too_few_rows_are_said():
    assert FeatureMoments.of(features(32, 32, 0)).is_singular
    assert not FeatureMoments.of(features(33, 32, 0)).is_singular


def test_batches_add_up():
    rows = features(100, 8, 0)
    moments = FeatureMoments(8)
    for part in np.array_split(rows, 7):
        moments.add(part)
    np.testing.assert_allclose(moments.covariance, np.cov(rows.T.astype(np.float64), bias=True), rtol=1e-9)


def test_equal_features_are_at_distance_0():
    rows = features(100, 16, 0)
    assert frechet_distance(FeatureMoments.of(rows), FeatureMoments.of(rows)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("count", [20, 200], ids=["fewer rows than columns", "more"])
def test_the_bootstrap_draws_fakes_and_keeps_reals(count):
    real, fake = FeatureMoments.of(features(300, 32, 0)), features(count, 32, 1)
    random = np.random.default_rng(3)
    found = [frechet_distance(real, FeatureMoments.of(fake[random.integers(count, size=count)])) for _ in range(5)]
    assert standard_error(real, fake, repeats=5, seed=3) == pytest.approx(np.std(found, ddof=1), rel=1e-6)


def test_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="found NaN or Inf"):
        FeatureMoments(2).add(np.array([[np.nan, 1]]))
    with pytest.raises(ValueError, match=r"found the shape \[1, 3\], expected \[N,2\]"):
        FeatureMoments(2).add(np.ones([1, 3]))
    with pytest.raises(ValueError, match="found no rows"):
        frechet_distance(FeatureMoments(2), FeatureMoments(2))
