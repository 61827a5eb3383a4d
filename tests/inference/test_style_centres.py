"""Truncation to the nearest of several centres."""

import numpy as np
import pytest

from sg_keras.inference import sampled_styles, truncate_to_centres, truncation_centres
from sg_keras.models.mapping import truncate
from tests.tiny_generator import tiny_generator


def test_one_centre_is_truncation_to_the_mean():
    G = tiny_generator()
    centres = truncation_centres(G, 1)
    mean = sampled_styles(G).mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(centres, mean[np.newaxis], atol=1e-6)
    ws = np.random.RandomState(0).randn(5, G.num_ws, G.w_dim).astype(np.float32)
    expected = truncate(ws, mean.astype(np.float32), 0.7, 4)
    np.testing.assert_allclose(truncate_to_centres(ws, centres, 0.7, 4), expected, atol=1e-6)


def test_centres_of_classes_far_apart_are_their_means(monkeypatch):
    random = np.random.RandomState(0)
    means = np.array([[0.0, 0, 0], [20, 0, 0], [0, 20, 0]])
    w = means[np.arange(3000) % 3] + random.randn(3000, 3)
    monkeypatch.setattr("sg_keras.inference.style_centres.sampled_styles", lambda *args, **how: w)
    centres = truncation_centres(None, 3, seed=1)
    order = np.argsort(centres @ [1, 2, 0])  # that of the classes
    np.testing.assert_allclose(centres[order], [w[i::3].mean(axis=0) for i in range(3)], atol=1e-5)
    np.testing.assert_array_equal(centres, truncation_centres(None, 3, seed=1))
    ws = np.repeat(w[:6, np.newaxis], 2, axis=1)
    np.testing.assert_allclose(truncate_to_centres(ws, centres, 0.0)[:3, 0], centres[order], atol=1e-6)
    kept = truncate_to_centres(ws, centres, 0.5, 1)
    np.testing.assert_array_equal(kept[:, 1], ws[:, 1])
    np.testing.assert_array_equal(truncate_to_centres(ws, centres, 1.0), ws)


def test_what_cannot_be(monkeypatch):
    with pytest.raises(ValueError, match=r"centres: found \[2, 4\], expected \[K, 3\]"):
        truncate_to_centres(np.zeros([1, 2, 3]), np.zeros([2, 4]), 0.5)
    monkeypatch.setattr("sg_keras.inference.style_centres.sampled_styles", lambda *a, **how: np.zeros([100, 2]))
    with pytest.raises(ValueError, match="centres: found 3, expected 1 at most"):
        truncation_centres(None, 3)
    with pytest.raises(ValueError, match="centres: found 1001, expected 1 to 1000"):
        truncation_centres(None, 1001)
