"""The data and the sums of the experiment with few digits; training itself takes too long for a test."""

import numpy as np
import pytest

from examples import ada_on_few_digits
from sg_keras.data import open_dataset
from sg_keras.data.digits import load_digits


def test_subset_and_the_rest_are_all_digits():
    trained, held_out = ada_on_few_digits.subset()
    assert len(trained) == 300
    np.testing.assert_array_equal(np.sort(np.concatenate([trained, held_out])), np.arange(1797))


def test_the_data_set_holds_the_subset_with_its_labels(tmp_path):
    ada_on_few_digits.write_subset(tmp_path / "few.zip")
    dataset = open_dataset(str(tmp_path / "few.zip"), use_labels=True)
    images, classes = load_digits()
    index = ada_on_few_digits.subset()[0][17]
    assert (dataset.num_images, dataset.resolution, dataset.channels, dataset.c_dim) == (300, 32, 1, 10)
    np.testing.assert_array_equal(dataset.image(17), images[index])
    assert np.argmax(dataset.label(17)) == classes[index]


def rows(last_gap):
    return [
        {"kimg": kimg, "p": 0.1, "trained": 0.5, "held_out": 0.5 - gap, "fakes": -0.5, "frechet": frechet}
        for kimg, gap, frechet in ((10, 0.0, 0.3), (20, last_gap, 0.4))
    ]


def test_summary_and_plot(tmp_path):
    pytest.importorskip("matplotlib")
    curves = {"noaug": [rows(0.8), rows(0.6)], "ada": [rows(0.0), rows(0.0)]}
    lines = ada_on_few_digits.summary(curves).splitlines()
    assert lines[2].split()[:5] == ["noaug", "0.50", "-0.20", "0.700", "(0.600..0.800)"]
    assert lines[3].split()[:4] == ["ada", "0.50", "0.50", "0.000"]
    ada_on_few_digits.plot(curves, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
