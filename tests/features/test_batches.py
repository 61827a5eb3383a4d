"""Networks over many images."""

import threading

import numpy as np
import pytest

from sg_keras.features.batches import features_in_batches


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8, 11])
def test_every_image_comes_once_and_in_order(count):
    images = np.arange(count * 2, dtype=np.uint8).reshape(count, 2)
    sizes = []

    def compute(ready: np.ndarray) -> np.ndarray:
        sizes.append(len(ready))
        return ready + 0.5

    found = features_in_batches(images, lambda part: part * 2.0, compute, batch=4, width=2)
    assert found.dtype == np.float32 and all(1 <= size <= 4 for size in sizes)
    np.testing.assert_array_equal(found, images * 2.0 + 0.5)


def test_the_next_batch_is_made_ready_while_one_is_computed():
    prepared = [threading.Event() for _ in range(3)]

    def prepare(part: np.ndarray) -> np.ndarray:
        prepared[part[0, 0]].set()
        return part

    def compute(ready: np.ndarray) -> np.ndarray:
        following = ready[0, 0] + 1
        assert following == len(prepared) or prepared[following].wait(30)
        return ready

    images = np.arange(3, dtype=np.uint8)[:, np.newaxis]
    assert features_in_batches(images, prepare, compute, batch=1, width=1).shape == (3, 1)


@pytest.mark.parametrize("count", [2, 9])
def test_an_error_of_either_side_ends_it(count):
    def fail(part: np.ndarray) -> np.ndarray:
        raise ValueError("this one")

    images = np.zeros([count, 1])
    for arguments in ((fail, lambda ready: ready), (lambda part: part, fail)):
        with pytest.raises(ValueError, match="this one"):
            features_in_batches(images, *arguments, batch=4, width=1)
