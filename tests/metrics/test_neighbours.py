"""Nearest neighbours and the scores made of them, against all distances at once."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from sg_keras.metrics import authenticity, density_coverage, interval_of_mean, k_nearest, neighbours, precision_recall


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several blocks, the last one shorter."""
    monkeypatch.setattr(neighbours, "BLOCK", 7 * 40)
    monkeypatch.setattr(neighbours, "LEAST_ROWS", 1)


@pytest.fixture
def real():
    return np.random.default_rng(0).standard_normal([40, 3]).astype(np.float32) + 5


@pytest.fixture
def fake():
    return np.random.default_rng(1).standard_normal([25, 3]).astype(np.float32) * np.float32(0.7) + 5


def test_nearest_of_others(real, fake):
    distances, indices = k_nearest(fake, real, 4)
    every = cdist(fake, real)
    np.testing.assert_array_equal(indices, np.argsort(every, axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(every, axis=1)[:, :4], rtol=1e-4)


def test_a_row_is_no_neighbour_of_itself_but_its_copy_is(real):
    doubled = np.concatenate([real, real[:3]])
    distances, indices = k_nearest(doubled, doubled, 1, same=True)
    assert distances[:3, 0].tolist() == [0, 0, 0] and indices[:3, 0].tolist() == [40, 41, 42]


def test_as_many_neighbours_as_there_are(real):
    assert k_nearest(real[:2], real[:3], 3)[1].shape == (2, 3)
    with pytest.raises(ValueError, match="found 3 rows, expected 4 at least"):
        k_nearest(real[:3], real[:3], 3, same=True)


def test_precision_and_recall(real, fake):
    found = precision_recall(real, fake, k=3)
    radii = [np.sort(cdist(rows, rows), axis=1)[:, 3] for rows in (real, fake)]
    np.testing.assert_array_equal(found.precision, (cdist(fake, real) <= radii[0]).any(axis=1))
    np.testing.assert_array_equal(found.recall, (cdist(real, fake) <= radii[1]).any(axis=1))
    assert 0 < found.recall.mean() < 1


def test_density_and_coverage(real, fake):
    found = density_coverage(real, fake, k=5)
    radii = np.sort(cdist(real, real), axis=1)[:, 5]
    inside = cdist(fake, real) <= radii
    np.testing.assert_array_equal(found.density, inside.sum(axis=1) / 5)
    np.testing.assert_array_equal(found.coverage, inside.any(axis=0))


def test_copies_of_reals_are_precise_dense_and_not_authentic(real):
    copies = real[::2]
    assert precision_recall(real, copies).precision.all()
    assert authenticity(real, copies).percent == 0
    assert authenticity(real, copies).nearest[:, 0].tolist() == list(range(0, 40, 2))


def test_what_lies_elsewhere_is_authentic_and_covers_nothing(real):
    elsewhere = real + 1000
    assert authenticity(real, elsewhere).percent == 100
    assert not density_coverage(real, elsewhere).coverage.any()


def test_identical_reals_have_balls_of_no_size(real):
    same = np.repeat(real[:1], 6, axis=0)
    found = precision_recall(same, np.concatenate([same[:4], same[:1] + 1]))
    assert found.precision.tolist() == [True] * 4 + [False]


def test_the_interval_of_a_share():
    low, high = interval_of_mean(np.array([True] * 50 + [False] * 50))
    assert (low + high) / 2 == pytest.approx(0.5) and high - low == pytest.approx(2 * 1.96 * 0.05)


def test_features_that_do_not_fit_are_refused(real):
    with pytest.raises(ValueError, match="fake features: found 2 columns, expected those of the reals, 3"):
        precision_recall(real, real[:, :2])
    with pytest.raises(ValueError, match="real features: found NaN or Inf"):
        density_coverage(np.where(real > 6, np.nan, real), real)
