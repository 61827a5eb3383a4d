"""Films of a small generator: what they show, that they close, and what changes them."""

import numpy as np
import pytest

from sg_keras.inference import Film, Keyframe, generate, interpolate, inverse_transform, style_path
from sg_keras.inference.film import held_styles, moving_transforms, pulse, pulsing, steady_transforms
from sg_keras.inference.film_keyframes import INTERPOLATIONS, film_times, keyframe_seeds, mean_style
from sg_keras.inference.film_noise import MovingNoise, steady_phases
from tests.tiny_generator import tiny_generator


@pytest.fixture(scope="module", name="G")
def generator():
    return tiny_generator(c_dim=3, channels=1)


def distance(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def label(index: int) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[[index]]


@pytest.mark.parametrize("interpolation, closed", [("cubic", True), ("slerp", False)])
def test_a_film_passes_through_its_seeds(G, interpolation, closed):
    film = interpolate(
        G, [4, 5, 6], [0, 1, 2], frames_between=4, interpolation=interpolation, closed=closed, truncation_psi=0.8
    )
    frames = list(film.frames())
    assert len(frames) == film.num_frames == (12 if closed else 9)
    assert frames[0].shape == film.frame_shape == (16, 16, 1)
    still = list(generate(G, [4, 5, 6], [0, 1, 2], truncation_psi=0.8))
    assert max(distance(frames[4 * i], still[i]) for i in range(3)) <= 1
    steps = [np.abs(a.astype(float) - b).mean() for a, b in zip(frames, frames[1:] + frames[:closed], strict=False)]
    assert max(steps) < 5 * np.median(steps)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_paths_close_exactly_and_go_smoothly(G, interpolation):
    count = {"circle": 2, "noise-loop": 1}.get(interpolation, 3)
    keyframes = [Keyframe(8, (seed, seed + 7), labels=label(0).repeat(2, 0)) for seed in range(count)]
    path = style_path(G, keyframes, interpolation=interpolation)
    total = path.num_frames
    ws = path.at(np.arange(total))
    np.testing.assert_array_equal(path.at(np.arange(total, 2 * total)), ws)
    steps = np.abs(ws - np.roll(ws, 1, axis=0)).mean(axis=(1, 2, 3))
    assert ws.shape == (8 * count, 2, G.num_ws, 8) and steps.min() > 0 and steps.max() < 6 * np.median(steps)


def test_a_grid_closes_to_the_pixel_and_its_parts_are_the_same_to_the_bit(G):
    keyframes = [Keyframe(10, (seed, seed + 7), labels=label(0).repeat(2, 0)) for seed in range(2)]
    film = Film(G, style_path(G, keyframes, interpolation="circle"), columns=2)
    frames = list(film.frames())
    assert film.frame_shape == frames[0].shape == (16, 32, 1)
    np.testing.assert_array_equal(next(film.frames(20, 21)), next(film.frames(0, 1)))
    np.testing.assert_array_equal(list(film.frames(7, 15)), list(film.frames(7))[:8])


def test_styles_of_files_are_keyframes(G):
    w = np.random.RandomState(0).randn(1, G.num_ws, 8).astype(np.float32)
    keyframes = [Keyframe(3, w=w), Keyframe(3, (1,), labels=label(2), truncation_psi=0.5, easing="smooth")]
    film = Film(G, style_path(G, keyframes))
    np.testing.assert_allclose(film.styles([0])[0], w, rtol=1e-6)
    with pytest.raises(ValueError, match=r"keyframe 1: found styles w, expected a seed: slerp"):
        style_path(G, keyframes, interpolation="slerp")
    with pytest.raises(ValueError, match=r"keyframe 1: found w \[1, 3, 8\], expected \[cells, 6, 8\]"):
        style_path(G, [Keyframe(3, w=w[:, :3])])


def test_truncation_pulses_and_layers_are_held(G):
    path = style_path(G, [Keyframe(8, (seed,), labels=label(0)) for seed in (1, 2)])
    plain = Film(G, path)
    w = np.full([G.num_ws, 8], 0.25)
    film = Film(G, path, changes=(pulsing(G, pulse(16, 1.0, 2)), held_styles([0, 2], w)))
    found = film.styles(range(16))
    np.testing.assert_array_equal(found[:, 0, [0, 2]], np.full([16, 2, 8], 0.25))
    np.testing.assert_allclose(found[[0, 8], 0, 1], plain.styles([0, 8])[:, 0, 1], atol=1e-12)
    np.testing.assert_allclose(found[[4, 12], 0, 3], [mean_style(G)] * 2, atol=1e-12)


def test_a_class_goes_over_into_another(G):
    keyframes = [Keyframe(4, (1,), labels=label(index)) for index in (0, 2)]
    film = Film(G, style_path(G, keyframes, interpolation="slerp"))
    halfway = next(generate(G, [1], labels=np.array([[0.5, 0, 0.5]], np.float32)))
    assert distance(next(film.frames(2, 3)), halfway) <= 1


def test_noise_drifts_and_loops(G):
    path = style_path(G, [Keyframe(24, (1,), labels=label(0))])
    before = [np.asarray(variable) for variable in G.variables]
    still = next(Film(G, path).frames(0, 1))
    for closed in (True, False):
        noise = MovingNoise(G, steady_phases(24, fps=6, seconds=1, closed=closed), closed=closed)
        film = Film(G, path, noise=noise)
        frames = np.stack(list(film.frames())).astype(float)
        assert distance(frames[0], still) == 0
        steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
        assert steps.min() > 0 and steps.max() < 4 * np.median(steps)
        back = next(film.frames(24, 25)).astype(float)
        assert np.any(back != frames[0]) != closed
        assert np.concatenate([image.ravel() for image in noise.at(7)]).std() == pytest.approx(1, abs=0.15)
    for variable, value in zip(G.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    fresh = list(Film(G, path, noise="random").frames(0, 2))
    assert distance(*fresh) > 0


def test_stylegan3_moves_and_has_no_noise():
    G = tiny_generator(c_dim=0, cfg="stylegan3-t")
    keyframes = [Keyframe(4, (1,), rotate=angle, translate=(angle / 1000, 0)) for angle in (0, 120, 240)]
    times = film_times(keyframes, closed=True)
    moves = moving_transforms(keyframes, times, "linear")
    np.testing.assert_allclose(moves(np.array([10]))[0], inverse_transform((0.12, 0), 300), atol=1e-12)
    film = Film(G, style_path(G, keyframes), transforms=moves)
    expected = next(generate(G, [1], transform=inverse_transform((0.12, 0), 120)))
    assert distance(next(film.frames(4, 5)), expected) <= 1
    steady = steady_transforms(8, ((0, 0), (0, 0.5)), (0, 360))
    np.testing.assert_allclose(steady(np.array([2]))[0], inverse_transform((0, 0.125), 90), atol=1e-12)
    assert moving_transforms([Keyframe(1, (1,))], film_times([Keyframe(1, (1,))], True)) is None
    with pytest.raises(ValueError, match="noise: found a network without noise inputs"):
        MovingNoise(G, lambda frames: frames, closed=False)


def test_stylegan2_cannot_be_moved(G):
    path = style_path(G, [Keyframe(2, (1,), labels=label(0))])
    with pytest.raises(ValueError, match="transform: found one, expected none"):
        Film(G, path, transforms=steady_transforms(2, ((0, 0), (0, 0)), (0, 90)))


def test_seeds_are_arranged_as_published():
    assert keyframe_seeds([0, 1, 2, 3], 2) == [(0, 2), (1, 3)]
    assert keyframe_seeds([3, 8], 1, 3) == [(3,), (8,), (3,)]
    shuffled = keyframe_seeds(range(6), 2, shuffle_seed=1)
    assert sorted(seed for row in shuffled for seed in row) == list(range(6)) and shuffled != keyframe_seeds(
        range(6), 2
    )
    with pytest.raises(ValueError, match="seeds: found 3, expected a multiple of 2"):
        keyframe_seeds([0, 1, 2], 2)


@pytest.mark.parametrize(
    "seeds, options, message",
    [
        ([1, 2], {"frames_between": 0}, "film: found no frames"),
        ([1, 2], {"classes": None}, "class: found none"),
        ([1, 2], {"classes": [0, 9]}, "class: found 9"),
        ([1, 2], {"interpolation": "quintic"}, "interpolation: found 'quintic', expected one of cubic, linear"),
        ([1], {"interpolation": "circle"}, "circle: found 1 keyframes, expected 2"),
        ([1, 2], {"interpolation": "noise-loop"}, "noise-loop: found 2 keyframes, expected 1"),
    ],
)
def test_what_does_not_fit_is_refused(G, seeds, options, message):
    with pytest.raises(ValueError, match=message):
        interpolate(G, seeds, **{"classes": [0] * len(seeds), **options})


def test_keyframes_have_one_number_of_images(G):
    keyframes = [Keyframe(2, (1,), labels=label(0)), Keyframe(2, (1, 2), labels=label(0).repeat(2, 0))]
    with pytest.raises(ValueError, match="keyframe 2: found 2 images, expected 1"):
        style_path(G, keyframes)
