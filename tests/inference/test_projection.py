"""Projection: styles of given images; the published loop itself is held by the golden numbers."""

import numpy as np
import pytest

from sg_keras.features import PixelFeatures
from sg_keras.inference import latents, styles, to_uint8
from sg_keras.inference.projection import Projector, mean_style, project
from sg_keras.inference.projection_noise import SeededDraws, normalized_noise
from sg_keras.inference.projection_settings import ProjectionSettings
from tests.tiny_generator import tiny_generator

pytestmark = pytest.mark.rounding

FEW = {"num_steps": 30, "w_avg_samples": 100}


@pytest.fixture(scope="module")
def G():  # noqa: N802
    return tiny_generator()


def images_of(G, seeds, classes):
    labels = np.eye(3, dtype=np.float32)[classes] if G.c_dim else np.zeros([len(seeds), 0], np.float32)
    return to_uint8(G.synthesis(styles(G, latents(seeds, G.z_dim), labels)).numpy())


def test_images_are_approached_each_as_if_alone(G):
    before = [variable.numpy() for variable in G.variables]
    targets = images_of(G, [1, 2], [0, 2])
    told = []
    settings = ProjectionSettings(**FEW)
    both = project(G, targets, [0, 2], features=PixelFeatures(), settings=settings, on_step=told.append)
    assert both.ws.shape == (2, G.num_ws, G.w_dim) and both.distances.shape == (30, 2)
    assert [step.done for step in told] == list(range(1, 31)) and told[-1].total == 30
    np.testing.assert_array_equal(both.ws, both.ws[:, :1].repeat(G.num_ws, axis=1))
    assert np.all(both.distances[-1] < 0.5 * both.distances[0])
    for k in range(2):
        alone = project(G, targets[k : k + 1], [[0, 2][k]], features=PixelFeatures(), settings=settings)
        # In float32, with kinks: where each draws its noise from another stream this is 1 and more.
        np.testing.assert_allclose(alone.ws[0], both.ws[k], atol=0.05)
    for variable, value in zip(G.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_images_have_noise_of_their_own(G):
    targets = images_of(G, [1, 2], [0, 2])
    projector = Projector(G, PixelFeatures(), ProjectionSettings(num_steps=5, w_avg_samples=10))
    *_, _ = projector.steps(targets, np.eye(3, dtype=np.float32)[[0, 2]], SeededDraws([3, 4]))
    noise = projector.noise_images(2)
    assert list(noise) == list(G.synthesis.noise_variables())
    for images in noise.values():
        assert np.abs(images[0] - images[1]).max() > 1
        np.testing.assert_allclose(images.mean(axis=(1, 2)), 0, atol=1e-5)
        np.testing.assert_allclose(np.square(images).mean(axis=(1, 2)), 1, rtol=1e-4)
    np.testing.assert_allclose(normalized_noise(noise["b8.conv0"]), noise["b8.conv0"], rtol=1e-4, atol=1e-5)


def test_w_plus_has_a_style_for_each_layer_that_is_pulled_to_one(G):
    targets = images_of(G, [1], [1])
    apart = []
    for pull in (0.0, 10.0):
        settings = ProjectionSettings(space="w+", w_plus_pull=pull, **FEW)
        ws = project(G, targets, [1], features=PixelFeatures(), settings=settings).ws[0]
        apart.append(np.linalg.norm(ws - ws.mean(axis=0)))
    assert 0 < apart[1] < 0.5 * apart[0]


def test_stylegan3_keeps_the_transform_of_the_mean_style():
    G = tiny_generator(c_dim=0, cfg="stylegan3-t")
    targets = images_of(G, [1], [0])
    mean, _ = mean_style(G, np.zeros([1, 0], np.float32), 100, 123)
    for space in ("w", "w+"):
        settings = ProjectionSettings(space=space, **{**FEW, "num_steps": 5})
        ws = project(G, targets, features=PixelFeatures(), settings=settings).ws[0]
        np.testing.assert_array_equal(ws[0], mean[0])
        assert np.all(np.abs(ws[1:] - mean[0]).max(axis=1) > 0)
        assert (np.ptp(ws[1:], axis=0).max() > 0) == (space == "w+")


def test_stored_noise_stays_where_none_is_fitted(G):
    targets = images_of(G, [1], [0])
    settings = ProjectionSettings(fits_noise=False, **{**FEW, "num_steps": 5})
    projector = Projector(G, PixelFeatures(), settings)
    steps = list(projector.steps(targets, np.eye(3, dtype=np.float32)[:1], SeededDraws([0])))
    assert projector.noise_images(1) == {}
    mean, deviation = mean_style(G, np.eye(3, dtype=np.float32)[:1], 100, 123)
    drawn = SeededDraws([0]).styles(0, (1, G.w_dim)) * 0.05 * deviation
    image = G.synthesis((mean[:, np.newaxis] + drawn).repeat(G.num_ws, axis=1)).numpy()
    np.testing.assert_allclose(steps[0].distances, [np.square(image - targets / 127.5 + 1).mean()], rtol=1e-4)


def test_the_end_comes_early_where_it_is_close_enough(G):
    settings = ProjectionSettings(stop_below=1e9, **FEW)
    assert len(project(G, images_of(G, [1], [0]), [0], features=PixelFeatures(), settings=settings).distances) == 1


def test_schedules_rise_and_fall():
    settings = ProjectionSettings(num_steps=100)
    rates = [settings.learning_rate(step) for step in range(100)]
    assert rates[0] == 0 and rates[5] == pytest.approx(0.1) and rates[75] == pytest.approx(0.1) and rates[99] < 1e-3
    scales = [settings.noise_scale(step) for step in (0, 75, 99)]
    assert scales == [0.05, 0, 0]


def test_what_does_not_fit(G):
    with pytest.raises(ValueError, match=r"targets: found uint8 \[1, 8, 8, 1\], expected uint8 \[N,16,16,1\]"):
        project(G, np.zeros([1, 8, 8, 1], np.uint8), [0], features=PixelFeatures())
    with pytest.raises(ValueError, match="class: found none, expected 0 to 2"):
        project(G, np.zeros([1, 16, 16, 1], np.uint8), features=PixelFeatures())
    with pytest.raises(ValueError, match="space: found 'z', expected w or"):
        ProjectionSettings(space="z")
