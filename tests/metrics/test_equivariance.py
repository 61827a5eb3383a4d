"""The measures of equivariance, on images whose motion is known."""

import math

import numpy as np
import pytest

from sg_keras.metrics import equivariance as eq

pytestmark = pytest.mark.rounding

SIZE = 48


def drawn(transform):
    """A smooth image [1,H,W,2], band-limited well below what the pixels can show, seen through a transform [3,3]."""
    position = (np.arange(SIZE) + 0.5) / SIZE - 0.5
    x, y = np.meshgrid(position, position)
    x, y = (row[0] * x + row[1] * y + row[2] for row in np.asarray(transform)[:2])
    waves = [np.sin(2 * np.pi * (3 * x + 2 * y)), np.cos(2 * np.pi * (x - 4 * y) + 1)]
    return np.stack([0.5 * wave for wave in waves], axis=-1)[np.newaxis]


def test_a_image_that_follows_its_transform_is_equivariant():
    draws = np.random.RandomState(0).uniform(size=[3, 2])
    smooth = lambda w, transform: drawn(transform)  # noqa: E731
    assert eq.eqt_int(smooth, range(3), draws).decibels() > 200  # whole pixels: nothing is interpolated
    assert eq.eqt_frac(smooth, range(3), draws).decibels() > 45
    assert eq.eqr(smooth, range(3), draws[:, 0]).decibels() > 45


def test_a_image_that_stays_where_it_is_is_not():
    draws = np.random.RandomState(1).uniform(size=[3, 2])
    still = lambda w, transform: drawn(np.eye(3))  # noqa: E731
    for measure in (eq.eqt_int, eq.eqt_frac):
        assert measure(still, range(3), draws).decibels() < 20
    assert eq.eqr(still, range(3), draws[:, 0]).decibels() < 20


def test_translation_by_whole_pixels_moves_right_and_down():
    images = np.random.RandomState(2).randn(1, 8, 10, 3)
    for translate in (eq.translate_whole, eq.translate_fraction):
        moved, mask = translate(images, 0.2, 1 / 8)
        np.testing.assert_allclose(moved[:, 4:6, 5:7], images[:, 3:5, 3:5], atol=1e-12)
        assert mask[5, 6] == 1 and not mask[0].any() and not mask[:, 0].any()


def test_translation_out_of_sight_leaves_nothing():
    for translate in (eq.translate_whole, eq.translate_fraction):
        moved, mask = translate(np.ones([1, 8, 8, 1]), 1.5, 0.0)
        assert not moved.any() and not mask.any()


def test_a_quarter_turn_is_numpys():
    image = drawn(np.eye(3))
    turned, mask = eq.rotate(image, math.pi / 2)
    inside = mask > 0
    assert inside.mean() > 0.3
    expected = np.rot90(image[0])
    assert np.abs(turned[0] - expected)[inside].max() < 0.01


@pytest.mark.parametrize("up", [1, 4])
@pytest.mark.parametrize("angle", [0.0, 0.4, -1.9])
def test_rotation_filter_keeps_a_flat_image(angle, up):
    taps = eq.rotation_filter(angle, up)
    assert taps.shape == (12 * up - 1,) * 2
    padded = np.pad(taps, ((0, 1), (0, 1)))
    for phase_y in range(up):
        for phase_x in range(up):
            assert padded[phase_y::up, phase_x::up].sum() == pytest.approx(1 / up**2)


def test_ratio_of_nothing_and_of_equals():
    noise = eq.PeakSignalToNoise()
    assert math.isnan(noise.decibels())
    noise.add(np.ones([1, 2, 2, 1]), np.ones([1, 2, 2, 1]), np.ones([2, 2]))
    assert noise.decibels() == math.inf
    noise.add(np.ones([1, 2, 2, 1]), np.zeros([1, 2, 2, 1]), np.ones([2, 2]))
    assert noise.decibels() == pytest.approx(20 * math.log10(2) - 10 * math.log10(0.5))


def test_the_standard_error_is_that_of_batches():
    noise, random = eq.PeakSignalToNoise(), np.random.default_rng(0)
    still, mask = np.zeros([1, 4, 4, 1]), np.ones([4, 4])
    for _ in range(100):
        noise.add(still + random.uniform(0.5, 1.5), still, mask)
    assert noise.standard_error() == pytest.approx(0.233, rel=0.15)  # 10 / ln 10 * std(x^2) / mean(x^2) / 10
    noise.add(still, still, mask)
    assert np.isfinite(noise.standard_error())


def test_where_nothing_differs_there_is_no_error():
    noise = eq.PeakSignalToNoise()
    noise.add(np.zeros([1, 4, 4, 1]), np.zeros([1, 4, 4, 1]), np.ones([4, 4]))
    assert noise.decibels() == np.inf and noise.standard_error() == 0
