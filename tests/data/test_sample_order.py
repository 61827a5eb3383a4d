"""The order of samples and the labels of generated images are pure functions of (seed, sample)."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sg_keras.data import IndexSampler, generated_label_indices


def test_every_epoch_is_a_permutation_and_differs_from_the_last() -> None:
    sampler = IndexSampler(17, seed=3)
    epochs = sampler.indices(0, 5 * 17).reshape(5, 17)
    assert np.array_equal(np.sort(epochs, axis=1), np.tile(np.arange(17), (5, 1)))
    assert len(np.unique(epochs, axis=0)) == 5


def test_any_start_gives_the_same_samples() -> None:
    whole = IndexSampler(7, seed=1).indices(0, 100)
    for start in (0, 1, 6, 7, 50, 93):
        assert np.array_equal(IndexSampler(7, seed=1).indices(start, 7), whole[start : start + 7])


def test_going_back_gives_the_same_samples() -> None:
    sampler = IndexSampler(5, seed=1)
    first = sampler.indices(0, 5)
    sampler.indices(1000, 5)
    assert np.array_equal(sampler.indices(0, 5), first)


def test_seeds_differ_and_may_be_any_integer() -> None:
    orders = [IndexSampler(50, seed).indices(0, 50).tolist() for seed in (0, 1, -1, 2**31, 2**70 + 5)]
    assert len({tuple(order) for order in orders}) == 5


def test_order_is_pinned() -> None:
    # A run of an older version must continue in the same order.
    assert IndexSampler(8, seed=0).indices(0, 16).tolist() == [5, 3, 7, 2, 4, 1, 0, 6, 3, 5, 2, 7, 4, 6, 1, 0]
    assert generated_label_indices(0, 32, batch=3, num_phases=2, num_items=10).tolist() == [[3, 5], [1, 0], [0, 4]]


def test_threads_see_the_same_order() -> None:
    sampler = IndexSampler(1000, seed=0)
    starts = list(range(0, 20000, 300))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda start: sampler.indices(start, 300), starts))
    fresh = IndexSampler(1000, seed=0)
    assert all(np.array_equal(a, fresh.indices(start, 300)) for a, start in zip(found, starts, strict=True))


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="num_items: found 0, expected 1 or more"):
        IndexSampler(0, seed=0)
    with pytest.raises(ValueError, match="found -1, 5, expected 0 or more"):
        IndexSampler(3, seed=0).indices(-1, 5)


def test_generated_labels_depend_on_sample_and_phase_alone() -> None:
    large = generated_label_indices(5, nimg=64, batch=32, num_phases=6, num_items=1000)
    assert large.shape == (32, 6)
    assert np.array_equal(generated_label_indices(5, 80, 8, 6, 1000), large[16:24])
    assert np.array_equal(generated_label_indices(5, 64, 32, 2, 1000), large[:, :2])
    assert len(np.unique(large)) > 150  # 192 draws of 1000: phases and samples are not copies of each other
    assert not np.array_equal(generated_label_indices(6, 64, 32, 6, 1000), large)


def test_generated_labels_are_uniform() -> None:
    drawn = generated_label_indices(0, nimg=0, batch=5000, num_phases=4, num_items=10)
    counts = np.bincount(drawn.ravel(), minlength=10)
    assert ((counts - 2000) ** 2 / 2000).sum() < 27.9  # chi-square, 9 degrees of freedom, p = 0.001
