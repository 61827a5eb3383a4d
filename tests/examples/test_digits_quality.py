"""The measures of the demo, on sets whose values are known."""

import json

import numpy as np
import pytest
import scipy.linalg

import sg_keras
from examples import digits_quality
from sg_keras.data.digits import load_digits
from tests.tiny_generator import tiny_generator


class PerfectMemory:
    """A generator that knows the reals by heart, and draws them for the right class or for the next one."""

    z_dim, c_dim, image_shape = 4, 10, (32, 32, 1)

    def __init__(self, shift: int = 0) -> None:
        images, classes = load_digits()
        self._images = images.astype(np.float32) / 127.5 - 1
        self._classes, self._shift = classes, shift

    def __call__(self, z, c, noise_mode):
        assert noise_mode == "const"
        choices = [np.flatnonzero(self._classes == (k + self._shift) % 10) for k in c.argmax(axis=1)]
        picked = [choice[int(1e6 * abs(v)) % len(choice)] for choice, v in zip(choices, z[:, 0], strict=True)]
        return self._images[picked]


def test_a_perfect_generator_reaches_the_targets():
    measures = digits_quality.measure(PerfectMemory())
    assert measures["accuracy"] > 0.999
    assert measures["frechet"] < 0.05
    assert 0.95 < measures["coverage"] <= 1
    assert digits_quality.meets_targets(measures)
    assert "NOT" not in digits_quality.report(measures)


def test_wrong_labels_are_found():
    measures = digits_quality.measure(PerfectMemory(shift=1), per_class=20)
    assert measures["accuracy"] < 0.02
    assert measures["frechet"] < 1
    assert not digits_quality.meets_targets(measures)
    assert digits_quality.report(measures).count("NOT reached") == 1


def test_frechet_distance_against_matrix_square_root():
    random = np.random.RandomState(0)
    a, b = random.randn(50, 6) @ random.randn(6, 6), random.randn(40, 6) @ random.randn(6, 6) + 0.3
    cov_a, cov_b = np.cov(a.T, bias=True), np.cov(b.T, bias=True)
    root = scipy.linalg.sqrtm(cov_a @ cov_b).real
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(cov_a + cov_b - 2 * root)
    assert digits_quality.frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)
    assert digits_quality.frechet_distance(a, a + 2) == pytest.approx(24)


def test_coverage_counts_reals_with_a_sample_in_their_ball():
    reals = np.arange(10.0)[:, None] ** 2
    assert digits_quality.coverage(reals, reals) == 1
    # The 2nd nearest neighbours of 0, 1, 4, 9 and 16 are 4, 3, 4, 7 and 9 away: 4 and 9 have a sample that near.
    assert digits_quality.coverage(reals, np.array([[4.5]]), neighbour=2) == pytest.approx(2 / 10)


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="G: found 3 classes of 16x16x1 images, expected 10 classes of 32x32x1"):
        digits_quality.measure(tiny_generator())


def test_command_line(monkeypatch, capsys):
    monkeypatch.setattr(sg_keras, "load", lambda path: {"G_ema": PerfectMemory()})
    assert digits_quality.main(["--network=some", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"accuracy", "frechet", "coverage"}
    monkeypatch.setattr(sg_keras, "load", lambda path: {"G_ema": tiny_generator()})
    assert digits_quality.main(["--network=some"]) == 1
    assert capsys.readouterr().err.startswith("Error: G: found 3 classes")
