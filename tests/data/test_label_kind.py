"""What labels are: classes or vectors, and examples of vectors."""

import numpy as np
import pytest

from sg_keras.data.labels import Labels, class_labels, no_labels


def test_kinds():
    assert class_labels(np.array([0, 2])).kind == "classes"
    assert Labels(np.ones([4, 2], np.float32)).kind == "vectors"
    assert no_labels(3).kind == ""
    for labels in (class_labels(np.array([0, 2])), no_labels(3)):
        assert labels.examples(4).shape == (0, labels.c_dim)


@pytest.mark.parametrize("most, expected", [(0, []), (1, [0]), (3, [0, 4, 9]), (10, range(10)), (99, range(10))])
def test_examples_are_different_and_from_all_over(most, expected):
    vectors = np.repeat(np.arange(10, dtype=np.float32)[:, np.newaxis], 2, axis=1)
    found = Labels(vectors).examples(most)
    np.testing.assert_array_equal(found, vectors[list(expected)])
    assert found.dtype == np.float32
    assert len(Labels(np.ones([1000, 5], np.float32)).examples(8)) == 1
