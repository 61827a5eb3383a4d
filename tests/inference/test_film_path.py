"""When a film is where: numbers alone, without a network."""

import numpy as np
import pytest
import scipy.interpolate

from sg_keras.inference.film_path import EASINGS, Times, Track, circle, noise_loop, slerp, whole_frames

RANDOM = np.random.RandomState(0)


def times(*lengths: int, closed: bool = True, easing: str = "linear") -> Times:
    return Times(lengths, closed, (easing,) * len(lengths))


@pytest.mark.parametrize("kind, degree", [("cubic", 3), ("linear", 1)])
@pytest.mark.parametrize("wraps", [1, 2])
def test_a_closed_track_is_the_published_spline(kind, degree, wraps):
    values = RANDOM.randn(4, 3)
    track = Track(times(5, 5, 5, 5), values, kind, wraps)
    places = np.arange(-4 * wraps, 4 * (wraps + 1))
    published = scipy.interpolate.make_interp_spline(places, np.tile(values, [2 * wraps + 1, 1]), k=degree)
    frames = np.arange(20)
    np.testing.assert_allclose(track.at(frames), published(frames / 5), rtol=0, atol=1e-12)


@pytest.mark.parametrize("easing", EASINGS)
def test_films_pass_their_keyframes_and_close(easing):
    film = times(3, 1, 4, easing=easing)
    values = RANDOM.randn(3, 2)
    track = Track(film, values)
    assert film.num_frames == 8
    np.testing.assert_allclose(track.at(np.array([0, 3, 4])), values, atol=1e-12)
    np.testing.assert_array_equal(track.at(np.arange(8, 16)), track.at(np.arange(8)))


def test_films_that_are_not_closed_end_at_their_last_keyframe():
    film = times(3, 2, 7, closed=False)
    values = RANDOM.randn(3)
    assert film.num_frames == 6
    np.testing.assert_allclose(Track(film, values).at(np.array([0, 3, 5])), values, atol=1e-12)
    assert times(9, closed=False).num_frames == 1


@pytest.mark.parametrize("easing", EASINGS)
def test_easings_lead_from_0_to_1_and_never_back(easing):
    parts = EASINGS[easing](np.linspace(0, 1, 101))
    assert parts[0] == 0 and (parts[-1] == pytest.approx(1) or easing == "hold")
    assert np.all(np.diff(parts) >= -1e-12)


def test_one_keyframe_stands_still():
    np.testing.assert_allclose(Track(times(4), np.array([[2.0, 3.0]])).at(np.arange(4)), [[2, 3]] * 4)


def test_angles_go_on_in_the_next_round():
    angles = Track(times(2, 2, 2), np.array([0.0, 120, 240]), "linear", turn=360).at(np.arange(6))
    np.testing.assert_allclose(angles, [0, 60, 120, 180, 240, 300])


def test_slerp_keeps_lengths_and_speed():
    a, b = RANDOM.randn(2, 5, 64)
    a, b = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (a, b))
    way = np.stack([slerp(a, b, np.full(5, part)) for part in np.linspace(0, 1, 11)])
    np.testing.assert_allclose(np.linalg.norm(way, axis=-1), 1)
    steps = np.linalg.norm(np.diff(way, axis=0), axis=-1)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape))
    np.testing.assert_allclose([way[0], way[-1]], [a, b], atol=1e-12)
    np.testing.assert_allclose(slerp(a, a, np.full(5, 0.3)), a)


def test_a_circle_begins_at_one_point_and_heads_for_another():
    a, b = RANDOM.randn(2, 3, 16)
    way = circle(a, b, np.arange(8) / 8)
    np.testing.assert_allclose(way[0], a)
    np.testing.assert_allclose(way[4], -a, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(way, axis=-1), np.broadcast_to(np.linalg.norm(a, axis=-1), [8, 3]))
    towards = np.sum(way * b, axis=-1)
    assert np.all(towards.argmax(axis=0) <= 2)


def test_a_noise_loop_is_closed_and_of_unit_variance():
    waves = RANDOM.randn(3, 2, 2000)
    way = noise_loop(waves, np.arange(10) / 10)
    np.testing.assert_allclose(way.std(axis=-1), 1, atol=0.06)
    np.testing.assert_allclose(noise_loop(waves, np.array([1.0])), way[:1], atol=1e-9)


def test_rounding_of_frames_does_not_add_up():
    lengths = whole_frames([0.05] * 30, 30)
    assert sum(lengths) == 45 and set(lengths) == {1, 2}
    with pytest.raises(ValueError, match=r"found 0\.001 seconds, expected 0\.0333 at least"):
        whole_frames([1, 0.001], 30)
