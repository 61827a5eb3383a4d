"""Geometric transforms, each by itself against what it does to an image that is known everywhere, and their warp."""

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.augment import AugmentPipeline, AugmentTransforms
from sg_keras.augment.geometry import inverse_maps, reflected_margins, warp_reflected
from sg_keras.augment.reflection import reflect_pad
from sg_keras.augment.sampling import sample_parameters
from sg_keras.augment.wavelets import SYM6
from tests.augment.fixed_random import CompleteRandom, FixedRandom

pytestmark = pytest.mark.rounding

HEIGHT, WIDTH = 24, 40
GEOMETRY = AugmentTransforms.of_pipe("bg")


def _noise_images(channels=1, count=1):
    return np.random.RandomState(0).randn(count, HEIGHT, WIDTH, channels)


def _augment(images, impl="reference", transforms=GEOMETRY, **values):
    layer = AugmentPipeline(transforms, impl)
    return np.asarray(layer(tf.constant(images), p=1.0, random=FixedRandom(**values)))


def _positions():
    """x [W] and y [H,1] of the pixels, from the centre."""
    return np.arange(WIDTH) - (WIDTH - 1) / 2, np.arange(HEIGHT)[:, np.newaxis] - (HEIGHT - 1) / 2


def _waves(x, y):
    """An image without high frequencies, symmetric in nothing."""
    return np.sin(0.31 * x + 0.2 * y + 0.7) + 0.5 * np.cos(0.25 * y - 0.12 * x)


def _log2(value, std):
    return np.float32(np.log2(value) / std)


# ------------------------------------------------------------------------------------------- whole pixels


def test_xint_moves_by_whole_pixels_and_reflects():
    x = _noise_images()
    # Half to even: (2u - 1) / 8 of 40 and 24 pixels, 3.2 and -2.5.
    moved = _augment(x, xint_x=0.82, xint_y=0.5 - 2.5 / 6)
    padded = np.pad(x, [[0, 0], [4, 4], [4, 4], [0, 0]], mode="reflect")
    np.testing.assert_allclose(moved, padded[:, 4 + 2 : 4 + 2 + HEIGHT, 4 - 3 : 4 - 3 + WIDTH], atol=1e-6)


# ------------------------------------------------------------------------------------------- smooth transforms


_CENTROID = np.sum(np.arange(12) * SYM6) / np.sum(SYM6)  # of the filter, in half pixels


def _turn(x, y, angle):
    return np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y


@pytest.mark.parametrize(
    ("values", "inverse"),
    [
        ({"xflip": 0.5}, lambda x, y: (-x, y)),
        ({"rotate90": 0.3}, lambda x, y: (-y, x)),
        ({"rotate90": 0.5}, lambda x, y: (-x, -y)),
        ({"rotate90": 0.9}, lambda x, y: (y, -x)),
        ({"scale": _log2(1.5, 0.2)}, lambda x, y: (x / 1.5, y / 1.5)),
        ({"aniso": _log2(1.3, 0.2)}, lambda x, y: (x / 1.3, y * 1.3)),
        ({"xfrac_x": 0.5, "xfrac_y": -0.7}, lambda x, y: (x - 0.5 * WIDTH / 8, y + 0.7 * HEIGHT / 8)),
        ({"rotate_before": 0.6}, lambda x, y: _turn(x, y, 0.2 * np.pi)),
        ({"rotate_after": 0.45}, lambda x, y: _turn(x, y, -0.1 * np.pi)),
    ],
    ids=["xflip", "quarter", "half", "three quarters", "scale", "aniso", "xfrac", "rotate_before", "rotate_after"],
)
def test_smooth_images_are_moved_as_a_formula_says(impl, values, inverse):
    """The filter is not symmetric: enlarging moves images a little, and reducing moves them back."""
    x, y = _positions()
    off_centre = (5 - _CENTROID) / 2
    found = _augment(_waves(x, y)[np.newaxis, :, :, np.newaxis], impl, **values)[0, :, :, 0]
    source_x, source_y = (source + off_centre for source in inverse(x - off_centre, y - off_centre))
    inside = (np.abs(source_x) < WIDTH / 2 - 5) & (np.abs(source_y) < HEIGHT / 2 - 5)
    inside = np.broadcast_to(inside, found.shape)
    assert inside.sum() > 150
    np.testing.assert_allclose(found[inside], _waves(source_x, source_y)[inside], atol=0.01)


