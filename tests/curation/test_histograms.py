"""Histograms and examples."""

from __future__ import annotations

from sg_keras.curation.histograms import highest, histogram, lowest, tenths


def test_counts_add_up():
    values = {index: float(index % 7) for index in range(50)} | {99: None}
    for log in (False, True):
        found = histogram(values, log)
        assert sum(found.counts) == 50 and len(found.edges) == len(found.counts) + 1
        assert found.edges[0] == 0 and abs(found.edges[-1] - 6) < 1e-6
    assert histogram({1: None}) is None
    assert sum(histogram({1: 3.0, 2: 3.0}).counts) == 2


def test_examples():
    values = {index: float(-index) for index in range(101)} | {500: None}
    assert tenths(values) == list(range(100, -1, -10))
    assert lowest(values, 2) == [100, 99] and highest(values, 2) == [0, 1]
    assert tenths({4: 1.0}) == [4] and tenths({}) == []
