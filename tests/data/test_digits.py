"""The built-in digits are scikit-learn's, enlarged."""

import numpy as np
import pytest
from PIL import Image

from sg_keras.data import open_dataset


def test_shape_and_labels() -> None:
    dataset = open_dataset("digits", use_labels=True)
    assert (dataset.name, dataset.num_images, len(dataset)) == ("digits", 1797, 1797)
    assert (dataset.resolution, dataset.channels, dataset.c_dim, dataset.has_labels) == (32, 1, 10, True)
    images = dataset.images(np.arange(1797))
    assert images.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 255)
    assert np.bincount(dataset.labels(np.arange(1797)).argmax(1)).tolist() == [
        178,
        182,
        177,
        183,
        181,
        182,
        181,
        179,
        174,
        180,
    ]
    assert open_dataset("digits", mirror=True).c_dim == 0
    assert len(open_dataset("digits", mirror=True)) == 2 * 1797


def test_same_images_as_scikit_learn() -> None:
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    bunch = sklearn_datasets.load_digits()
    dataset = open_dataset("digits", use_labels=True)
    images = dataset.images(np.arange(1797))
    for index, values in enumerate(bunch.images):
        scaled = np.rint(values * 255 / 16).astype(np.uint8)
        enlarged = Image.fromarray(scaled).resize((32, 32), Image.Resampling.BICUBIC)
        assert np.array_equal(images[index, :, :, 0], np.asarray(enlarged))
    assert np.array_equal(dataset.labels(np.arange(1797)), np.eye(10)[bunch.target])
