"""Perceptual path length and the inception score: what the golden cases do not say."""

import numpy as np
import pytest
import tensorflow as tf

from sg_keras.metrics import inception_score, mean_without_outliers
from sg_keras.metrics.path_length import PathSampling, path_distances, slerp, viewed


def test_the_arc_goes_from_end_to_end_at_an_even_pace():
    a, b = tf.constant([[2.0, 0.0]]), tf.constant([[0.0, 5.0]])
    at = [slerp(a, b, tf.constant([[t]])).numpy()[0].tolist() for t in (0.0, 1 / 3, 1.0)]
    assert at[0] == pytest.approx([1, 0], abs=1e-6) and at[2] == pytest.approx([0, 1], abs=1e-6)
    assert at[1] == pytest.approx([np.cos(np.pi / 6), np.sin(np.pi / 6)], abs=1e-6)


def test_a_straight_path_has_the_same_length_everywhere():
    ends = tf.constant([[0.0, 0.0]], tf.float64), tf.constant([[3.0, 4.0]], tf.float64)
    networks = (lambda z: z, lambda w: tf.reshape(w / 127.5, [-1, 1, 2, 1]), lambda x: x[:, 0, :, 0])
    for t in (0.0, 0.7):
        found = path_distances(ends, tf.constant([t], tf.float64), PathSampling(sampling="full"), networks)
        assert found.numpy() == pytest.approx([25], rel=1e-6)


@pytest.mark.parametrize(
    "shape, crop, seen",
    [((512, 512, 3), False, (256, 256, 3)), ((64, 32, 1), True, (32, 16, 3)), ((8, 8, 4), False, (8, 8, 3))],
)
def test_what_the_network_sees(shape, crop, seen):
    images = viewed(tf.ones([1, *shape]), crop=crop)
    assert images.shape[1:] == seen and float(tf.reduce_max(images)) == 255


def test_outliers_do_not_count():
    assert mean_without_outliers(np.array([1.0] * 500 + [1e9]))[0] == pytest.approx(1)


def test_one_class_for_all_scores_1():
    assert inception_score(np.tile([[1.0, 0.0]], [20, 1])) == (1, 0)
    with pytest.raises(ValueError, match="found 3 rows, expected 10 at least"):
        inception_score(np.ones([3, 2]))
