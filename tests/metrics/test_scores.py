"""Scores by name, on features: which images each takes, and its interval."""

import numpy as np
import pytest

from sg_keras.config.metric_specs import OFFLINE_FAMILIES, parse_offline_metric
from sg_keras.metrics import FeatureMoments, frechet_distance, kernel_distance
from sg_keras.metrics import scores as scores_module
from sg_keras.metrics.scores import Seen, measure


def draw(count: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal([count, 8]) + shift).astype(np.float32)


@pytest.fixture
def seen():
    return Seen(draw(120, 0), draw(150, 1, 0.5), lambda rows: np.tile([[0.5, 0.5]], [len(rows), 1]))


@pytest.mark.parametrize("family", OFFLINE_FAMILIES)
def test_every_family_has_a_value_within_its_interval(seen, family):
    found = measure(parse_offline_metric(f"{family}100"), seen)
    assert found.low <= found.value <= found.high and np.isfinite([found.low, found.high]).all()


def test_the_first_fakes_are_taken_and_all_reals(seen):
    first = seen.fake[:100]
    expected = frechet_distance(FeatureMoments.of(seen.real), FeatureMoments.of(first))
    assert measure(parse_offline_metric("fd100"), seen).value == pytest.approx(expected)
    assert measure(parse_offline_metric("kd100"), seen).value == pytest.approx(kernel_distance(seen.real, first))


def test_many_fakes_are_compared_in_subsets(seen, monkeypatch):
    monkeypatch.setattr(scores_module, "MOST_IN_FULL", 60)
    whole = kernel_distance(seen.real, seen.fake[:100])
    found = measure(parse_offline_metric("kd100"), seen)
    assert found.value != whole and found.low < whole < found.high


def test_too_few_fakes(seen):
    with pytest.raises(ValueError, match="fd1k: found 150 images, expected 1000 at least"):
        measure(parse_offline_metric("fd1k"), seen)
    with pytest.raises(ValueError, match="is3: probabilities: found 3 rows, expected 10 at least"):
        measure(parse_offline_metric("is3"), seen)
    with pytest.raises(ValueError, match="kd1: fake features: found 1 rows, expected 2 at least"):
        measure(parse_offline_metric("kd1"), seen)


def test_two_fakes_have_a_kernel_distance_with_an_interval(seen):
    found = measure(parse_offline_metric("kd2"), seen)
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("family, most", [("precision", 1), ("recall", 1), ("coverage", 1), ("authpct", 100)])
def test_intervals_of_shares_stay_within_what_a_share_can_be(family, most):
    rng = np.random.default_rng(3)
    real = rng.standard_normal([40, 2]).astype(np.float32)
    for fake in (real[:30] + 0.01, real[:30] + 100, np.concatenate([real[:28] + 0.01, real[:2] + 100])):
        found = measure(parse_offline_metric(f"{family}30"), Seen(real, fake, None))
        assert 0 <= found.low <= found.value <= found.high <= most
