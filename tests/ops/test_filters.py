"""Filter preparation and recognition of separable filters."""

import numpy as np
import pytest

from sg_keras.ops import setup_filter
from sg_keras.ops.filters import as_taps, padding_of_sides, pair, separate


def test_short_vectors_become_matrices_and_long_ones_stay():
    np.testing.assert_array_equal(setup_filter([1, 3, 3, 1]), np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / np.float32(64))
    assert setup_filter(np.ones(7)).shape == (7, 7)
    assert setup_filter(np.ones(8)).shape == (8,)
    assert setup_filter([1, 2, 1], separable=True).shape == (3,)
    assert setup_filter(np.ones(9), separable=False).shape == (9, 9)


def test_none_and_numbers_are_one_tap():
    np.testing.assert_array_equal(setup_filter(None), [[1]])
    np.testing.assert_array_equal(setup_filter(5.0), [[1]])
    np.testing.assert_array_equal(setup_filter(5.0, normalize=False), [[25]])  # its outer product, as for any vector


def test_gain_and_flip():
    taps = np.arange(1, 10, dtype=np.float32)
    np.testing.assert_allclose(setup_filter(taps, normalize=False, flip_filter=True, gain=4), taps[::-1] * 2)
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    flipped = setup_filter(matrix, normalize=False, flip_filter=True, gain=4)
    np.testing.assert_allclose(flipped, matrix[::-1, ::-1] * 4)
    assert flipped.dtype == np.float32


@pytest.mark.parametrize("f", [np.ones([2, 2, 2]), [], [1, np.nan], [1, -1]], ids=["3-D", "empty", "nan", "sum 0"])
def test_bad_taps(f):
    with pytest.raises(ValueError, match="f: found"):
        setup_filter(f)


@pytest.mark.parametrize("f", [1e300, [1.9e19, 1], np.full([2, 2], 3e38), np.full(9, 1e38)])
def test_taps_beyond_single_precision(f):
    with pytest.raises(ValueError, match=r"f: found .* expected"):
        setup_filter(f)
    with pytest.raises(ValueError, match=r"f: found .* expected"):
        as_taps(np.atleast_1d(f), gain=1e40)


def test_bad_options():
    with pytest.raises(ValueError, match=r"matrix of shape \(2, 2\) with separable=True"):
        setup_filter(np.ones([2, 2]), separable=True)
    with pytest.raises(ValueError, match="gain: found -1"):
        setup_filter(np.ones(9), gain=-1)


def test_outer_products_are_recognised():
    rows, columns = separate(as_taps(setup_filter([1, 3, 3, 1])), tolerance=1e-15)
    np.testing.assert_allclose(np.outer(rows, columns), np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64, rtol=1e-15)
    matrix = np.random.default_rng(0).normal(size=[3, 5])
    assert len(separate(matrix, tolerance=1e-15)) == 1
    assert len(separate(np.zeros([3, 3]), tolerance=1e-15)) == 1
    rounded = np.outer([0.1, 0.7, 0.3], [0.2, 0.9]).astype(np.float32).astype(np.float64)
    assert len(separate(rounded, tolerance=1e-15)) == 1  # a product no longer in double precision
    assert len(separate(rounded, tolerance=1e-6)) == 2


def test_arguments_for_one_or_both_axes():
    assert pair(2, "up", 1) == (2, 2)
    assert pair((1, 3), "up", 1) == (1, 3)
    assert padding_of_sides(2) == (2, 2, 2, 2)
    assert padding_of_sides((1, -2)) == (1, 1, -2, -2)
    assert padding_of_sides((1, 2, 3, 4)) == (1, 2, 3, 4)
    for bad in (0, 1.5, (1, 2, 3), "2"):
        with pytest.raises(ValueError, match="up: found"):
            pair(bad, "up", 1)
    for bad in (1.5, (1, 2, 3), None):
        with pytest.raises(ValueError, match="padding: found"):
            padding_of_sides(bad)
