"""Maps, outliers, and what mirroring does."""

from __future__ import annotations

import numpy as np
import pytest

from sg_keras.curation.feature_space import far_ones, map_of, mirror_ratio, outlier_scores, principal_components


def test_principal_components_keep_distances_and_have_fixed_signs():
    vectors = np.random.default_rng(0).normal(size=[30, 8]).astype(np.float32)
    found = principal_components(vectors)
    assert found.shape == (30, 8)
    expected = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(found[:, None] - found[None], axis=2), expected, atol=1e-4)
    np.testing.assert_allclose(principal_components(vectors[::-1].copy())[::-1], found, atol=1e-6)
    assert (np.diff(found.var(axis=0)) <= 1e-9).all()


@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_maps_of_any_number_of_images(count: int):
    components = principal_components(np.random.default_rng(1).normal(size=[count, 6]))
    for method in ("auto", "pca"):
        found = map_of(components, method)
        assert found.places.shape == (count, 2) and found.places.min() >= 0 and found.places.max() <= 1


def test_outliers():
    vectors = np.random.default_rng(2).normal(size=[100, 4])
    vectors[17] += 12
    scores = outlier_scores(vectors)
    assert np.median(scores) == pytest.approx(1) and scores.argmax() == 17
    assert far_ones(scores)[0] == 17 and len(far_ones(scores)) < 10


def test_mirror_ratio_knows_whether_copies_pass():
    random = np.random.default_rng(3)
    one_sided = random.normal(size=[200, 2]) * [0.1, 1] + [3, 0]  # mirroring changes the sign of the first
    both_sides = one_sided * random.choice([-1, 1], size=[200, 1])
    chosen = np.arange(0, 200, 2)
    assert mirror_ratio(one_sided, one_sided[chosen] * [-1, 1], chosen, None)[0] > 10
    assert mirror_ratio(both_sides, both_sides[chosen] * [-1, 1], chosen, None)[0] < 2
    # Within classes the copies are alone again.
    classes = (both_sides[:, 0] > 0).astype(int).tolist()
    assert mirror_ratio(both_sides, both_sides[chosen] * [-1, 1], chosen, classes)[0] > 10