def test_transforms_are_multiplied_in_the_published_order():
    parameters = {"xflip": 1, "rotate90": 1, "xint_x": 0.1, "xint_y": -0.1, "scale": 0.12, "rotate_before": 0.4 * np.pi}
    parameters |= {"aniso": -0.08, "rotate_after": -0.8 * np.pi, "xfrac_x": 0.3 / 8, "xfrac_y": -0.6 / 8}
    linear, shift = inverse_maps(
        {name: tf.constant([value], tf.float64) for name, value in parameters.items()}, HEIGHT, WIDTH
    )

    def rotation(angle):
        return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])

    def translation(x, y):
        return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])

    s, a = 2**0.12, 2**-0.08
    chain = [np.diag([-1.0, 1, 1]), rotation(np.pi / 2), translation(-4, 2), np.diag([1 / s, 1 / s, 1])]
    chain += [rotation(0.4 * np.pi), np.diag([1 / a, a, 1]), rotation(-0.8 * np.pi)]
    chain += [translation(-0.3 * WIDTH / 8, 0.6 * HEIGHT / 8)]
    expected = np.linalg.multi_dot(chain)
    np.testing.assert_allclose(linear[0], expected[:2, :2], atol=1e-12)
    np.testing.assert_allclose(shift[0], expected[:2, 2], atol=1e-12)


# ------------------------------------------------------------------------------------------- margins and the warp


def test_margins_are_those_of_the_widest_transform_and_at_most_the_image():
    linear = np.stack([np.eye(2), np.eye(2), [[0, -1], [1, 0]]])
    shift = np.array([[0, 0], [-3.5, 0], [0, 2]], np.float64)
    margins = reflected_margins(tf.constant(linear), tf.constant(shift), HEIGHT, WIDTH)
    # Vertically the rotation by 90 degrees reaches 8 pixels further than the image, and 2 more; the filter takes 6.
    assert margins.numpy().tolist() == [10, 6, 12, 16]
    far = reflected_margins(tf.constant(linear * 9), tf.constant(shift), HEIGHT, WIDTH)
    assert far.numpy().tolist() == [WIDTH - 1, WIDTH - 1, HEIGHT - 1, HEIGHT - 1]


def test_wider_margins_change_nothing_within_the_filters_reach():
    """What another sample of the micro-batch needs is not seen by those that need less."""
    images = tf.constant(_noise_images(count=2))
    turned = np.array([[0.8, -0.6], [0.6, 0.8]])
    linear = tf.constant(np.stack([turned, np.eye(2)]))
    shift = tf.constant(np.array([[1.2, -0.4], [9, -8]], np.float64))
    together = warp_reflected(images, linear, shift, "reference")
    alone = warp_reflected(images[:1], linear[:1], shift[:1], "reference")
    np.testing.assert_allclose(together[:1], alone, atol=1e-12)


def test_implementations_agree():
    images = np.random.RandomState(1).randn(4, HEIGHT, WIDTH, 3).astype(np.float32)
    results = [
        AugmentPipeline(GEOMETRY, impl)(tf.constant(images), p=1.0, random=CompleteRandom())
        for impl in ("reference", "auto")
    ]
    np.testing.assert_allclose(*results, atol=2e-5)


def test_untransformed_samples_keep_every_bit():
    images = _noise_images(3, 16).astype(np.float32)
    parameters = sample_parameters(GEOMETRY, 0.1, _SomeRandom(), 16, tf.float32)
    linear, shift = inverse_maps(parameters, HEIGHT, WIDTH)
    identity = np.all(linear == np.eye(2), axis=(1, 2)) & np.all(shift == 0, axis=1)
    assert 2 < identity.sum() < 14
    result = np.asarray(AugmentPipeline(GEOMETRY)(tf.constant(images), p=0.1, random=_SomeRandom()))
    np.testing.assert_array_equal(result[identity], images[identity])
    assert np.all(np.any(result[~identity] != images[~identity], axis=(1, 2, 3)))


class _SomeRandom(CompleteRandom):
    """Each transform occurs where it should."""

    def gates(self, count):
        return self._stateless.gates(count)


@pytest.mark.parametrize("margins", [(0, 0, 0, 0), (3, 0, 1, 4), (WIDTH - 1, WIDTH - 1, HEIGHT - 1, HEIGHT - 1)])
def test_reflection_and_its_derivatives(margins):
    x = tf.constant(_noise_images(2, 2))
    left, right, top, bottom = margins
    pads = [[0, 0], [top, bottom], [left, right], [0, 0]]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        with tf.GradientTape(persistent=True) as inner:
            inner.watch(x)
            found, expected = reflect_pad(x, tf.constant(margins)), tf.pad(x, pads, mode="REFLECT")
            cubes = [tf.reduce_sum(y**3) for y in (found, expected)]
        gradients = [inner.gradient(cube, x) for cube in cubes]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(*gradients, atol=1e-12)
    second = [tape.gradient(gradient, x, output_gradients=x) for gradient in gradients]
    np.testing.assert_allclose(*second, atol=1e-12)
